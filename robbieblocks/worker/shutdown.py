"""Stopping on SIGTERM and SIGINT, in three steps.

1. The first signal sets `stopped`. The running build may finish within the grace time.
2. After the grace time, or on a second signal, `ForcedStop` is raised in the main thread. The build
   ends: its child processes are killed, its row is closed as failed, and what was live stays live.
3. If the process still runs `EXIT_AFTER_S` later, it exits with `EXIT_CODE`. Its children end with
   it (`process.die_with_parent`), and the next worker closes the row.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final

EXIT_AFTER_S = 10.0
EXIT_CODE: Final = 70
_JOIN_S: Final = 1.0


class ForcedStop(KeyboardInterrupt):
    """The main thread must stop now.

    It is no Exception, so that no error handler catches it, and a KeyboardInterrupt, so that
    psycopg cancels a query that it interrupts.
    """


@dataclass(slots=True)
class Shutdown:
    """Sets `stopped`, and `wake` to end the loop's wait, after the first signal.

    A signal handler runs in the main thread, between any two instructions: it must not take a lock
    that this thread may hold, and Event.set takes one. So the handlers write to a pipe, and a
    thread sets the events.
    """

    stopped: threading.Event
    wake: threading.Event
    grace_s: float
    _requested: bool = False
    _forced: bool = False

    @contextmanager
    def signals(self) -> Generator[None, None, None]:
        """Handle SIGTERM and SIGINT within the block. Only for the main thread."""
        readable, writable = os.pipe()
        os.set_blocking(writable, False)

        def request(_number: int, _frame: FrameType | None) -> None:
            if self._requested:
                self._force()
            self._requested = True
            with suppress(OSError):
                os.write(writable, b"!")
            signal.setitimer(signal.ITIMER_REAL, self.grace_s)

        def grace_over(_number: int, _frame: FrameType | None) -> None:
            self._force()

        handlers = {signal.SIGTERM: request, signal.SIGINT: request, signal.SIGALRM: grace_over}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        watcher = threading.Thread(
            target=self._watch, args=(readable,), name="shutdown", daemon=True
        )
        watcher.start()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(writable)
            watcher.join(_JOIN_S)

    def _force(self) -> None:
        if not self._forced:
            self._forced = True
            raise ForcedStop

    def _watch(self, readable: int) -> None:
        """Set the events after a signal; exit if the block is not left in time after it."""
        received = os.read(readable, 1)
        self.stopped.set()
        self.wake.set()
        deadline = time.monotonic() + self.grace_s + EXIT_AFTER_S
        while received and time.monotonic() < deadline:
            # An empty read: the other end is closed, so the block was left.
            if select.select([readable], [], [], deadline - time.monotonic())[0]:
                received = os.read(readable, 64)
        os.close(readable)
        if received:
            os._exit(EXIT_CODE)
