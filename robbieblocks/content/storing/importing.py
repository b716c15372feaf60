"""Imports files into a database: one transaction that reads, merges and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from psycopg import Connection
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random

from robbieblocks.content.shape import Content, RowName
from robbieblocks.content.storing import media_rows, rows
from robbieblocks.content.storing.merging import RowMerge, Side, merge, row_hash
from robbieblocks.content.storing.stored import ONE_MOMENT, Stored, read_rows
from robbieblocks.database import translated
from robbieblocks.model import MediaObject
from robbieblocks.objectstore import Originals


def import_(
    connection: Connection,
    files: Content,
    *,
    prune: bool = False,
    side: Callable[[RowName], Side] = lambda _: None,
    dry_run: bool = False,
    only: Literal["token", "node"] | None = None,
    source: str = "",
    originals: Originals | None = None,
) -> tuple[RowMerge, ...]:
    """Merge `files` into the database's rows, and say what that does to each row.

    `only` leaves the rows of other kinds alone. `source` names another kind of file than those of
    the content folder; for these, what it brings is a change of the database. `originals` is the
    bucket into which media go; without one they go into the database.
    Nothing is written where a row is in conflict, where nothing differs, or in a dry run. A row
    that somebody else changes meanwhile makes it start again. Raises ContentError as `merge` does,
    SchemaOutdated and DatabaseUnavailable, and BucketUnavailable, before anything is written.
    """
    attempts = Retrying(
        retry=retry_if_exception_type((SerializationFailure, DeadlockDetected, UniqueViolation)),
        stop=stop_after_attempt(5),
        wait=wait_random(0, 0.2),
        reraise=True,
    )
    with translated("import the content"):
        # Nobody waits with rows locked until a bucket has taken them.
        brings = files.media if originals and not (dry_run or only) else ()
        objects = media_rows.uploaded(connection, brings, originals) if originals and brings else {}
        return attempts(
            _once,
            connection,
            files,
            prune=prune,
            side=side,
            dry_run=dry_run,
            only=only,
            source=source,
            objects=objects,
        )


def _once(
    connection: Connection,
    files: Content,
    *,
    prune: bool,
    side: Callable[[RowName], Side],
    dry_run: bool,
    only: Literal["token", "node"] | None,
    source: str,
    objects: Mapping[str, MediaObject],
) -> tuple[RowMerge, ...]:
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(ONE_MOMENT)
        held = read_rows(connection)
        if only:
            held = held.only(only)
        if source:
            held = replace(held, imported=_imported(held, files, source))
        found = merge(files, held, prune=prune, side=side)
        if not dry_run and all(row.action != "conflict" for row in found):
            news = [row for row in found if not source or _is_news(row, held)]
            rows.write(cursor, news, source, objects)
        return found


def _imported(held: Stored, files: Content, source: str) -> dict[RowName, str | None]:
    """What was imported last, from the content folder or from `source`, as merging compares it."""
    imported = dict(held.imported)
    for name, row in (*held.content.rows().items(), *files.rows().items()):
        if imported.get(name) == row_hash(row, source):
            imported[name] = row_hash(row)
    return imported


def _is_news(row: RowMerge, held: Stored) -> bool:
    """Whether an import must be remembered; what is equal stays imported from where it came."""
    return row.action != "unchanged" or held.imported.get(row.name) is None


def seed(connection: Connection, content: Content) -> tuple[RowMerge, ...]:
    """Import content, and let it win each conflict; other rows stay."""
    return import_(connection, content, side=lambda _: "theirs")


def remember_export(connection: Connection, held: Stored, names: Iterable[RowName]) -> None:
    """Let what an export wrote of some rows count as imported, so that their files are in step.

    Changes `imported_hash` alone: nothing is built for it. Raises RightsMissing where the role may
    not write, and DatabaseUnavailable.
    """
    exported = held.content.rows()
    news = {
        name: exported[name]
        for name in names
        if held.imported.get(name) != row_hash(exported[name])
    }
    if not news:
        return
    with translated("remember the export"), connection.transaction(), connection.cursor() as cursor:
        rows.remember(cursor, news)
