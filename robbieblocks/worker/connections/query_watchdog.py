"""Against a server that is there and does not answer.

A frozen backend (SIGSTOP, a hung disk) keeps its socket open, so keepalives find nothing and a
query waits for ever. The guard shuts the socket of a query that takes too long; whoever waits
for it then gets DatabaseUnavailable and connects again.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg
from psycopg import Connection
from psycopg.pq import TransactionStatus


@dataclass(slots=True)
class QueryWatchdog:
    """Watches connections while they wait for an answer; `tick` is called about once a second."""

    longest: float
    shut: Callable[[str], None]
    monotonic: Callable[[], float] = time.monotonic
    _busy_since: dict[str, float] = field(default_factory=dict)
    _watched: dict[str, Connection] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def watch(self, name: str, connection: Connection) -> None:
        """Watch a connection in place of the one that had this name."""
        with self._lock:
            self._watched[name] = connection
            self._busy_since.pop(name, None)

    def tick(self) -> None:
        """Shut every connection that has been busy for too long."""
        now = self.monotonic()
        with self._lock:
            for name, connection in self._watched.items():
                if not _is_busy(connection):
                    self._busy_since.pop(name, None)
                elif now - self._busy_since.setdefault(name, now) > self.longest:
                    del self._busy_since[name]
                    _shut(connection)
                    self.shut(name)


def _is_busy(connection: Connection) -> bool:
    with suppress(psycopg.Error):
        return connection.info.transaction_status is TransactionStatus.ACTIVE
    return False


def _shut(connection: Connection) -> None:
    # Another thread waits in poll() on this descriptor, so it is not closed under it, only ended.
    with suppress(OSError, psycopg.Error):
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as end:
            end.shutdown(socket.SHUT_RDWR)
