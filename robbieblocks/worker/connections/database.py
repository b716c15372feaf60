"""The loop's connection, and its right to be the node's one worker.

Two locks make that right: a file lock in the site root, which the kernel keeps, and an advisory
lock in the database, for a second machine. Both go with their holder, however it ends.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import LiteralString
from uuid import UUID

from psycopg import Connection

from robbieblocks import changes, database, file_locks
from robbieblocks.changes import Waiting
from robbieblocks.database import sessions, translated
from robbieblocks.database.sessions import Session, lock_key
from robbieblocks.errors import SiteUnavailable
from robbieblocks.pipeline import apps_with_pages
from robbieblocks.release import SiteRoot
from robbieblocks.worker.agenda import PartialAcknowledgement
from robbieblocks.worker.connections.query_watchdog import QueryWatchdog
from robbieblocks.worker.log import Log

# Over TCP the server then notices within half a minute that we vanished, and frees our locks.
_NOTICE_OUR_END: LiteralString = """
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""


@dataclass(slots=True, kw_only=True)
class WorkerDatabase:
    """The real Database. `open_` opens a connection under a name."""

    node: str
    site_root: SiteRoot
    open_: Callable[[str], Connection]
    guard: QueryWatchdog
    log: Log
    _connection: Connection | None = None
    _pooled: bool = False
    _advisory: bool = False
    _file: int | None = None
    _me: Session | None = None
    _ghosts: list[Session] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
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
            self._pooled = database.is_pooled(connection)
            if self._pooled:
                self.log.warning(
                    "database.pooled",
                    remedy="a pooler stands in between: connect to the server itself, or changes "
                    "are found by polling and a second machine is not kept out",
                )
            else:
                with translated("set up the session"):
                    connection.execute(_NOTICE_OUR_END)
                    self._me = sessions.own(connection)
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
        key = lock_key("robbieblocks worker", self.node)
        with translated(f"become the worker of {self.node}"):
            taken = sessions.take(connection, key)
        self._advisory = taken or self._is_ghost(connection, key)
        return self._advisory

    def look(self, known: Mapping[UUID, PartialAcknowledgement]) -> Waiting:
        """What waits; rows that affect no app of the node are acknowledged here."""
        found = changes.waiting(self.connection, self.node, known)
        if found.irrelevant and found.apps is not None:
            rows = changes.irrelevant(self.connection, self.node, found.apps)
            changes.acknowledge(self.connection, self.node, rows)
        if found.apps is None:
            return found
        disabled = apps_with_pages(self.site_root, self.node) - set(found.apps)
        return replace(found, disabled_apps=tuple(sorted(disabled)))

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

    def _is_ghost(self, connection: Connection, key: int) -> bool:
        """Whether the holder is an earlier session of this very worker.

        It is told to end; frozen, it can't, and must not keep its own successor from working. The
        file lock, and the lease of each build, still keep others out.
        """
        with translated(f"ask who is the worker of {self.node}"):
            ours = [held for held in sessions.holders(connection, key) if held in self._ghosts]
            for session in ours:
                sessions.end(connection, session)
        return bool(ours)

    def _take_file(self) -> bool:
        if self._file is not None:
            return True
        path = self.site_root.path / self.node / ".worker.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = file_locks.open_lock_file(path)
        except OSError as error:
            raise SiteUnavailable(
                f"could not lock {path}: {error.strerror}: make the site root writable for the "
                "worker, or name another with ROBBIEBLOCKS_SITE_ROOT"
            ) from error
        taken = False
        with contextlib.suppress(OSError):
            taken = file_locks.try_lock(descriptor)
        if not taken:
            os.close(descriptor)
            return False
        self._file = descriptor
        return True
