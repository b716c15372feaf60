"""The lease of an app on a node: a session's advisory lock, the right to publish it.

Postgres gives it back when the session ends, however it ends.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from robbieblocks.database import translated
from robbieblocks.errors import DatabaseUnavailable

# Take the lease of a node's app, if it is free or this session's already.
_TAKE_LEASE: LiteralString = "SELECT pg_try_advisory_lock(%s)"

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

# Who holds a lease: a pid comes again, with its start it does not.
_LEASE_HOLDER: LiteralString = """
    SELECT l.pid, a.backend_start::text
      FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid::bigint = (%(key)s::bigint >> 32) & 4294967295
       AND l.objid::bigint = %(key)s::bigint & 4294967295
"""

# Who we are, in the same terms.
_SELF: LiteralString = """
    SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""

# A session that the server keeps, though its connection is gone. Frozen, it obeys when it thaws.
_END_GHOST: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = %(pid)s AND backend_start::text = %(start)s
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to publish an app on a node; true where this session got it."""

    connection: Connection[Any]
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
def lease(connection: Connection[Any], node: str, app: str) -> Iterator[Lease]:
    """Hold the lease of a node's app for as long as the block runs, where it is free.

    Needs a session of its own: through PgBouncer in transaction mode a session's locks are
    somebody else's. A session may take it again inside. Raises DatabaseUnavailable.

    Where an earlier session of this process holds it, whose connection is gone, the lease counts as
    ours: frozen, that session might keep it for ever.
    """
    key = _key(node, app)
    with translated(f"take the lease of {app} on {node}"):
        taken = bool(_one(connection, _TAKE_LEASE, (key,)))
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


_sessions: Final[dict[tuple[int, str], weakref.ref[Connection[Any]]]] = {}
"""The sessions in which this process took leases, by pid and start, the oldest first."""
_MOST_SESSIONS: Final = 32


def _remember(connection: Connection[Any]) -> None:
    """Note whose session this is, once a connection."""
    if any(known() is connection for known in _sessions.values()):
        return
    with connection.cursor(row_factory=tuple_row) as cursor:
        me = cursor.execute(_SELF).fetchone()
    if me is not None:
        _sessions[me] = weakref.ref(connection)
    while len(_sessions) > _MOST_SESSIONS:
        del _sessions[next(iter(_sessions))]


def _held_by_ghost(connection: Connection[Any], key: int) -> bool:
    """Whether a lease's holder is a session of this process whose connection is gone.

    It is told to end. The build that had it is over, and the file lock keeps every other process of
    this machine out; another machine gets the lease no sooner than that session ends.
    """
    with connection.cursor(row_factory=tuple_row) as cursor:
        holder = cursor.execute(_LEASE_HOLDER, {"key": key}).fetchone()
        known = _sessions.get(holder) if holder else None
        if known is None or holder is None:
            return False
        theirs = known()
        if theirs is not None and not theirs.closed:
            return False
        cursor.execute(_END_GHOST, {"pid": holder[0], "start": holder[1]})
    return True


def _one(connection: Connection[Any], query: LiteralString, values: Any) -> Any:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(query, values).fetchone()
        return row[0] if row else None


def _key(node: str, app: str) -> int:
    """The advisory lock's number: 64 bits, the same on every machine."""
    digest = hashlib.sha256(f"robbieblocks lease\0{node}\0{app}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
