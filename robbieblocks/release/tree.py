"""The folder of a release: made afresh, or out of another's by altering what differs.

No file is ever written over: releases share files by hard links. A file that differs makes way and
another takes its place, in folders that stay.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from robbieblocks.model import Manifest, Sha256
from robbieblocks.release import disk
from robbieblocks.release.disk import Stamp
from robbieblocks.release.layout import MANIFEST, RESERVED, SEAL, check_path, folders_of
from robbieblocks.release.trust import Trust
from robbieblocks.release.verify import inspect, read_seal, remember, seal_of


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes a folder ready to be filled: files that go, folders that go and come, in order.

    `kept` are the files that are as they are wanted, by their stamps.
    """

    kept: Mapping[str, Stamp] = field(default_factory=dict)
    unlink: tuple[str, ...] = ()
    rmdir: tuple[str, ...] = ()
    mkdir: tuple[str, ...] = ()

    def is_none(self, wanted: Collection[str]) -> bool:
        """Whether the folder holds the wanted files and nothing else."""
        return len(self.kept) == len(wanted) and not (self.unlink or self.rmdir or self.mkdir)


@dataclass(slots=True)
class Plan:
    """Where each missing file comes from: a folder to link it from, or the contents."""

    links: dict[Path, Mapping[str, Stamp]] = field(default_factory=dict)
    write: list[str] = field(default_factory=list)


def nothing_yet(wanted: Manifest) -> Difference:
    """What an empty folder lacks."""
    return Difference(mkdir=tuple(folders_of(wanted.files)))


def compare(
    folder: Path,
    known: Manifest,
    wanted: Mapping[str, Sha256],
    *,
    given: Collection[str] = (),
    trust: Trust = Trust.NOTHING,
) -> Difference:
    """Compare a folder, which should hold the release of `known`, with the files that are wanted.

    Those that are `given` are read; the stamps of the others must be the sealed ones, and the
    folders are looked through for what no manifest names: `trust` says what of that need not be
    done. Raises OSError.
    """
    files: Collection[str] = known.files
    folders: set[str] | None = None
    if trust is Trust.NOTHING:
        files, folders = _listing(folder)
    same = [
        path for path, digest in wanted.items() if known.files.get(path) == digest and path in files
    ]
    others = [path for path in same if path not in given]
    if trust is Trust.ALL:
        seal = read_seal(folder, known)
        kept = {path: seal[path] for path in others if path in seal}
    else:
        kept = _whole(folder, known, others, trust_seal=True)
    kept |= _whole(folder, known, [path for path in same if path in given], trust_seal=False)
    rmdir: set[str] = set()
    mkdir: set[str] = set()
    if folders is not None or wanted.keys() != known.files.keys():
        has = set(folders_of(known.files)) if folders is None else folders
        needed = set(folders_of(wanted))
        rmdir, mkdir = has - needed, needed - has
    unlink = [path for path in files if path not in kept]
    if trust is not Trust.NOTHING:
        touched = [*unlink, *(path for path in wanted if path not in kept)]
        if not _leads_nowhere_else(folder, touched, mkdir):
            return compare(folder, known, wanted, given=given)
    return Difference(kept, tuple(unlink), tuple(sorted(rmdir, reverse=True)), tuple(sorted(mkdir)))


def _leads_nowhere_else(folder: Path, paths: list[str], mkdir: Collection[str]) -> bool:
    """Whether what is altered without a listing lies in the folder: all on the way are folders."""
    with disk.folder(folder) as fd:
        return all(map(check_path, paths)) and all(
            parent in mkdir or disk.is_folder(parent, dir_fd=fd) for parent in folders_of(paths)
        )


def _whole(
    folder: Path, known: Manifest, paths: list[str], *, trust_seal: bool
) -> dict[str, Stamp]:
    if not paths:
        return {}
    found = inspect(folder, known, paths=paths, trust_seal=trust_seal, plain=True)
    return dict(found.whole)


def _listing(folder: Path) -> tuple[set[str], set[str]]:
    """Every path in a release's folder but its reserved ones: what are folders, and what not."""
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


def clear(target: int, difference: Difference) -> None:
    """Remove what does not stay: first of all what says that this is a release, and whole."""
    for path in (*RESERVED, *difference.unlink):
        disk.unlink(path, dir_fd=target)
    for path in difference.rmdir:
        os.rmdir(path, dir_fd=target)


def fill(
    target: int,
    manifest: Manifest,
    manifest_json: bytes,
    difference: Difference,
    plan: Plan,
    contents: Mapping[str, bytes],
) -> None:
    """Make, link and write what is missing, then manifest and seal."""
    stamps = dict(difference.kept)
    for path in difference.mkdir:
        os.mkdir(path, dir_fd=target)
    for source, whole in plan.links.items():
        if not whole:
            continue
        with disk.folder(source) as source_fd:
            for path, stamp in whole.items():
                copied = disk.link_or_copy(path, source=source_fd, target=target)
                stamps[path] = copied or stamp
    for path in plan.write:
        stamps[path] = disk.write_new(path, contents[path], dir_fd=target)
    disk.write_new(MANIFEST, manifest_json, dir_fd=target)
    remember(manifest, dir_fd=target)
    disk.write_new(SEAL, seal_of(manifest, stamps), dir_fd=target)
