"""Sessions of the server, and the advisory locks that they hold.

A session can outlive its connection, and keep its locks. The functions raise what the driver
raises: callers translate it, and say what was attempted.
"""

from __future__ import annotations

import hashlib
from typing import LiteralString

from psycopg import Connection

Session = tuple[int, str]
"""A backend's pid and its start, in seconds since 1970: a pid is used again, the pair is not."""

# Take a lock, if it is free or this session's already.
_TAKE: LiteralString = "SELECT pg_try_advisory_lock(%s)"

# Release a lock; taken twice, it must be released twice.
_RELEASE: LiteralString = "SELECT pg_advisory_unlock(%s)"

# The session of the connection.
_OWN: LiteralString = """
    SELECT pid, extract(epoch FROM backend_start)::text
      FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""

# The sessions that hold a lock: a 64-bit key stands in pg_locks as two halves, with objsubid 1.
_HOLDERS: LiteralString = """
    SELECT l.pid, extract(epoch FROM a.backend_start)::text
      FROM pg_locks AS l JOIN pg_stat_activity AS a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid::bigint = (%(key)s::bigint >> 32) & 4294967295
       AND l.objid::bigint = %(key)s::bigint & 4294967295
"""

# End a session. A frozen one ends when it runs again.
_END: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = %(pid)s AND extract(epoch FROM backend_start)::text = %(start)s
"""


def lock_key(*words: str) -> int:
    """The number of an advisory lock: 64 bits, the same on every machine."""
    digest = hashlib.sha256("\0".join(words).encode()).digest()
    return int.from_bytes(digest[:8], signed=True)


def take(connection: Connection, key: int) -> bool:
    """Take a lock; return whether the session has it now. Taken twice, it is released twice."""
    row = connection.execute(_TAKE, (key,)).fetchone()
    return bool(row and row[0])


def release(connection: Connection, key: int) -> None:
    """Release a lock that the session has taken."""
    connection.execute(_RELEASE, (key,))


def own(connection: Connection) -> Session:
    """Return the connection's session."""
    ((pid, start),) = connection.execute(_OWN).fetchall()
    return pid, start


def holders(connection: Connection, key: int) -> list[Session]:
    """Return the sessions that hold a lock."""
    return [(pid, start) for pid, start in connection.execute(_HOLDERS, {"key": key})]


def end(connection: Connection, session: Session) -> None:
    """Have the server end a session."""
    connection.execute(_END, {"pid": session[0], "start": session[1]})
