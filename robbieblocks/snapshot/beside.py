"""A session of its own for the SQL of others: views, and the functions in them.

Such SQL may end its session, take locks that outlive a transaction, or catch what would end it. So
nothing else is read over that session, and whatever happens to it is the fault of one view.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import psycopg
from psycopg import Connection, Cursor, errors, sql
from psycopg.rows import TupleRow, tuple_row

from robbieblocks.database import connect_beside, shut_down
from robbieblocks.errors import ViewEndedSessions
from robbieblocks.messages import printable
from robbieblocks.snapshot import queries

# Longer than the server's own limit, which a function may catch.
_PATIENCE_S: Final = 30.0


class SessionEnded(Exception):
    """The session ended while a view was read; all others go on. The message is the server's."""


class SessionOverdue(Exception):
    """The view did not heed the server's limit of time, and its session was ended."""


class _State(NamedTuple):
    """What another session needs to see the same as a transaction."""

    snapshot: str
    role: str
    search_path: str


@dataclass(slots=True)
class BesideSession:
    """Lends a session that sees what the transaction of a cursor sees. Close it to end the session.

    It is opened when it is first needed, and anew where it has ended.
    """

    main: Cursor[TupleRow]
    _connection: Connection[TupleRow] | None = None
    _state: _State | None = None
    _overdue: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def reading(self, collection: str) -> Generator[Cursor[TupleRow]]:
        """A cursor in a transaction that alters nothing, to read the view of a collection.

        Raises DatabaseUnavailable where no session can be opened, SessionEnded, SessionOverdue,
        ViewEndedSessions where the other session is gone as well, and psycopg.Error.
        """
        state = self._shown()
        connection = self._opened()
        try:
            with (
                connection.transaction(force_rollback=True),
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                cursor.execute(sql.SQL(queries.SAME_STATE).format(sql.Literal(state.snapshot)))
                ((pid, *_),) = cursor.execute(queries.ALIKE, state._asdict()).fetchall()
                with self._within_patience(connection, pid):
                    yield cursor
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            overdue = self._overdue.is_set()
            if overdue or isinstance(error, errors.QueryCanceled) or not _is_lost(error):
                if overdue:
                    self.close()
                    raise SessionOverdue from error
                raise
            self.close()
            said = printable(str(error).strip().partition("\n")[0] or type(error).__name__)
            self._check_main(collection, said)
            raise SessionEnded(said) from error

    def close(self) -> None:
        """End the session; the next view gets another one."""
        connection, self._connection = self._connection, None
        self._overdue.clear()
        if connection is not None:
            with suppress(psycopg.Error):
                connection.close()

    def _shown(self) -> _State:
        if self._state is None:
            ((snapshot, role, search_path, _),) = self.main.execute(queries.SHOWN).fetchall()
            self._state = _State(snapshot, role, search_path)
        return self._state

    def _opened(self) -> Connection[TupleRow]:
        if self._connection is None or self._connection.closed:
            self._connection = connect_beside(self.main.connection)
        return self._connection

    @contextmanager
    def _within_patience(self, connection: Connection[TupleRow], pid: int) -> Generator[None]:
        timer = threading.Timer(_PATIENCE_S, self._end, (connection, pid))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            if timer.is_alive() and self._overdue.is_set():
                timer.join()

    def _end(self, connection: Connection[TupleRow], pid: int) -> None:
        """End a session: no function can catch that. It runs in a thread of its own."""
        self._overdue.set()
        with suppress(psycopg.Error):
            self.main.connection.execute(queries.END_SESSION, (pid,))
        shut_down(connection)

    def _check_main(self, collection: str, said: str) -> None:
        """Raise ViewEndedSessions where the transaction's own session is gone as well."""
        try:
            # The server ends the others a moment after one of its processes crashed.
            self.main.execute(queries.IS_THERE)
        except psycopg.Error as error:
            raise ViewEndedSessions(collection, said) from error


def _is_lost(error: psycopg.Error) -> bool:
    """Whether a session ended: by a word of the server's (57P01 and its like), or without one."""
    state = error.sqlstate
    return state is None or state.startswith(("57P", "08"))
