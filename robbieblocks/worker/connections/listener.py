"""The listener: a thread that receives notifications and wakes the loop.

It has two connections. "listener" executes LISTEN and is used for nothing else. "ping" sends a
notification to this process every few seconds: when it does not come back, notifications don't
arrive (the server hangs, or a pooler drops them), and both connections are opened again. "ping"
sends the heartbeats, too. No other thread uses either connection.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from psycopg import Connection

from robbieblocks import changes, database, record
from robbieblocks.errors import DatabaseUnavailable, Permanent, RobbieBlocksError, Transient
from robbieblocks.worker.connections.retry import connect_with_retry
from robbieblocks.worker.log import Log
from robbieblocks.worker.timing import Timing

# The longest wait for a notification: pings, heartbeats and `stopped` are checked after it.
_WAIT_MAX_S = 1.0


@dataclass(slots=True)
class Liveness:
    """Whether notifications arrive. Only the listener's thread writes it.

    `live` is True from the return of a ping until one is missed. `last_ping_at` is when a ping last
    came back (monotonic clock).
    """

    live: bool = False
    last_ping_at: float | None = None


@dataclass(frozen=True, slots=True)
class _Ping:
    nonce: str
    sent_at: float


@dataclass(frozen=True, slots=True)
class _Connections:
    listener: Connection
    ping: Connection

    def close(self) -> None:
        for connection in (self.listener, self.ping):
            _close(connection)


@dataclass(slots=True, kw_only=True)
class Listener:
    """Sets `wake` on every notification, and whenever one may have been missed.

    `open_connection` opens a connection under a name.
    """

    open_connection: Callable[[str], Connection]
    liveness: Liveness
    wake: threading.Event
    stopped: threading.Event
    timing: Timing
    log: Log
    reconnects: int = 0
    _connections: _Connections | None = None
    _thread: threading.Thread | None = None
    _ping: _Ping | None = None
    _next_ping_at: float = 0.0
    _next_heartbeat_at: float = 0.0
    _loss_logged: bool = False

    def start(self) -> None:
        """Connect and listen, then go on in a thread. Raises DatabaseUnavailable or UsageError."""
        self._connections = self._connect()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the thread to end, after `stopped` was set."""
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _connect(self) -> _Connections:
        listener = self.open_connection("listener")
        try:
            changes.listen(listener)
            ping = self.open_connection("ping")
        except BaseException:
            _close(listener)
            raise
        self._ping = None
        self._next_ping_at = 0.0
        # Only now: the loop reads the queue after LISTEN took effect, and finds what was committed
        # while nobody listened.
        self.wake.set()
        return _Connections(listener, ping)

    def _run(self) -> None:
        while not self.stopped.is_set():
            try:
                if self._connections is None:
                    self._connections = self._reconnect()
                self._listen(self._connections)
            except RobbieBlocksError as error:
                self._connection_lost(error)
            except Exception as error:
                # A bug here must not leave a worker that counts on notifications and gets none.
                self.log.exception("listener.broken")
                self._connection_lost(error)
        self._close()

    def _reconnect(self) -> _Connections:
        connections = connect_with_retry(
            self._connect,
            max_pause_s=self.timing.reconnect_max_s,
            pause=self.stopped.wait,
            stopped=self.stopped.is_set,
            on_failure=self._connect_failed,
        )
        self.reconnects += 1
        return connections

    def _connect_failed(self, error: Transient, attempt: int) -> None:
        if attempt == 1:
            self.log.warning("listener.unreachable", error=str(error))

    def _connection_lost(self, error: Exception) -> None:
        if self.stopped.is_set():
            return
        if not self._loss_logged:
            self.log.warning("listener.lost", error=str(error))
        self._loss_logged = True
        self.liveness.live = False
        self._close()
        # The loop may be in its long wait; without a listener it polls more often.
        self.wake.set()
        self.stopped.wait(min(_WAIT_MAX_S, self.timing.poll_without_listener_s))

    def _listen(self, connections: _Connections) -> None:
        while not self.stopped.is_set():
            now = time.monotonic()
            if self._ping is not None and now - self._ping.sent_at > self.timing.ping_timeout_s:
                raise DatabaseUnavailable(
                    f"no notification arrived within {self.timing.ping_timeout_s:g} s: "
                    "the server does not answer, or a pooler in between does not support LISTEN"
                )
            if now >= self._next_heartbeat_at:
                self._next_heartbeat_at = now + self.timing.heartbeat_interval_s
                # Without the right to write nothing is built either, and the loop reports it.
                with contextlib.suppress(Permanent):
                    self._send_heartbeat(connections.ping)
            if self._ping is None and now >= self._next_ping_at:
                self._send_ping(connections.ping, now)
            self._receive(connections.listener)

    def _send_heartbeat(self, connection: Connection) -> None:
        """Date this process' unfinished runs, and close those of workers that died.

        A run of any node counts as dead when it had no heartbeat for `lease_s` seconds and its
        lease is free.
        """
        record.heartbeats(connection)
        if database.is_pooled(connection):
            # Leases are session locks, which a pooler breaks. Each node's own worker closes its
            # runs.
            return
        closed = record.close_abandoned(connection, self.timing.lease_s)
        if closed:
            self.log.warning("runs.closed", count=closed, why="no heartbeat from their workers")

    def _send_ping(self, connection: Connection, now: float) -> None:
        self._ping = _Ping(uuid4().hex, now)
        self._next_ping_at = now + self.timing.ping_interval_s
        changes.ping(connection, self._ping.nonce)

    def _receive(self, connection: Connection) -> None:
        timeout_s = min(_WAIT_MAX_S, self.timing.ping_timeout_s)
        for channel, payload in changes.receive(connection, timeout_s):
            if channel == changes.CHANNEL:
                self.wake.set()
            elif self._ping is not None and payload == self._ping.nonce:
                self._ping_returned()

    def _ping_returned(self) -> None:
        self._ping = None
        self.liveness.last_ping_at = time.monotonic()
        if not self.liveness.live:
            self.liveness.live = True
            self._loss_logged = False
            self.log.info("listener.live")

    def _close(self) -> None:
        if self._connections is not None:
            self._connections.close()
            self._connections = None


def _close(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        connection.close()
