"""What lies in folders: each file's number, size and time, to compare with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from watchfiles import Change, DefaultFilter

_is_wanted: Final = DefaultFilter()
_Stamp = tuple[int, int, int]


class Listing:
    """The files below folders as they were last looked at.

    Left out is what a watch leaves out: editors' own files, `.git`, `node_modules`. What can't be
    looked at counts as not there.
    """

    def __init__(self, folders: Iterable[Path]) -> None:
        self._folders = tuple(folders)
        self._known = self._look()

    def note(self, paths: Iterable[Path]) -> None:
        """Remember files as they are now, so that they count as changed no more."""
        for path in paths:
            stamp = _stamp_of(path)
            if stamp is None:
                self._known.pop(str(path), None)
            else:
                self._known[str(path)] = stamp

    def changed(self) -> set[Path]:
        """The files that came, went or were written since they were last looked at."""
        before, self._known = self._known, self._look()
        return {Path(path) for path, _ in before.items() ^ self._known.items()}

    def _look(self) -> dict[str, _Stamp]:
        return {path: stamp for folder in self._folders for path, stamp in _below(str(folder))}


def _below(folder: str) -> Iterator[tuple[str, _Stamp]]:
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError:
        return
    for entry in entries:
        if not _is_wanted(Change.modified, entry.path):
            continue
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            elif entry.is_file():
                yield entry.path, _stamp(entry.stat())
        except OSError:
            # It went meanwhile.
            continue


def _stamp_of(path: Path) -> _Stamp | None:
    try:
        return _stamp(path.stat()) if path.is_file() else None
    except OSError:
        return None


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns
