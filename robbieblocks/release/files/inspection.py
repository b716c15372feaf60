"""Compares the files of a release's folder with its manifest, and with its stat index."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Final

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.files.stat_index import StatIndex
from robbieblocks.release.names import folders_of

# So many are looked up one by one.
_FEW: Final = 500


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
    indexed = _lookup(folder, manifest, len(paths)) if trust_stats else _nothing
    whole: dict[str, FileStat] = {}
    with disk.folder(folder) as fd:
        outside = _prefixes_outside(paths, fd) if check_parents else ()
        for path in paths:
            stat = None if path.startswith(outside) else disk.stat_of(path, dir_fd=fd)
            if stat is not None and (
                (indexed(path) == stat and path not in given)
                or disk.hash_of(path, dir_fd=fd) == manifest.files[path]
            ):
                whole[path] = stat
    return whole


def _lookup(folder: Path, manifest: Manifest, count: int) -> Callable[[str], FileStat | None]:
    """Gives the recorded stat of a file, for so many of them."""
    index = StatIndex.read(folder, manifest) or StatIndex()
    return index.get if count <= _FEW else index.by_path().get


def _nothing(_path: str) -> FileStat | None:
    return None


def _prefixes_outside(paths: Iterable[str], fd: int) -> tuple[str, ...]:
    """How paths begin whose parent is no folder: a symlink there leads out of the release."""
    return tuple(path + "/" for path in folders_of(paths) if not disk.is_folder(path, dir_fd=fd))
