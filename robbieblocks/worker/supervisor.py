"""The supervisor: a thread that watches the others about once a second."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Final

from robbieblocks.worker.connections import QueryWatchdog
from robbieblocks.worker.health import Reported
from robbieblocks.worker.looking import looking
from robbieblocks.worker.systemd import Notifier

_INTERVAL_S: Final = 1.0
# systemd restarts the worker after one missed interval; a third of it leaves room for delays.
_SIGNS_PER_WATCHDOG: Final = 3


@contextmanager
def supervised(
    watchdog: QueryWatchdog, health: Reported, notifier: Notifier
) -> Generator[None, None, None]:
    """Within the block, a thread ends hanging queries, and tells systemd of progress there is."""
    with looking("supervisor", partial(_supervise, watchdog, health, notifier)):
        yield


def _supervise(
    watchdog: QueryWatchdog, health: Reported, notifier: Notifier, ended: threading.Event
) -> None:
    watchdog_s = notifier.watchdog_s
    sign_every_s = watchdog_s / _SIGNS_PER_WATCHDOG if watchdog_s else None
    signed_at = 0.0
    status = ""
    while not ended.wait(min(_INTERVAL_S, sign_every_s or _INTERVAL_S)):
        watchdog.check()
        stuck = health.stuck
        now = time.monotonic()
        if sign_every_s and not stuck and now - signed_at >= sign_every_s:
            notifier.send("WATCHDOG=1")
            signed_at = now
        current = stuck or health.unready or "up to date"
        if current != status:
            notifier.send(f"STATUS={health.node}: {current}")
            status = current
