"""The thread that listens: it wakes the loop, proves by canaries that it hears, and comes back.

It has two connections: one that listens and is used for nothing else, and one that sings canaries
and sends signs of life. Neither is ever used by another thread.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from psycopg import Connection

from robbieblocks import changes
from robbieblocks.errors import DatabaseUnavailable, Permanent, RobbieBlocksError, Transient
from robbieblocks.worker.connections.query_watchdog import QueryWatchdog
from robbieblocks.worker.connections.retry import connect_with_retry
from robbieblocks.worker.log import Log
from robbieblocks.worker.timing import Timing

_SLICE = 1.0


@dataclass(slots=True, kw_only=True)
class Listener:
    """Sets `wake` on every notification, and whenever some may have been missed.

    `connect` opens a connection under a name; `beat` sends signs of life over the second one.
    `heard_at` is when (monotonic) a canary last came back; `hearing` is False from a miss until the
    next one comes back.
    """

    connect: Callable[[str], Connection]
    beat: Callable[[Connection], None]
    wake: threading.Event
    stopped: threading.Event
    timing: Timing
    guard: QueryWatchdog
    log: Log
    hearing: bool = False
    heard_at: float | None = None
    reconnects: int = 0
    notifications: int = 0
    _connections: tuple[Connection, Connection] | None = None
    _thread: threading.Thread | None = None
    _sung: tuple[str, float] | None = None
    _next_canary: float = 0.0
    _next_beat: float = 0.0
    _was_deaf: bool = False

    def start(self) -> None:
        """Connect and listen, then go on in a thread. Raises DatabaseUnavailable or UsageError."""
        self._connections = self._open()
        self._thread = threading.Thread(target=self._run, name="ear", daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> None:
        """Wait for the thread after `stopped` was set."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _open(self) -> tuple[Connection, Connection]:
        ear = self.connect("ear")
        try:
            self.guard.watch("ear", ear)
            changes.listen(ear)
            voice = self.connect("voice")
        except BaseException:
            _close(ear)
            raise
        self.guard.watch("voice", voice)
        self._sung = None
        self._next_canary = 0.0
        # What was committed while nobody listened: LISTEN first, then look.
        self.wake.set()
        return ear, voice

    def _run(self) -> None:
        while not self.stopped.is_set():
            try:
                if self._connections is None:
                    self._connections = self._reach()
                self._listen(*self._connections)
            except RobbieBlocksError as error:
                self._lose(error)
            except Exception as error:
                # A fault of ours must not leave a worker that believes it hears.
                self.log.exception("listener.broken")
                self._lose(error)
        self._close()

    def _reach(self) -> tuple[Connection, Connection]:
        def failed(error: Transient, attempt: int) -> None:
            if attempt == 1:
                self.log.warning("listener.unreachable", error=str(error))

        found = connect_with_retry(
            self._open,
            longest=self.timing.reconnect_max_s,
            pause=self._pause,
            stopped=self.stopped.is_set,
            failed=failed,
        )
        self.reconnects += 1
        self.log.debug("listener.connected")
        return found

    def _pause(self, seconds: float) -> None:
        self.stopped.wait(seconds)

    def _lose(self, error: Exception) -> None:
        if self.stopped.is_set():
            return
        if self.hearing or not self._was_deaf:
            self.log.warning("listener.lost", error=str(error))
        self._was_deaf = True
        self.hearing = False
        self._close()
        # The loop may have slept on; without ears it looks more often.
        self.wake.set()
        self.stopped.wait(min(_SLICE, self.timing.poll_without_listener_s))

    def _listen(self, ear: Connection, voice: Connection) -> None:
        while not self.stopped.is_set():
            now = time.monotonic()
            if self._sung is not None and now - self._sung[1] > self.timing.ping_timeout_s:
                raise DatabaseUnavailable(
                    f"no notification came through within {self.timing.ping_timeout_s:g} s: "
                    "the server is frozen, or a pooler in between does not pass on LISTEN"
                )
            if now >= self._next_beat:
                self._next_beat = now + self.timing.heartbeat_interval_s
                self._live_sign(voice)
            if self._sung is None and now >= self._next_canary:
                self._sing(voice, now)
            self._hear(ear)

    def _live_sign(self, voice: Connection) -> None:
        try:
            self.beat(voice)
        except Permanent as error:
            # Without the right to write runs nothing is built either; that is for the loop to say.
            self.log.debug("listener.no_heartbeat", error=str(error))

    def _sing(self, voice: Connection, now: float) -> None:
        nonce = uuid4().hex
        self._sung = (nonce, now)
        self._next_canary = now + self.timing.ping_interval_s
        changes.ping(voice, nonce)

    def _hear(self, ear: Connection) -> None:
        for channel, payload in changes.receive(ear, min(_SLICE, self.timing.ping_timeout_s)):
            if channel == changes.CHANNEL:
                self.notifications += 1
                self.wake.set()
            elif self._sung is not None and payload == self._sung[0]:
                self._sung = None
                self.heard_at = time.monotonic()
                if not self.hearing:
                    self.hearing = True
                    self._was_deaf = False
                    self.log.info("listener.hearing")

    def _close(self) -> None:
        for connection in self._connections or ():
            _close(connection)
        self._connections = None


def _close(connection: Connection) -> None:
    with contextlib.suppress(Exception):
        connection.close()
