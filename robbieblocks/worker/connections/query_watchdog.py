"""Ends database queries that get no answer.

A server process that is stopped (SIGSTOP) or waits for a hung disk keeps its socket open. TCP
keepalive finds nothing wrong, and the client would wait for ever. The query watchdog shuts down the
socket of such a query; the waiting thread then gets DatabaseUnavailable and connects again.

Over a slow line a question or an answer may be under way for longer. While bytes of it pass,
nothing is ended: the next try would take as long. So would one that has much to do, as comparing
millions of rows: where `longest_s` allows it, the next try has twice the time, until no query has
needed that for `calm_s`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus

from robbieblocks import database
from robbieblocks.worker.log import Log


@dataclass(slots=True)
class QueryWatchdog:
    """Shuts down connections whose query has run for more than `timeout_s` seconds without a byte.

    After each that it shuts down the next ones under the same name have twice the time, up to
    `longest_s`. Once `calm_s` have passed in which none took more than `timeout_s`, they have that
    again.

    `check` is called about once a second, by the supervisor's thread. It calls `moved` where bytes
    have passed since the last time, and while a query has more time than usual.
    """

    timeout_s: float
    log: Log
    monotonic: Callable[[], float] = time.monotonic
    moved: Callable[[], None] = lambda: None
    longest_s: float = 0.0
    calm_s: float = float("inf")
    # Since when nothing has passed, and how many bytes had passed then.
    _idle_since: dict[str, tuple[float, int]] = field(default_factory=dict[str, tuple[float, int]])
    _allowed_s: dict[str, float] = field(default_factory=dict[str, float])
    # When a query was last seen that had taken more than the usual time.
    _slow_at: dict[str, float] = field(default_factory=dict[str, float])
    _watched: dict[str, Connection] = field(default_factory=dict[str, Connection])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, name: str, connection: Connection) -> None:
        """Watch a connection; it replaces the one that was watched under this name."""
        with self._lock:
            self._watched[name] = connection
            self._idle_since.pop(name, None)

    def check(self) -> None:
        """Shut down every connection that has waited for too long."""
        now = self.monotonic()
        with self._lock:
            for name, connection in self._watched.items():
                if not _is_busy(connection):
                    self._idle_since.pop(name, None)
                    continue
                bytes_ = database.bytes_moved(connection)
                since, before = self._idle_since.setdefault(name, (now, bytes_))
                if bytes_ != before:
                    self._idle_since[name] = now, bytes_
                    self.moved()
                    continue
                if now - since > self.timeout_s:
                    self._slow_at[name] = now
                allowed_s = self._allowed(name, now)
                if now - since > allowed_s:
                    del self._idle_since[name]
                    database.shut_down(connection)
                    self._allowed_s[name] = max(allowed_s, min(allowed_s * 2, self.longest_s))
                    self.log.warning(
                        "database.unresponsive",
                        connection=name,
                        why=f"no answer for {allowed_s:g} s: connecting again",
                    )
                elif allowed_s > self.timeout_s:
                    self.moved()

    def _allowed(self, name: str, now: float) -> float:
        if now - self._slow_at.get(name, now) > self.calm_s:
            self._allowed_s.pop(name, None)
        return self._allowed_s.get(name, self.timeout_s)


def _is_busy(connection: Connection) -> bool:
    with suppress(psycopg.Error):
        return connection.info.transaction_status is TransactionStatus.ACTIVE
    return False
