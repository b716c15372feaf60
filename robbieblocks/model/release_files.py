"""The files of a release: the hash of each, and the hash of all."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple
from weakref import ref

from robbieblocks.model.values import Sha256, changed_between, same, sha256

# Where a larger part of the files changes, making everything anew is as quick.
_ALTERED_PART: Final = 8


class _Origin(NamedTuple):
    """Of which files others were made, as long as these are there, and by which paths."""

    files: ref[ReleaseFiles]
    changed: Set[str]


@dataclass(frozen=True)
class ReleaseFiles:
    """The SHA-256 of each file's bytes by release path.

    What follows an edit is made of them by `altered`: then the lines of files that stay are the
    same objects, by which `differing` finds the others without a look at each.
    """

    hashes: Mapping[str, Sha256]
    _origin: _Origin | None = field(default=None, compare=False, repr=False)

    @cached_property
    def paths(self) -> list[str]:
        """The paths of the files, sorted. Sorting what is in order already takes no time."""
        return sorted(self.hashes)

    @cached_property
    def lines(self) -> list[str]:
        """What the build hash is taken of, for each path: `<hash>  <path>` and a line feed."""
        hashes = self.hashes
        return [f"{hashes[path]}  {path}\n" for path in self.paths]

    @cached_property
    def build_hash(self) -> Sha256:
        """SHA-256 over the sorted paths and hashes."""
        return sha256("".join(self.lines))

    def hash_without(self, path: str) -> Sha256:
        """As `build_hash`, as if there were no such file."""
        if path not in self.hashes:
            return self.build_hash
        place = bisect_left(self.paths, path)
        return sha256("".join([*self.lines[:place], *self.lines[place + 1 :]]))

    def differing(self, other: ReleaseFiles) -> set[str]:
        """The paths of files that one of both lacks, or that differ."""
        found = self._changed_since(other)
        if found is None:
            found = other._changed_since(self)
        if found is None:
            lines = (line for part in changed_between(self.lines, other.lines) for line in part)
            found = {line.partition("  ")[2][:-1] for line in lines}
        return {path for path in found if self.hashes.get(path) != other.hashes.get(path)}

    def _changed_since(self, other: ReleaseFiles) -> Set[str] | None:
        """The paths that changed on the way from others to these; None where that is not known."""
        found: set[str] = set()
        files: ReleaseFiles | None = self
        while files is not None and not same(files, other):
            origin = files._origin
            if origin is None:
                return None
            files = origin.files()
            found |= origin.changed
        return None if files is None else found

    def altered(self, changes: Mapping[str, Sha256 | None]) -> ReleaseFiles:
        """These with other hashes of some paths; None where a file is gone."""
        hashes = dict(self.hashes)
        for path, digest in changes.items():
            if digest is None:
                hashes.pop(path, None)
            else:
                hashes[path] = digest
        made = ReleaseFiles(hashes, _Origin(ref(self), changes.keys()))
        if len(changes) * _ALTERED_PART > len(hashes):
            return made
        paths, lines = self.paths.copy(), self.lines.copy()
        for path, digest in changes.items():
            place = bisect_left(paths, path)
            is_there = place < len(paths) and paths[place] == path
            if digest is None:
                if is_there:
                    del paths[place], lines[place]
                continue
            if not is_there:
                paths.insert(place, path)
                lines.insert(place, "")
            line = f"{digest}  {path}\n"
            if lines[place] != line:
                lines[place] = line
        vars(made).update(paths=paths, lines=lines)
        return made
