"""Compares the files of a release's folder with its manifest, and with its stat index.

The stat index, `.seal`, holds size and time of each file, so that damage is found without reading.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.names import STAT_INDEX, folders_of


def whole_files(
    folder: Path,
    manifest: Manifest,
    paths: Collection[str],
    *,
    given: Collection[str] = (),
    trust_stats: bool = True,
    check_parents: bool = True,
) -> dict[str, FileStat]:
    """The stats of those `paths` of a release whose files are what its manifest says.

    With `trust_stats`, a file whose size and time are those of the stat index counts as whole and
    is not read. Files that are `given` anew are always read, because they may be given to replace a
    damaged copy. `check_parents` may be False where no parent folder is a symlink. Raises OSError
    where there are paths, and the folder can't be opened.
    """
    if not paths:
        return {}
    indexed = read_stat_index(folder, manifest) if trust_stats else {}
    whole: dict[str, FileStat] = {}
    with disk.folder(folder) as fd:
        outside = _prefixes_outside(paths, fd) if check_parents else ()
        for path in paths:
            stat = None if path.startswith(outside) else disk.stat_of(path, dir_fd=fd)
            if stat is not None and (
                (indexed.get(path) == stat and path not in given)
                or disk.hash_of(path, dir_fd=fd) == manifest.files[path]
            ):
                whole[path] = stat
    return whole


def dump_stat_index(manifest: Manifest, stats: Mapping[str, FileStat]) -> bytes:
    """The bytes of a stat index: the build hash, then size and time of each file by sorted path."""
    numbers = array("q", [number for path in manifest.paths for number in stats[path]])
    return bytes.fromhex(manifest.build_hash) + numbers.tobytes()


def read_stat_index(folder: Path, manifest: Manifest) -> dict[str, FileStat]:
    """The recorded stats by path; empty where the index is missing or another manifest's."""
    try:
        with disk.folder(folder) as fd:
            content = disk.read_file(STAT_INDEX, dir_fd=fd)
    except OSError:
        return {}
    hash_size = hashlib.sha256().digest_size
    numbers = array("q")
    size = 2 * numbers.itemsize * len(manifest.files)
    if content[:hash_size] != bytes.fromhex(manifest.build_hash):
        return {}
    if len(content) != hash_size + size:
        return {}
    numbers.frombytes(content[hash_size:])
    return dict(zip(manifest.paths, zip(numbers[::2], numbers[1::2], strict=True), strict=True))


def _prefixes_outside(paths: Iterable[str], fd: int) -> tuple[str, ...]:
    """How paths begin whose parent is no folder: a symlink there leads out of the release."""
    return tuple(path + "/" for path in folders_of(paths) if not disk.is_folder(path, dir_fd=fd))
