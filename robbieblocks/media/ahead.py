"""Makes media before a page shows them: what was uploaded now is placed a moment later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from robbieblocks.model import MediaBytes, MediaRow
from robbieblocks.process import Child

# Their bytes are in memory until they are made.
AT_ONCE: Final = 8

Work = Callable[[Mapping[str, tuple[MediaRow, MediaBytes]], Callable[[Child], None]], None]
"""Makes rows, by key with their bytes or where these lie; tells of each child that it starts."""


class AheadThread:
    """A thread that makes a few rows at a time. `work` is what it calls; it raises nothing."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._thread: threading.Thread | None = None
        self._keys: frozenset[str] = frozenset()
        self._child: Child | None = None
        self._closing = False

    @property
    def busy(self) -> bool:
        """Whether it makes something."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, rows: Iterable[MediaRow], content: Callable[[str], MediaBytes]) -> None:
        """Begin to make the first of these rows, whose bytes are read now; one call at a time."""
        given: dict[str, tuple[MediaRow, MediaBytes]] = {}
        for row in rows:
            if len(given) == AT_ONCE:
                break
            try:
                given[row.key] = row, content(row.key)
            except KeyError:
                continue
        if given and not self._closing:
            self._keys = frozenset(given)
            self._thread = threading.Thread(
                target=self._work, args=(given, self._started), name="media"
            )
            self._thread.start()

    def wait_for(self, keys: Iterable[str]) -> bool:
        """Wait until none of these is being made; whether one was."""
        thread = self._thread
        if thread is None or self._keys.isdisjoint(keys):
            return False
        thread.join()
        return True

    def close(self) -> None:
        """End what is being made."""
        self._closing = True
        if self._child is not None:
            self._child.interrupt()
        if self._thread is not None:
            self._thread.join()

    def _started(self, child: Child) -> None:
        self._child = child
        if self._closing:
            child.interrupt()
