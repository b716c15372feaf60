"""Sessions of a sync at its two servers: how long what they ask may take, and that no pooler is in
between where one session has to stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, LiteralString

from psycopg import Connection, Notify

from robbieblocks import database
from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings
from robbieblocks.sync.node import NodeDatabase

# Whether a pooler answers, and, where none does, no end for statements and idle sessions. A role or
# a database may have limits that are meant for visitors: a comparison takes longer, and a session
# of a sync is idle for minutes. What hangs, `QueryWatchdog` ends. Behind a pooler the settings
# would be other sessions', too.
_PATIENT: LiteralString = """
    SELECT pg_backend_pid() <> %(greeted)s,
           CASE WHEN pg_backend_pid() = %(greeted)s THEN
               set_config('statement_timeout', '0', false)
               || set_config('idle_session_timeout', '0', false)
               || set_config('idle_in_transaction_session_timeout', '0', false) END
"""
_THROUGH_A_POOLER: Final = (
    "a pooler stands before this node's database\n  -> name the server itself in the address of "
    "the database: through a pooler nobody can tell who syncs it, and no edit is heard of"
)


def be_patient(connection: Connection) -> bool:
    """Have a session wait for what takes long; whether it can't, since a pooler is in between.

    Raises DatabaseUnavailable.
    """
    with translated("set how long the session may take"):
        greeted = connection.info.backend_pid
        row = connection.execute(_PATIENT, {"greeted": greeted}).fetchone()
    return row is None or bool(row[0])


def prepare_own(connection: Connection) -> None:
    """Make a session of the node's own database one that a sync can work with.

    Raises UsageError where a pooler is in between, and DatabaseUnavailable.
    """
    if be_patient(connection):
        raise UsageError(_THROUGH_A_POOLER)


def open_own(
    settings: Settings,
    node: str,
    made: Callable[[Connection], None],
    notified: Callable[[Notify], None],
) -> NodeDatabase:
    """Connect to the node's own database, to sync it; `made` is told of the connection, and
    `notified` of what there is to do. Raises as `prepare_own`.
    """
    connection = database.connect(settings, application_name=f"robbieblocks sync {node}")
    try:
        made(connection)
        prepare_own(connection)
        connection.add_notify_handler(notified)
        own = NodeDatabase(connection)
        own.listen()
    except BaseException:
        connection.close()
        raise
    return own
