"""The loop's connection, and its right to be the node's one worker.

Two locks make that right: a file lock in the site root, which the kernel keeps, and an advisory
lock in the database, for a second machine. Both go with their holder, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from robbieblocks import change, claim
from robbieblocks.change import Waiting
from robbieblocks.database import translated
from robbieblocks.errors import SiteUnavailable
from robbieblocks.pipeline import shown_apps
from robbieblocks.worker.agenda import Owed
from robbieblocks.worker.guard import Guard
from robbieblocks.worker.log import Log

# Be the node's worker, if nobody else is.
_TAKE: LiteralString = "SELECT pg_try_advisory_lock(%s)"

# Who is: a 64-bit key shows as two halves with objsubid 1.
_HOLDERS: LiteralString = """
    SELECT l.pid, a.backend_start::text
      FROM pg_locks AS l
      LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND l.classid::bigint = (%(key)s::bigint >> 32) & 4294967295
       AND l.objid::bigint = %(key)s::bigint & 4294967295
"""

# Who we are: a pid comes again, with its start it does not.
_SELF: LiteralString = """
    SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()
"""

# A session of ours that the server still keeps, though its connection is gone.
_END_GHOST: LiteralString = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE pid = %(pid)s AND backend_start::text = %(start)s
"""

# Over TCP the server then notices within half a minute that we vanished, and frees our locks.
_NOTICE_OUR_END: LiteralString = """
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""


@dataclass(slots=True, kw_only=True)
class DatabaseDesk:
    """The real Desk. `open_` opens a connection under a name."""

    node: str
    site_root: Path
    open_: Callable[[str], Connection[Any]]
    guard: Guard
    log: Log
    _connection: Connection[Any] | None = None
    _pooled: bool = False
    _advisory: bool = False
    _file: int | None = None
    _me: tuple[int, str] | None = None
    _ghosts: list[tuple[int, str]] = field(default_factory=list)

    @property
    def connection(self) -> Connection[Any]:
        """The connection, opened if need be."""
        self.connect()
        if self._connection is None:
            raise AssertionError("connect() raises where it fails")
        return self._connection

    def connect(self) -> None:
        """Open the connection if there is none. Raises DatabaseUnavailable."""
        if self._connection is not None and not self._connection.closed:
            return
        self.drop()
        connection = self.open_("work")
        self.guard.watch("work", connection)
        try:
            self._pooled = change.pooled(connection)
            if self._pooled:
                self.log.warning(
                    "database.pooled",
                    remedy="a pooler stands in between: connect to the server itself, or changes "
                    "are found by polling and a second machine is not kept out",
                )
            else:
                with translated("set up the session"):
                    connection.execute(_NOTICE_OUR_END)
                    row = connection.execute(_SELF).fetchone()
                self._me = None if row is None else (row[0], row[1])
        except BaseException:
            connection.close()
            raise
        self._connection = connection

    def may_work(self) -> bool:
        """Whether both locks are ours. Raises DatabaseUnavailable and SiteUnavailable."""
        if not self._take_file():
            return False
        if self._advisory or self._pooled:
            return True
        connection = self.connection
        key = _key(self.node)
        with translated(f"become the worker of {self.node}"):
            row = connection.execute(_TAKE, (key,)).fetchone()
        self._advisory = bool(row and row[0]) or self._is_ghost(connection, key)
        return self._advisory

    def look(self, known: Mapping[UUID, Owed]) -> Waiting:
        """What waits; rows that affect no app of the node are acknowledged here."""
        found = change.waiting(self.connection, self.node, known)
        if found.strays and found.apps is not None:
            strays = change.strays(self.connection, self.node, found.apps)
            claim.acknowledge(self.connection, self.node, strays)
        if found.apps is None:
            return found
        orphans = shown_apps(self.site_root, self.node) - set(found.apps)
        return replace(found, orphans=tuple(sorted(orphans)))

    def drop(self) -> None:
        """Close the connection; the advisory lock is gone with it, the file lock stays."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            if self._me is not None:
                self._ghosts = [*self._ghosts[-7:], self._me]
        self._connection, self._me, self._advisory = None, None, False

    def close(self) -> None:
        """Give everything back."""
        self.drop()
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _is_ghost(self, connection: Connection[Any], key: int) -> bool:
        """Whether the holder is an earlier session of this very worker.

        It is told to end; frozen, it can't, and must not keep its own successor from working. The
        file lock, and the lease of each build, still keep others out.
        """
        with translated(f"ask who is the worker of {self.node}"):
            cursor = connection.cursor(row_factory=tuple_row)
            holders = cursor.execute(_HOLDERS, {"key": key}).fetchall()
            ours = [(pid, start) for pid, start in holders if (pid, start) in self._ghosts]
            for pid, start in ours:
                connection.execute(_END_GHOST, {"pid": pid, "start": start})
        return bool(ours)

    def _take_file(self) -> bool:
        if self._file is not None:
            return True
        path = self.site_root / self.node / ".worker.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise SiteUnavailable(
                f"could not lock {path}: {error.strerror}: make the site root writable for the "
                "worker, or name another with ROBBIEBLOCKS_SITE_ROOT"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return False
        self._file = descriptor
        return True


def _key(node: str) -> int:
    """The advisory lock's number: 64 bits, the same on every machine."""
    digest = hashlib.sha256(f"robbieblocks worker\0{node}".encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
