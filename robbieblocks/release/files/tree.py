"""The folder of a release: made from nothing, or from another release's folder.

No file is ever written over, since releases share files by hard links. A file that differs is
unlinked and another one takes its name; folders and unchanged files stay.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.checking.verification_cache import Trust
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.files.stat_index import StatIndex
from robbieblocks.release.names import (
    BASE,
    MANIFEST,
    RESERVED,
    STAT_INDEX,
    folders_of,
    is_folder_of,
    is_path,
)


@dataclass(frozen=True, slots=True)
class TreeDifference:
    """How a folder differs from the files that it should hold.

    `missing` are those that it lacks, or has wrong; `stats` has those of the others. `unlink`,
    `rmdir` and `mkdir` are what must be removed and made, in that order.
    """

    missing: tuple[str, ...] = ()
    stats: StatIndex = field(default_factory=StatIndex)
    unlink: tuple[str, ...] = ()
    rmdir: tuple[str, ...] = ()
    mkdir: tuple[str, ...] = ()

    @property
    def is_none(self) -> bool:
        """Whether the folder holds the wanted files and nothing else."""
        return not (self.missing or self.unlink or self.rmdir or self.mkdir)


def difference_of_nothing(wanted: Manifest) -> TreeDifference:
    """How an empty folder differs from a release."""
    return TreeDifference(missing=(*wanted.files,), mkdir=tuple(folders_of(wanted.files)))


def difference(
    folder: Path,
    known: Manifest,
    wanted: Manifest,
    *,
    given: Collection[str] = (),
    trust: Trust = Trust.NOTHING,
) -> TreeDifference:
    """Compare a folder, which should hold the release of `known`, with the files that are wanted.

    Files that are `given` anew are read and hashed, because they may be given to replace a damaged
    copy. Of the others, size and time must be those of the stat index, and the folder is listed to
    find names that no manifest has; `trust` says which of these checks may be left out. Raises
    OSError.
    """
    found = _known_difference(folder, known, wanted, given) if trust is Trust.ALL else None
    if found is None:
        found = _compared(folder, known, wanted, given, trust)
    if trust is not Trust.NOTHING and not _is_inside(
        folder, [*found.unlink, *found.missing], found.mkdir
    ):
        return difference(folder, known, wanted, given=given)
    return found


def _known_difference(
    folder: Path, known: Manifest, wanted: Manifest, given: Collection[str]
) -> TreeDifference | None:
    """The difference from a folder that holds what `known` says: nothing is looked at but what is
    given. None where there is no stat index.
    """
    stats = StatIndex.read(folder, known)
    if stats is None:
        return None
    differing = wanted.release_files.differing(known.release_files)
    again = [p for p in given if p in known.files and p in wanted.files and p not in differing]
    whole = whole_files(folder, known, again, given=given, trust_stats=False, check_parents=False)
    differing.update(path for path in again if path not in whole)
    stats = stats.followed_by(known.paths, whole) if whole else stats
    rmdir, mkdir = _folders(known, wanted, None)
    return TreeDifference(
        missing=tuple(sorted(path for path in differing if path in wanted.files)),
        stats=stats,
        unlink=tuple(sorted(path for path in differing if path in known.files)),
        rmdir=tuple(sorted(rmdir, reverse=True)),
        mkdir=tuple(sorted(mkdir)),
    )


def _compared(
    folder: Path, known: Manifest, wanted: Manifest, given: Collection[str], trust: Trust
) -> TreeDifference:
    """The difference, with a look at every file."""
    files: Collection[str] = known.files
    folders: set[str] | None = None
    if trust is Trust.NOTHING:
        files, folders = listing(folder)
    same = [
        path
        for path, digest in wanted.files.items()
        if known.files.get(path) == digest and path in files
    ]
    kept = whole_files(folder, known, same, given=given, check_parents=False)
    rmdir, mkdir = _folders(known, wanted, folders)
    return TreeDifference(
        missing=tuple([path for path in wanted.files if path not in kept]),
        stats=StatIndex.of(kept),
        unlink=tuple([path for path in files if path not in kept]),
        rmdir=tuple(sorted(rmdir, reverse=True)),
        mkdir=tuple(sorted(mkdir)),
    )


def _folders(
    known: Manifest, wanted: Manifest, there: Collection[str] | None
) -> tuple[set[str], set[str]]:
    """The folders to remove and to make; `there` are those that were listed, None for the known."""
    if there is not None:
        needed = set(folders_of(wanted.files))
        return set(there) - needed, needed - set(there)
    differing = wanted.release_files.differing(known.release_files)
    gone = [path for path in differing if path not in wanted.files]
    come = [path for path in differing if path not in known.files]
    return (
        {folder for folder in folders_of(gone) if not is_folder_of(folder, wanted.paths)},
        {folder for folder in folders_of(come) if not is_folder_of(folder, known.paths)},
    )


def clear(target: int, difference: TreeDifference) -> None:
    """Remove what is not kept; the files that mark a folder as a whole release go first."""
    for path in (*RESERVED, *difference.unlink):
        disk.unlink(path, dir_fd=target)
    for path in difference.rmdir:
        os.rmdir(path, dir_fd=target)


def fill(
    target: int,
    manifest: Manifest,
    manifest_json: bytes,
    base: bytes | Path | None,
    difference: TreeDifference,
    links: Mapping[Path, Mapping[str, FileStat]],
    contents: Mapping[str, bytes],
) -> list[str]:
    """Make, link and write what is missing, then the manifest and the stat index.

    `base` is what the manifest is told from, or the folder of a release that has it; None of one
    that is whole.

    `links` are the files to link, by the folder that has them; what is missing and not linked is
    written from the contents, each with the time that stands for its content. Returns the paths of
    those.
    """
    stats: dict[str, FileStat] = {}
    for path in difference.mkdir:
        os.mkdir(path, dir_fd=target)
    for source, whole in links.items():
        if not whole:
            continue
        with disk.folder(source) as source_fd:
            for path, stat in whole.items():
                modified_ns = disk.time_of(manifest.files[path])
                copied = disk.link_or_copy(
                    path, source=source_fd, target=target, modified_ns=modified_ns
                )
                stats[path] = copied or stat
    written = [path for path in difference.missing if path not in stats]
    for path in written:
        modified_ns = disk.time_of(manifest.files[path])
        stats[path] = disk.write_new(path, contents[path], dir_fd=target, modified_ns=modified_ns)
    if isinstance(base, bytes):
        disk.write_new(BASE, base, dir_fd=target)
    elif base is not None:
        with disk.folder(base) as source_fd:
            disk.link_or_copy(BASE, source=source_fd, target=target)
    disk.write_new(MANIFEST, manifest_json, dir_fd=target)
    index = difference.stats.followed_by(manifest.paths, stats)
    disk.write_new(STAT_INDEX, index.dump(manifest.build_hash), dir_fd=target)
    return written


def _is_inside(folder: Path, paths: list[str], mkdir: Collection[str]) -> bool:
    """Whether paths that were not listed lie in the folder: no parent of theirs is a symlink."""
    with disk.folder(folder) as fd:
        return all(map(is_path, paths)) and all(
            parent in mkdir or disk.is_folder(parent, dir_fd=fd) for parent in folders_of(paths)
        )


def listing(folder: Path) -> tuple[set[str], set[str]]:
    """Every path in a release's folder but the reserved ones: those of files, and of folders."""
    files: set[str] = set()
    folders: set[str] = set()
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        with os.scandir(f"{folder}/{prefix}") as entries:
            for entry in entries:
                path = prefix + entry.name
                if path in RESERVED:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    folders.add(path)
                    waiting.append(path + "/")
                else:
                    files.add(path)
    return files, folders
