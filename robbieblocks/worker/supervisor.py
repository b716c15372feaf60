"""The supervisor: a thread that watches the others about once a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from robbieblocks.worker.connections import QueryWatchdog
from robbieblocks.worker.health import Health
from robbieblocks.worker.systemd import Notifier

_INTERVAL_S: Final = 1.0
_JOIN_S: Final = 5.0
# systemd restarts the worker after one missed interval; a third of it leaves room for delays.
_SIGNS_PER_WATCHDOG: Final = 3


@dataclass(slots=True)
class Supervisor:
    """Ends hanging queries, and tells systemd that the worker makes progress, while it does."""

    watchdog: QueryWatchdog
    health: Health
    notifier: Notifier

    @contextmanager
    def running(self) -> Generator[None, None, None]:
        """Run the thread within the block."""
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(ended,), name="supervisor", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join(_JOIN_S)

    def _run(self, ended: threading.Event) -> None:
        watchdog_s = self.notifier.watchdog_s
        sign_every_s = watchdog_s / _SIGNS_PER_WATCHDOG if watchdog_s else None
        signed_at = 0.0
        status = ""
        while not ended.wait(min(_INTERVAL_S, sign_every_s or _INTERVAL_S)):
            self.watchdog.check()
            stuck = self.health.stuck
            now = time.monotonic()
            if sign_every_s and not stuck and now - signed_at >= sign_every_s:
                self.notifier.send("WATCHDOG=1")
                signed_at = now
            current = stuck or self.health.unready or "up to date"
            if current != status:
                self.notifier.send(f"STATUS={self.health.node}: {current}")
                status = current
