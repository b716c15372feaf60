"""Keeps a child process that is slow to start running for a while after its last use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from robbieblocks.bundle.processes.background import in_background
from robbieblocks.process import Child

_T = TypeVar("_T")


class ChildProgram:
    """A child process that answers requests. Any failed request ends it."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._exchange: Future[Any] | None = None  # each request has a type of its own

    @property
    def alive(self) -> bool:
        """Whether it can take a request, now or after the one that runs in the background."""
        # During a background exchange the child belongs to the thread that talks to it.
        return self._exchanging or self._child.alive

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def close(self) -> None:
        """End the process; an unanswered request in the background fails."""
        if self._exchange is not None and self._exchanging:
            self._child.interrupt()
            wait([self._exchange])
        self._child.close()

    @property
    def _exchanging(self) -> bool:
        return self._exchange is not None and not self._exchange.done()

    def _in_background(self, exchange: Callable[[], _T]) -> Future[_T]:
        """Talk to the child in a background thread; nothing else may talk to it until that ends."""
        future = in_background(exchange)
        self._exchange = future
        return future


_P = TypeVar("_P", bound=ChildProgram)


class KeepAlive(Generic[_P]):
    """At most one running program, lent to one user at a time.

    It ends when nobody has used it for `idle_s` seconds.
    """

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._lock = threading.Lock()
        self._program: _P | None = None
        self._key = ""
        self._timer: threading.Timer | None = None

    @contextmanager
    def borrow(self, key: str, start: Callable[[], _P]) -> Generator[_P]:
        """The running program of that key; `start` makes one where there is none.

        An exception in the block ends the program: an answer that is still on its way must not be
        taken for the answer to the next request.
        """
        with self._lock:
            self._cancel_timer()
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
            self._timer = threading.Timer(self._idle_s, self.stop)
            self._timer.daemon = True
            self._timer.start()

    @property
    def running(self) -> _P | None:
        """The program that runs now, if any."""
        return self._program

    def stop(self) -> None:
        """End the program as soon as nobody uses it. The next `borrow` starts another."""
        with self._lock:
            self._cancel_timer()
            self._end()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        if self._program is not None:
            program, self._program = self._program, None
            program.close()
