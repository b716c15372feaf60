"""Sessions, and the advisory locks that they hold: which a lost connection may leave behind.

The functions speak of one database. They raise as the driver does; callers say what was attempted.
"""

from __future__ import annotations

import hashlib
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import tuple_row

Session = tuple[int, str]
"""A backend's pid and its start: a pid comes again, with its start it does not."""

# Take a lock, if it is free or this session's already.
_TAKE: LiteralString = "SELECT pg_try_advisory_lock(%s)"

# Which session we are.
_OWN: LiteralString = """
    SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""

# Who holds a lock: a 64-bit key shows as two halves with objsubid 1.
_HOLDERS: LiteralString = """
    SELECT l.pid, a.backend_start::text
      FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid::bigint = (%(key)s::bigint >> 32) & 4294967295
       AND l.objid::bigint = %(key)s::bigint & 4294967295
"""

# End a session that the server keeps, though its connection is gone; frozen, it obeys later.
_END: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = %(pid)s AND backend_start::text = %(start)s
"""


def lock_key(*words: str) -> int:
    """An advisory lock's number: 64 bits, the same on every machine."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def take(connection: Connection, key: int) -> bool:
    """Whether the lock is this session's now. Taken twice, it must be given back twice."""
    return bool(_rows(connection, _TAKE, (key,))[0][0])


def own(connection: Connection) -> Session:
    """The connection's session."""
    pid, start = _rows(connection, _OWN, {})[0]
    return pid, start


def holders(connection: Connection, key: int) -> list[Session]:
    """The sessions that hold a lock."""
    return [(pid, start) for pid, start in _rows(connection, _HOLDERS, {"key": key})]


def end(connection: Connection, session: Session) -> None:
    """Tell the server to end a session."""
    _rows(connection, _END, {"pid": session[0], "start": session[1]})


def _rows(connection: Connection, query: LiteralString, values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(query, values).fetchall()
