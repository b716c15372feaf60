"""What takes the disk: each app's releases and other folders, and each node's assets.

Releases share files by hard links: each file is counted once, and removing a release frees those
alone that nothing else holds. Sizes are what the disk gives for a file or folder, in bytes.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.model import SHARED_APP
from robbieblocks.release.compression.codings import SUFFIXES
from robbieblocks.release.files import disk
from robbieblocks.release.names import TEMPORARY, is_standby
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.retention.pruning import assets_in_use, unused_assets
from robbieblocks.release.retention.rule import Reason, kept_of

_BLOCK_BYTES: Final = 512

_File = tuple[int, int]
"""Device and inode."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderUsage:
    """A release, standby tree or temporary folder; `own_bytes` is what removing it alone frees.

    `live_at` is as in `Kept`, 0 for what is no release; a release without `reasons` goes.
    """

    name: str
    live_at: float
    size_bytes: int
    own_bytes: int
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AppUsage:
    """What an app takes on a node, and what removing all its releases that go would free."""

    node: str
    app: str
    size_bytes: int
    frees_bytes: int
    releases: tuple[FolderUsage, ...]
    standby_trees: tuple[FolderUsage, ...]
    temporary: tuple[FolderUsage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetsUsage:
    """A node's assets, with their compressed copies; those of `over` go.

    `used` are those that a release refers to, `waiting` those that none refers to but not for long
    enough. None are over where a manifest can't be read.
    """

    node: str
    size_bytes: int
    used: int
    waiting: int
    over: int
    over_bytes: int


def usage_of_app(site_root: SiteRoot, node: str, app: str) -> AppUsage:
    """What an app takes. Nothing is locked: what is made or removed meanwhile may be missing.

    Raises SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("look at", app_folder.path):
        kept = kept_of(app_folder)
        tally = _Tally()
        found = sorted(entry.name for entry in os.scandir(app_folder.releases))
        folders = {name: tally.add(app_folder.releases / name) for name in found}
        tally.add_files(app_folder.path, ["releases"])

    def usage(name: str) -> FolderUsage:
        return FolderUsage(
            name=name,
            live_at=kept.live_at.get(name, 0.0),
            size_bytes=tally.size(folders[name]),
            own_bytes=tally.freed([folders[name]]),
            reasons=kept.reasons.get(name, ()),
        )

    return AppUsage(
        node=node,
        app=app,
        size_bytes=tally.total(),
        frees_bytes=tally.freed(folders[name] for name in kept.unneeded if name in folders),
        releases=tuple(usage(name) for name in kept.live_at if name in folders),
        standby_trees=tuple(usage(name) for name in found if is_standby(name)),
        temporary=tuple(usage(name) for name in found if name.startswith(TEMPORARY)),
    )


def usage_of_assets(site_root: SiteRoot, node: str) -> AssetsUsage:
    """What the assets of a node take. Raises SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, SHARED_APP)
    with disk.attempt("look at", app_folder.assets):
        if not app_folder.assets.exists():
            # A kill before the node's first asset leaves none.
            return AssetsUsage(node=node, size_bytes=0, used=0, waiting=0, over=0, over_bytes=0)
        in_use = assets_in_use(site_root, node)
        over, waiting = ([], []) if in_use is None else unused_assets(app_folder, in_use)
        tally, going = _Tally(), _Tally()
        tally.add(app_folder.assets)
        names = {entry.name + suffix for entry in over for suffix in ("", *SUFFIXES.values())}
        gone = going.add_files(app_folder.assets, names)
        copies = tuple(SUFFIXES.values())
        files = [each.name for each in os.scandir(app_folder.assets)]
    originals = sum(not name.endswith(copies) for name in files)
    return AssetsUsage(
        node=node,
        size_bytes=tally.total(),
        used=originals - len(over) - len(waiting),
        waiting=len(waiting),
        over=len(over),
        over_bytes=going.freed([gone]),
    )


def size_of(folder: Path) -> int:
    """What a folder takes, each file once; 0 where there is none. Raises OSError."""
    tally = _Tally()
    tally.add(folder)
    return tally.total()


class _Tally:
    """Files and folders that were seen, each once, with its size and how many names it has."""

    def __init__(self) -> None:
        self._seen: dict[_File, tuple[int, int]] = {}

    def add(self, path: Path) -> Counter[_File]:
        """Note what a folder holds, and itself; how often it has each. No link is followed."""
        return self._count(_walk(str(path)))

    def add_files(self, folder: Path, names: Collection[str]) -> Counter[_File]:
        """Note those of a folder's files that have these names."""
        return self._count(_stats(folder / name for name in names))

    def size(self, files: Counter[_File]) -> int:
        """The size of some files, each once."""
        return sum(self._seen[file][0] for file in files)

    def total(self) -> int:
        """The size of all that was noted."""
        return sum(size for size, _ in self._seen.values())

    def freed(self, parts: Iterable[Counter[_File]]) -> int:
        """What removing parts frees: the size of what has no other name anywhere."""
        names: Counter[_File] = Counter()
        for part in parts:
            names.update(part)
        return sum(
            self._seen[file][0] for file, count in names.items() if count >= self._seen[file][1]
        )

    def _count(self, found: Iterable[os.stat_result]) -> Counter[_File]:
        counted: Counter[_File] = Counter()
        for status in found:
            file = status.st_dev, status.st_ino
            # A folder has one name, whatever its number of links says.
            names = 1 if (status.st_mode & 0o170000) == 0o040000 else status.st_nlink
            self._seen[file] = status.st_blocks * _BLOCK_BYTES, names
            counted[file] += 1
        return counted


def _walk(path: str) -> Iterator[os.stat_result]:
    """The status of a path and of all below it; what is removed meanwhile is left out."""
    waiting = [path]
    with suppress(FileNotFoundError):
        yield os.lstat(path)
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in entries:
            with suppress(FileNotFoundError):
                yield entry.stat(follow_symlinks=False)
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)


def _stats(paths: Iterable[Path]) -> Iterator[os.stat_result]:
    for path in paths:
        with suppress(FileNotFoundError):
            yield path.lstat()
