"""Ending well: SIGTERM and SIGINT let the running build finish, for a while.

After the grace the build is cut short by an exception in the main thread: its children are killed,
its row is closed as failed, and what was live stays live. If even that hangs, the process ends
itself; children go with it (process.py), and the row is closed by the next worker.
"""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

LAST_RESORT = 10.0
KILLED = 70


class ForcedStop(KeyboardInterrupt):
    """The grace is over.

    No Exception, so nothing that handles errors swallows it; a KeyboardInterrupt, so psycopg
    cancels a query that it interrupts.
    """


@dataclass(slots=True)
class Shutdown:
    """`stopped` is set by the first signal, and `wake` with it, so that nobody sleeps on.

    The handlers take no lock, because the main thread may hold the very one: they write to a pipe,
    and a thread sets the events.
    """

    stopped: threading.Event
    wake: threading.Event
    grace: float
    _asked_once: bool = False
    _over: bool = False

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT inside the block; for the main thread."""
        readable, writable = os.pipe()
        os.set_blocking(writable, False)

        def asked(_number: int, _frame: FrameType | None) -> None:
            if self._asked_once:
                # Asked twice: somebody does not want to wait.
                late(_number, _frame)
            self._asked_once = True
            with suppress(OSError):
                os.write(writable, b"!")
            signal.setitimer(signal.ITIMER_REAL, self.grace)

        def late(_number: int, _frame: FrameType | None) -> None:
            if not self._over:
                self._over = True
                raise ForcedStop

        handlers = {signal.SIGTERM: asked, signal.SIGINT: asked, signal.SIGALRM: late}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        watcher = threading.Thread(target=self._watch, args=(readable,), name="stop", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
            os.close(writable)
            watcher.join(1)

    def _watch(self, readable: int) -> None:
        asked = os.read(readable, 1)
        self.stopped.set()
        self.wake.set()
        deadline = time.monotonic() + self.grace + LAST_RESORT
        while asked and time.monotonic() < deadline:
            # Its end: the block is left, and with it the danger of hanging.
            if select.select([readable], [], [], deadline - time.monotonic())[0]:
                asked = os.read(readable, 64)
        os.close(readable)
        if asked:
            os._exit(KILLED)
