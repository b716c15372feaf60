"""The lease of an app on a node: an advisory lock, which is the right to publish the app.

Postgres releases it when its session ends, however it ends.
"""

from __future__ import annotations

import weakref
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

import psycopg
from psycopg import Connection

from robbieblocks.database import sessions, translated
from robbieblocks.database.sessions import Session
from robbieblocks.errors import DatabaseUnavailable

_SESSIONS_MAX: Final = 32


class Leases:
    """Takes the leases of one process, and remembers in which sessions it took them.

    Where an earlier session of the process still holds a lease, though its connection is closed,
    the lease counts as held: such a session may be frozen, and would keep it for ever. So a process
    makes one of these and keeps it.
    """

    def __init__(self) -> None:
        self._sessions: dict[Session, weakref.ref[Connection]] = {}

    @contextmanager
    def hold(self, connection: Connection, node: str, app: str) -> Generator[Lease]:
        """Hold the lease of a node's app during the block, where it is free.

        The connection needs a session of its own: PgBouncer's transaction mode gives a session and
        its locks to others. A session may take the same lease again. Raises DatabaseUnavailable.
        """
        key = _key(node, app)
        with translated(f"take the lease of {app} on {node}"):
            taken = sessions.take(connection, key)
            if taken:
                self._remember(connection)
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
        """Whether the connection's session, or a stale one of this process, holds the lease."""
        key = _key(node, app)
        with translated(f"check the lease of {app} on {node}"):
            holders = sessions.holders(connection, key)
            own = any(pid == connection.info.backend_pid for pid, _ in holders)
            return own or self._end_stale(connection, holders)

    def _remember(self, connection: Connection) -> None:
        if any(known() is connection for known in self._sessions.values()):
            return
        self._sessions[sessions.own(connection)] = weakref.ref(connection)
        while len(self._sessions) > _SESSIONS_MAX:
            del self._sessions[next(iter(self._sessions))]

    def _end_stale(self, connection: Connection, holders: Sequence[Session]) -> bool:
        """Whether the holder is a session of this process whose connection is closed; end it.

        The build that took the lease there is over, and the file lock keeps every other process of
        this machine out. Another machine gets the lease only when that session has ended.
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
