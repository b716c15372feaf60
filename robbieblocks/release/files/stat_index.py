"""The stat index of a release, `.seal`: size and time of each file, so that damage is found without
reading.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, Self

from robbieblocks.model import Manifest, Sha256
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.names import STAT_INDEX

_HASH_BYTES: Final = hashlib.sha256().digest_size
# Where a larger part of the files changes, making it anew is as quick.
_ALTERED_PART: Final = 8


@dataclass(frozen=True, slots=True)
class StatIndex:
    """Size and time of files. `paths` are sorted; `numbers` has both of the first, and so on."""

    paths: Sequence[str] = ()
    numbers: array[int] = field(default_factory=lambda: array("q"))

    @classmethod
    def of(cls, stats: Mapping[str, FileStat]) -> Self:
        """The index of these files."""
        paths = sorted(stats)
        return cls(paths, array("q", chain.from_iterable(map(stats.__getitem__, paths))))

    @classmethod
    def read(cls, folder: Path, manifest: Manifest) -> Self | None:
        """The index in a folder; None where it is missing or another manifest's."""
        try:
            with disk.folder(folder) as fd:
                content = disk.read_file(STAT_INDEX, dir_fd=fd)
        except OSError:
            return None
        numbers = array("q")
        size = _HASH_BYTES + 2 * numbers.itemsize * len(manifest.files)
        if content[:_HASH_BYTES] != bytes.fromhex(manifest.build_hash) or len(content) != size:
            return None
        numbers.frombytes(memoryview(content)[_HASH_BYTES:])
        return cls(manifest.paths, numbers)

    def dump(self, build_hash: Sha256) -> bytes:
        """The bytes of the index of that release's folder: the build hash, then the numbers."""
        return bytes.fromhex(build_hash) + self.numbers.tobytes()

    def get(self, path: str) -> FileStat | None:
        """The stat of a file, where it is there."""
        place = bisect_left(self.paths, path)
        if place == len(self.paths) or self.paths[place] != path:
            return None
        return self.numbers[2 * place], self.numbers[2 * place + 1]

    def by_path(self) -> dict[str, FileStat]:
        """All stats, where many are asked for."""
        pairs = zip(self.numbers[::2], self.numbers[1::2], strict=True)
        return dict(zip(self.paths, pairs, strict=True))

    def followed_by(self, paths: Sequence[str], changes: Mapping[str, FileStat]) -> StatIndex:
        """The index of these paths, which are sorted: with the changes, and else as it is here.

        Raises KeyError for a path that neither has.
        """
        new = [path for path in changes if self.get(path) is None] if self.paths else [*changes]
        left = len(self.paths) + len(new) - len(paths)
        if (len(changes) + left) * _ALTERED_PART > len(paths):
            known = {**self.by_path(), **changes}
            return StatIndex.of({path: known[path] for path in paths})
        places, numbers = list(self.paths), self.numbers[:]
        for path in {*places}.difference(paths) if left else ():
            place = bisect_left(places, path)
            del places[place], numbers[2 * place : 2 * place + 2]
        for path in new:
            place = bisect_left(places, path)
            places.insert(place, path)
            numbers[2 * place : 2 * place] = array("q", (0, 0))
        for path, stat in changes.items():
            place = bisect_left(places, path)
            numbers[2 * place], numbers[2 * place + 1] = stat
        if places != paths:
            raise KeyError("the stat index lacks a file")
        return StatIndex(paths, numbers)
