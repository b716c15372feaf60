"""Compares the files of a release's folder with its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk, stat_index
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.names import folders_of


@dataclass(frozen=True, slots=True)
class Inspection:
    """The stats of the files that are whole, and the paths of those that are not."""

    whole: Mapping[str, FileStat]
    damaged: tuple[str, ...]


def inspect(
    folder: Path,
    manifest: Manifest,
    *,
    paths: Iterable[str] | None = None,
    trust_stats: bool = True,
    check_parents: bool = True,
) -> Inspection:
    """Compare a release's files (all, or `paths`) with the manifest.

    With `trust_stats`, a file whose size and time are those of the stat index counts as whole and
    is not read. `check_parents` may be False where no parent folder is a symlink. Raises OSError
    where the folder can't be opened.
    """
    chosen = manifest.files if paths is None else list(paths)
    indexed = stat_index.read(folder, manifest) if trust_stats else {}
    whole: dict[str, FileStat] = {}
    damaged: list[str] = []
    with disk.folder(folder) as fd:
        outside = _prefixes_outside(chosen, fd) if check_parents else ()
        for path in chosen:
            stat = None if path.startswith(outside) else disk.stat_of(path, dir_fd=fd)
            if stat is not None and (
                indexed.get(path) == stat or disk.hash_of(path, dir_fd=fd) == manifest.files[path]
            ):
                whole[path] = stat
            else:
                damaged.append(path)
    return Inspection(whole, tuple(damaged))


def _prefixes_outside(paths: Iterable[str], fd: int) -> tuple[str, ...]:
    """How paths begin whose parent is no folder: a symlink there leads out of the release."""
    return tuple(path + "/" for path in folders_of(paths) if not disk.is_folder(path, dir_fd=fd))
