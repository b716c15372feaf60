"""The leader lock: of all workers that run for a node, only its holder builds.

It consists of two locks: a file lock in the site root, and a session-level advisory lock in the
database for workers on other machines. The kernel and the server release them when their holder
ends, in whatever way.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field

from psycopg import Connection

from robbieblocks import file_locks, record
from robbieblocks.database import sessions, translated
from robbieblocks.database.sessions import Session
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import SiteRoot, worker_lock

_STALE_SESSIONS_MAX = 8


@dataclass(slots=True)
class LeaderLock:
    """The leader lock of one node.

    `start_session` and `end_session` tell it which connection the advisory lock depends on.
    """

    site_root: SiteRoot
    node: str
    _file: int | None = None
    _has_advisory: bool = False
    _session: Session | None = None
    _stale_sessions: list[Session] = field(default_factory=list[Session])

    def start_session(self, connection: Connection) -> None:
        """Note the session of a new connection. Raises as the driver does."""
        self._session = sessions.own(connection)

    def end_session(self) -> None:
        """Note that the connection is closed or lost: the advisory lock is no longer ours.

        The server may keep the session for a while; it is then stale, and `take_advisory` ends it.
        """
        if self._session is not None:
            self._stale_sessions = [*self._stale_sessions, self._session][-_STALE_SESSIONS_MAX:]
        self._session, self._has_advisory = None, False

    def take_file(self) -> bool:
        """Take the file lock if it is free; return whether we hold it. Raises SiteUnavailable."""
        if self._file is not None:
            return True
        path = worker_lock(self.site_root, self.node)
        try:
            path.parent.mkdir(exist_ok=True)
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

    def take_advisory(self, connection: Connection) -> bool:
        """Take the advisory lock if it is free; return whether we hold it.

        Raises DatabaseUnavailable.
        """
        if not self._has_advisory:
            key = record.worker_lock(self.node)
            with translated(f"become the worker of {self.node}"):
                self._has_advisory = sessions.take(connection, key)
            if not self._has_advisory:
                self._has_advisory = self._end_stale_holders(connection, key)
        return self._has_advisory

    @property
    def session(self) -> Session | None:
        """The session that holds the advisory lock for this process; None while none does."""
        return self._session if self._has_advisory else None

    def is_held(self, connection: Connection, session: Session) -> bool:
        """Whether the server says, now, that a session holds the advisory lock.

        Raises DatabaseUnavailable.
        """
        with translated(f"ask who is the worker of {self.node}"):
            return session in sessions.holders(connection, record.worker_lock(self.node))

    def close(self) -> None:
        """Release the file lock."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _end_stale_holders(self, connection: Connection, key: int) -> bool:
        """Whether a stale session of this process holds the advisory lock; such sessions are ended.

        A server process that is stopped can't end. It must not keep its own successor from
        working, so the lock counts as ours; the file lock, and the lease of each build, still keep
        other workers out.
        """
        with translated(f"ask who is the worker of {self.node}"):
            holders = sessions.holders(connection, key)
            stale = [holder for holder in holders if holder in self._stale_sessions]
            for session in stale:
                sessions.end(connection, session)
        return bool(stale)
