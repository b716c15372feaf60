"""The lease of an app on a node: a session's advisory lock, the right to publish it.

Postgres gives it back when the session ends, however it ends.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from robbieblocks.database import sessions, translated
from robbieblocks.database.sessions import Session, lock_key
from robbieblocks.errors import DatabaseUnavailable

# Give it back; taken twice, it is given back twice.
_RETURN_LEASE: LiteralString = "SELECT pg_advisory_unlock(%s)"

# Whether this session holds it: a 64-bit key shows as two halves with objsubid 1.
_HOLDS_LEASE: LiteralString = """
    SELECT EXISTS (
        SELECT FROM pg_locks
         WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objsubid = 1
           AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
           AND classid::bigint = (%(key)s::bigint >> 32) & 4294967295
           AND objid::bigint = %(key)s::bigint & 4294967295)
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to publish an app on a node; true where this session got it."""

    connection: Connection
    node: str
    app: str
    held: bool

    def __bool__(self) -> bool:
        return self.held

    def check(self) -> None:
        """Ask the server whether the lease is still held: the fence right before a swap.

        Raises DatabaseUnavailable where it is not, so that a worker that was cut off for a while
        never publishes older content over newer.
        """
        key = {"key": _key(self.node, self.app)}
        with translated(f"check the lease of {self.app} on {self.node}"):
            still = self.held and (
                _one(self.connection, _HOLDS_LEASE, key)
                or _held_by_ghost(self.connection, key["key"])
            )
        if not still:
            raise DatabaseUnavailable(
                f"the lease of {self.app} on {self.node} was lost: another worker may publish it "
                "now, so this build is not; the next one starts from what is live"
            )


@contextmanager
def lease(connection: Connection, node: str, app: str) -> Iterator[Lease]:
    """Hold the lease of a node's app for as long as the block runs, where it is free.

    Needs a session of its own: through PgBouncer in transaction mode a session's locks are
    somebody else's. A session may take it again inside. Raises DatabaseUnavailable.

    Where an earlier session of this process holds it, whose connection is gone, the lease counts as
    ours: frozen, that session might keep it for ever.
    """
    key = _key(node, app)
    with translated(f"take the lease of {app} on {node}"):
        taken = sessions.take(connection, key)
        if taken:
            _remember(connection)
        held = taken or _held_by_ghost(connection, key)
    try:
        yield Lease(connection, node, app, held)
    finally:
        if taken:
            # A connection that is lost, or in a failed transaction, must not hide why it ended.
            with suppress(psycopg.Error):
                _one(connection, _RETURN_LEASE, (key,))


_sessions: Final[dict[Session, weakref.ref[Connection]]] = {}
"""The sessions in which this process took leases, the oldest first."""
_MOST_SESSIONS: Final = 32


def _remember(connection: Connection) -> None:
    """Note whose session this is, once a connection."""
    if any(known() is connection for known in _sessions.values()):
        return
    _sessions[sessions.own(connection)] = weakref.ref(connection)
    while len(_sessions) > _MOST_SESSIONS:
        del _sessions[next(iter(_sessions))]


def _held_by_ghost(connection: Connection, key: int) -> bool:
    """Whether a lease's holder is a session of this process whose connection is gone.

    It is told to end. The build that had it is over, and the file lock keeps every other process of
    this machine out; another machine gets the lease no sooner than that session ends.
    """
    for holder in sessions.holders(connection, key):
        known = _sessions.get(holder)
        if known is None:
            return False
        theirs = known()
        if theirs is not None and not theirs.closed:
            return False
        sessions.end(connection, holder)
        return True
    return False


def _one(connection: Connection, query: LiteralString, values: Any) -> Any:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, values).fetchone()
        return row[0] if row else None


def _key(node: str, app: str) -> int:
    return lock_key("robbieblocks lease", node, app)
