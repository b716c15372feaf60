"""Carries tasks out, one after the other, and says what became of each."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg
from psycopg import Connection, errors

from robbieblocks.database import sessions
from robbieblocks.database.connection import is_pooled
from robbieblocks.database.errors import translated
from robbieblocks.database.maintenance.analysis import Finding, analyze
from robbieblocks.database.maintenance.state import read_state
from robbieblocks.database.maintenance.tasks import Cadence, Task, tasks
from robbieblocks.database.schema.describing import home
from robbieblocks.errors import DatabaseUnavailable, RightsMissing, SchemaOutdated

_LOCK: Final = sessions.lock_key("maintenance")

# What each cadence shows of the analysis: what a person has to decide.
_SHOWN: Final[dict[Cadence, tuple[str, ...]]] = {
    "daily": ("autovacuum behind", "near freeze age"),
    "weekly": (
        "missing index",
        "foreign key without an index",
        "unused index",
        "duplicate index",
    ),
    "monthly": ("bloated table", "slow statement", "statements unknown"),
}

# Work in one schema, see the rows of every town, and wait for nobody's lock for long.
_SETTINGS: LiteralString = """
    SELECT set_config('search_path', quote_ident(%s), false), set_config('app.town', '*', false),
           set_config('lock_timeout', '30s', false), set_config('statement_timeout', '0', false),
           set_config('TimeZone', 'UTC', false)
"""

# Have the server give up a statement whose client is gone. Some systems can't.
_NOTICE_CLIENT: LiteralString = "SET client_connection_check_interval = '2s'"

# Whether the server is a standby, how many tables there are, and the grants that are missing: only
# an owner may vacuum a table.
_RIGHTS: LiteralString = """
    SELECT pg_is_in_recovery(), current_user, count(*),
           string_agg(DISTINCT format('GRANT %I TO %I;', pg_get_userbyid(relowner), current_user),
                      ' ') FILTER (WHERE NOT pg_has_role(relowner, 'USAGE'))
      FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'm')
"""

# The change queue: how much waits, and since when.
_QUEUE: LiteralString = """
    SELECT count(*), min(created_at) FROM robbieblocks_change_triggers WHERE processed_at IS NULL
"""

# The tables whose last synchronization failed, whatever other columns the table has.
_SYNC_ERRORS: LiteralString = """
    SELECT told ->> 'table_name', told ->> 'last_error'
      FROM sync_status s, LATERAL (SELECT to_jsonb(s)) AS row_ (told)
     WHERE told ->> 'last_error' <> '' ORDER BY 1
"""

# Whether a table or view is there.
_EXISTS: LiteralString = "SELECT to_regclass(%s) IS NOT NULL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A task as it went: how long it took, what the server remarked, and why it failed if it did.

    In a dry run it has no time.
    """

    task: Task
    statement: str
    seconds: float | None = None
    remarks: tuple[str, ...] = ()
    error: str = ""


def maintain(
    connection: Connection,
    cadence: Cadence,
    *,
    keep_audit_months: int | None = None,
    dry_run: bool = False,
) -> Iterator[Done | Finding | str]:
    """Carry out the tasks of a cadence; yield each as it is done, then what a person should see.

    A task that fails does not keep the others from being done. Killed at any moment, the next run
    goes on. `keep_audit_months` has monthly drop the audit log's months before those. The
    connection must be in autocommit. Raises RightsMissing, SchemaOutdated, and DatabaseUnavailable,
    also where another session maintains the database.
    """
    schema = home(connection)
    with translated("maintain the database"):
        connection.execute(_SETTINGS, [schema])
        with suppress(psycopg.Error):
            connection.execute(_NOTICE_CLIENT)
        _check_rights(connection, schema)
    with _alone(connection):
        analysis = analyze(connection)
        state = read_state(connection, schema, analysis)
        for task in tasks(cadence, state, keep_audit_months):
            yield _ran(connection, task, dry_run=dry_run)
        yield from (found for found in analysis.findings if found.check in _SHOWN[cadence])
        if cadence == "daily":
            yield from (
                f"{view.name} is not refreshed: it would show rows of every town to all who may "
                "read it -> a view that is not materialized"
                for view in state.views
                if view.has_secured_rows
            )
            yield from _queues(connection)
        if cadence == "monthly" and state.months_kept and keep_audit_months is None:
            yield (
                f"the audit log has {len(state.months_kept)} months, from {state.months_kept[0]} "
                "on: --keep-audit-months drops older ones"
            )


def _check_rights(connection: Connection, schema: str) -> None:
    ((is_standby, role, tables, grants),) = connection.execute(_RIGHTS).fetchall()
    if not tables:
        raise SchemaOutdated(
            f"could not maintain the database: schema {schema} has no tables: run "
            "`robbieblocks db init`, or name another database"
        )
    if is_standby:
        raise DatabaseUnavailable(
            "could not maintain the database: the server is a read-only standby; connect to the "
            "primary"
        )
    if grants:
        raise RightsMissing(
            f"could not maintain the database: {role} does not own its tables: {grants} (or "
            "connect as their owner)"
        )


@contextmanager
def _alone(connection: Connection) -> Generator[None]:
    """Keep other sessions from maintaining this database for the block."""
    if is_pooled(connection):
        raise DatabaseUnavailable(
            "could not maintain the database: a connection pooler stands in between; connect to "
            "the server itself"
        )
    with translated("see whether another session maintains the database"):
        if not sessions.take(connection, _LOCK):
            others = ", ".join(str(pid) for pid, _ in sessions.holders(connection, _LOCK))
            raise DatabaseUnavailable(
                f"another session maintains this database (process {others} of the server): "
                "nothing was done; run it again when that one has ended"
            )
    try:
        yield
    finally:
        # Where the connection is lost, the server has released the lock by itself.
        with suppress(psycopg.OperationalError):
            sessions.release(connection, _LOCK)


def _ran(connection: Connection, task: Task, *, dry_run: bool) -> Done:
    statement = task.statement.as_string(connection)
    if dry_run:
        return Done(task=task, statement=statement)
    remarks: list[str] = []

    def hear(diagnostic: errors.Diagnostic) -> None:
        remarks.append(diagnostic.message_primary or "")

    connection.add_notice_handler(hear)
    started = time.monotonic()
    error = ""
    try:
        connection.execute(task.statement)
    except psycopg.Error as failure:
        if connection.broken:
            with translated(f"run {statement}"):
                raise
        error = str(failure).splitlines()[0]
    finally:
        connection.remove_notice_handler(hear)
    return Done(
        task=task,
        statement=statement,
        seconds=time.monotonic() - started,
        remarks=tuple(remarks),
        error=error,
    )


def _queues(connection: Connection) -> Iterator[str]:
    """How the change queue and the synchronization stand, where there are any."""
    with translated("read the queues"):
        if _is_there(connection, "robbieblocks_change_triggers"):
            ((waiting, since),) = connection.execute(_QUEUE).fetchall()
            told = f", the oldest since {since:%Y-%m-%d %H:%M %Z}" if waiting else ""
            yield f"change queue: {waiting} waiting{told}"
        if _is_there(connection, "sync_status"):
            for table, error in connection.execute(_SYNC_ERRORS).fetchall():
                yield f"sync of {table} failed: {error}"


def _is_there(connection: Connection, name: str) -> bool:
    return bool(connection.execute(_EXISTS, [name]).fetchall()[0][0])
