"""The lease of an app on a node: an advisory lock, which is the right to publish the app.

Postgres releases it when its session ends, however it ends.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import Connection

from robbieblocks import file_locks
from robbieblocks.database import sessions, translated
from robbieblocks.database.sessions import Session
from robbieblocks.errors import DatabaseUnavailable

_SESSIONS_MAX: Final = 32
_PAUSE_S: Final = 0.02
_ENDING_S: Final = 1.0

# In an app's folder: the session in which its lease was taken last, for whoever builds the app next
# from this site root.
_NOTE: Final = ".lease"


class Leases:
    """Takes the leases of one process, and remembers in which sessions it took them.

    A session can outlast its build, and keep the lease: where it is frozen, or busy while its
    process was killed. Where an earlier session of this process, or of one that is noted in the
    app's folder, still holds a lease, the lease counts as held. So a process makes one of these and
    keeps it.
    """

    def __init__(self) -> None:
        self._sessions: dict[Session, Callable[[], Connection | None]] = {}

    @contextmanager
    def hold(
        self,
        connection: Connection,
        node: str,
        app: str,
        *,
        folder: Path | None = None,
        wait_s: float = 0.0,
    ) -> Generator[Lease]:
        """Hold the lease of a node's app during the block, where it is free within `wait_s`.

        `folder` is the app's, and the caller holds its file lock: who is noted there builds no
        more. The connection needs a session of its own: PgBouncer's transaction mode gives a
        session and its locks to others. A session may take the same lease again. Raises
        DatabaseUnavailable.
        """
        key = _key(node, app)
        note = folder / _NOTE if folder else None
        with translated(f"take the lease of {app} on {node}"):
            taken = self._take(connection, key, note, wait_s)
            if taken:
                own = self._remember(connection)
                if note:
                    _write(note, own)
            held = taken or self._end_stale(connection, sessions.holders(connection, key))
        try:
            yield Lease(self, connection, node, app, held)
        finally:
            if taken:
                # A connection that is lost, or in a failed transaction, must not hide why the
                # block ended.
                with suppress(psycopg.Error):
                    sessions.release(connection, key)

    def holds(self, connection: Connection, node: str, app: str) -> bool:
        """Whether the connection's session, or a stale one, holds the lease."""
        key = _key(node, app)
        with translated(f"check the lease of {app} on {node}"):
            holders = sessions.holders(connection, key)
            own = any(pid == connection.info.backend_pid for pid, _ in holders)
            return own or self._end_stale(connection, holders)

    def _take(self, connection: Connection, key: int, note: Path | None, wait_s: float) -> bool:
        began = time.monotonic()
        while not sessions.take(connection, key):
            if note and (noted := _read(note)):
                self._sessions.setdefault(noted, lambda: None)
            stale = self._end_stale(connection, sessions.holders(connection, key))
            # A stale session ends at once, or it is frozen.
            if time.monotonic() - began >= (min(wait_s, _ENDING_S) if stale else wait_s):
                return False
            time.sleep(_PAUSE_S)
        return True

    def _remember(self, connection: Connection) -> Session:
        for session, known in self._sessions.items():
            if known() is connection:
                return session
        session = sessions.own(connection)
        self._sessions[session] = weakref.ref(connection)
        while len(self._sessions) > _SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]
        return session

    def _end_stale(self, connection: Connection, holders: Sequence[Session]) -> bool:
        """Whether the holder is a stale session; end it.

        The build that took the lease there is over: its connection is closed, or it held the file
        lock that the caller holds now. Another machine gets the lease only when that session has
        ended.
        """
        if not holders or holders[0] not in self._sessions:
            return False
        theirs = self._sessions[holders[0]]()
        if theirs is not None and not theirs.closed:
            return False
        sessions.end(connection, holders[0])
        return True


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to publish an app on a node; true where this session has it."""

    leases: Leases
    connection: Connection
    node: str
    app: str
    held: bool

    def __bool__(self) -> bool:
        return self.held

    def check(self) -> None:
        """Check with the server that the lease is still held, right before a swap.

        Otherwise raises DatabaseUnavailable, so that a process that lost its connection for a while
        never publishes older content over newer.
        """
        if not (self.held and self.leases.holds(self.connection, self.node, self.app)):
            raise DatabaseUnavailable(
                f"the lease of {self.app} on {self.node} was lost: another worker may publish it "
                "now, so this build is not; the next one starts from what is live"
            )


def _key(node: str, app: str) -> int:
    return sessions.lock_key("robbieblocks lease", node, app)


def _read(note: Path) -> Session | None:
    try:
        pid, start = note.read_text().split()
        return int(pid), start
    except (OSError, ValueError):
        return None


def _write(note: Path, session: Session) -> None:
    """Note a session. Where that fails, who comes next waits until the server ends the session."""
    if _read(note) == session:
        return
    with suppress(OSError), file_locks.lock_file(note) as descriptor:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{session[0]} {session[1]}\n".encode(), 0)
