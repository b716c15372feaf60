"""Programs that are costly to start and soon wanted again: kept for a while, then ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from robbieblocks.bundle.aside import aside
from robbieblocks.process import Child

_T = TypeVar("_T")


class Program:
    """A child process that is spoken with. Any failure ends it."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._busy: Future[Any] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can be asked, now or when it has answered what it was asked aside."""
        # Until then the child belongs to the thread that speaks with it.
        return (self._busy is not None and not self._busy.done()) or self._child.alive

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def close(self) -> None:
        """End it; what it was asked aside and has not answered fails."""
        if self._busy is not None and not self._busy.done():
            self._child.interrupt()
            wait([self._busy])
        self._child.close()

    def _aside(self, work: Callable[[], _T]) -> Future[_T]:
        """Begin to speak with it in a thread; nobody else does until that has ended."""
        self._busy = future = aside(work)
        return future


_P = TypeVar("_P", bound=Program)


class Kept(Generic[_P]):
    """A running program, lent to one user at a time; it ends when none came for `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._program: _P | None = None
        self._key = ""
        self._timer: threading.Timer | None = None

    @contextmanager
    def lent(self, key: str, start: Callable[[], _P]) -> Iterator[_P]:
        """The program of that key, started where it does not run.

        An error of its user ends it: what may be left half-said is no answer for the next.
        """
        with self._lock:
            self._cancel()
            program = self._program
            if program is None or self._key != key or not program.alive:
                self._end()
                program = self._program = start()
                self._key = key
            try:
                yield program
            except BaseException:
                self._end()
                raise
            self._timer = threading.Timer(self._seconds, self.end)
            self._timer.daemon = True
            self._timer.start()

    @property
    def running(self) -> _P | None:
        """The program that is kept now."""
        return self._program

    def end(self) -> None:
        """End what runs, once nobody uses it."""
        with self._lock:
            self._cancel()
            self._end()

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            program.close()
