"""Imports files into a database: one transaction that reads, merges and writes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from psycopg import Connection
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from robbieblocks.content import rows
from robbieblocks.content.merging import RowMerge, Side, merge
from robbieblocks.content.shape import Content, RowName
from robbieblocks.content.stored import ONE_MOMENT, read_rows
from robbieblocks.database import translated


def import_(
    connection: Connection,
    files: Content,
    *,
    prune: bool = False,
    side: Callable[[RowName], Side] = lambda _: None,
    dry_run: bool = False,
    only: Literal["token", "node"] | None = None,
) -> tuple[RowMerge, ...]:
    """Merge `files` into the database's rows, and say what that does to each row.

    `only` leaves the rows of other kinds alone.
    Nothing is written where a row is in conflict, where nothing differs, or in a dry run. A row
    that somebody else changes meanwhile makes it start again. Raises ContentError as `merge` does,
    SchemaOutdated and DatabaseUnavailable.
    """
    attempts = Retrying(
        retry=retry_if_exception_type((SerializationFailure, DeadlockDetected, UniqueViolation)),
        stop=stop_after_attempt(5),
        wait=wait_random(0, 0.2),
        reraise=True,
    )
    with translated("import the content"):
        return attempts(
            _once, connection, files, prune=prune, side=side, dry_run=dry_run, only=only
        )


def _once(
    connection: Connection,
    files: Content,
    *,
    prune: bool,
    side: Callable[[RowName], Side],
    dry_run: bool,
    only: Literal["token", "node"] | None,
) -> tuple[RowMerge, ...]:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(ONE_MOMENT)
        held = read_rows(connection)
        found = merge(files, held.only(only) if only else held, prune=prune, side=side)
        if not dry_run and all(row.action != "conflict" for row in found):
            rows.write(cursor, found)
        return found


def seed(connection: Connection, content: Content) -> tuple[RowMerge, ...]:
    """Import content, and let it win each conflict; other rows stay."""
    return import_(connection, content, side=lambda _: "theirs")
