"""The main thread's connection: it reads the queue, and the builds use it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import LiteralString
from uuid import UUID

from psycopg import Connection

from robbieblocks import changes, database, release
from robbieblocks.changes import Waiting
from robbieblocks.database import check_whole, translated
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.pipeline import apps_with_pages
from robbieblocks.release import SiteRoot
from robbieblocks.worker.connections.leader_lock import LeaderLock
from robbieblocks.worker.log import Log

# Over TCP the server then notices within half a minute that this process is gone, and releases its
# locks.
_SET_KEEPALIVE: LiteralString = """
    SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3
"""


@dataclass(slots=True, kw_only=True)
class WorkerDatabase:
    """The database as the loop uses it. `open_connection` opens a connection under a name.

    `create_root` and `adopt` hold until the site root was claimed once.
    """

    node: str
    site_root: SiteRoot
    open_connection: Callable[[str], Connection]
    leader_lock: LeaderLock
    log: Log
    create_root: bool = False
    adopt: bool = False
    _connection: Connection | None = None
    _database_id: str | None = None
    _pooled: bool = False

    def connect(self) -> Connection:
        """The connection; opened if there is none. Raises DatabaseUnavailable."""
        if self._connection is None or self._connection.closed:
            self.disconnect()
            self._connection = self._open()
        return self._connection

    def is_leader(self) -> bool:
        """Whether this worker holds the leader lock; it is taken if it is free.

        Raises DatabaseUnavailable, SiteUnavailable, and UsageError where the site root is another
        database's.
        """
        try:
            self.claim_site_root()
        except UsageError:
            # The address may lead to the right database the next time.
            self.close()
            raise
        except SiteUnavailable:
            # What comes back may be another folder, with a lock of its own.
            self.leader_lock.close()
            raise
        if not self.leader_lock.take_file():
            return False
        connection = self.connect()
        return self._pooled or self.leader_lock.take_advisory(connection)

    def claim_site_root(self) -> None:
        """See to it that the site root is there and is this database's. Raises as `is_leader`."""
        self.connect()
        noted = release.claim(
            self.site_root, self._database_id, create=self.create_root, adopt=self.adopt
        )
        self.create_root = self.adopt = False
        if noted:
            self.log.info("site_root.claimed", what=noted)

    def check_schema(self) -> None:
        """Raise SchemaIncomplete while the schema is not whole. Raises DatabaseUnavailable."""
        with translated("look at the schema"), self.connect().cursor() as cursor:
            check_whole(cursor)

    def read_queue(self, known: Collection[UUID]) -> Waiting:
        """What waits for the node, without the rows in `known`.

        Rows that affect no app of the node are acknowledged here. Raises DatabaseUnavailable.
        """
        connection = self.connect()
        found = changes.waiting(connection, self.node, known)
        if found.apps is None:
            return found
        if found.irrelevant:
            changes.acknowledge(connection, self.node, found.irrelevant)
        disabled = apps_with_pages(self.site_root, self.node) - set(found.apps)
        return replace(found, disabled_apps=tuple(sorted(disabled)))

    def mark_processed(self) -> None:
        """Mark the rows that no node is left to handle. Raises DatabaseUnavailable."""
        changes.mark_processed(self.connect())

    def disconnect(self) -> None:
        """Close the connection if there is one. The file lock stays."""
        if self._connection is not None:
            with contextlib.suppress(Exception):
                self._connection.close()
            self._connection = None
        self.leader_lock.end_session()

    def close(self) -> None:
        """Close the connection and release the leader lock."""
        self.disconnect()
        self.leader_lock.close()

    def _open(self) -> Connection:
        connection = self.open_connection("work")
        try:
            self._database_id = database.identity(connection)
            self._pooled = database.is_pooled(connection)
            if self._pooled:
                self.log.warning(
                    "database.pooled",
                    fix="connect to the server itself: through a pooler, changes are found by "
                    "polling, and a worker on another machine is not kept from building",
                )
            else:
                with translated("set up the session"):
                    connection.execute(_SET_KEEPALIVE)
                    self.leader_lock.start_session(connection)
        except BaseException:
            connection.close()
            raise
        return connection
