"""Temporary paths that are used without the app's lock."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from robbieblocks.release.files import disk


class TemporaryPaths:
    """The temporary paths that threads of this process use without holding the app's lock."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    @contextlib.contextmanager
    def reserve(self, parent: Path, stem: str) -> Iterator[Path]:
        """A temporary path that sweeps of this process leave alone until the block ends.

        What is there in the end is removed, where that can be done.
        """
        path = parent / disk.temporary_name(stem)
        self._names.add(path.name)
        try:
            yield path
        finally:
            with contextlib.suppress(OSError):
                disk.remove_tree(path)
            self._names.discard(path.name)

    def is_reserved(self, name: str) -> bool:
        """Whether a thread of this process uses a path of this name now."""
        return name in self._names
