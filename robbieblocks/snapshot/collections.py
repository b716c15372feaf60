"""Reads collections: rows of views that the settings name, none of which is a table of ours.

What is wrong with a view is a problem of its collection: everything else is read.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import blake2b
from operator import attrgetter
from typing import Final, cast

import psycopg
from psycopg import Cursor, errors, sql
from psycopg.rows import TupleRow

from robbieblocks.database import decoded_json, translated
from robbieblocks.errors import ContentError, DatabaseUnavailable, Problem, ViewEndedSessions
from robbieblocks.media_names import REFERENCE
from robbieblocks.messages import counted, did_you_mean, printable, size
from robbieblocks.model import (
    CollectionRow,
    CollectionSource,
    RowCollection,
    Snapshot,
    doubled,
)
from robbieblocks.row_faults import blame, is_passing
from robbieblocks.snapshot import queries, reading, view_faults
from robbieblocks.snapshot.beside import BesideSession, SessionEnded, SessionOverdue
from robbieblocks.snapshot.view_faults import ENTITY, Unreadable

ROW_BYTES_MAX: Final = 256 * 1024
COLLECTION_BYTES_MAX: Final = 256 * 1024 * 1024

# Where more rows have changed, all are read.
_CHANGED_MAX: Final = 1_000
_ROWS_AT_ONCE: Final = 500
_MEDIA: Final = attrgetter("media")
_PLACE: Final = attrgetter("key", "digest")


@dataclass(frozen=True, slots=True)
class _View:
    """A view that can be read: its name as Postgres writes it, and its columns."""

    name: str
    columns: tuple[str, ...]


def read(
    cursor: Cursor[TupleRow],
    sources: Sequence[CollectionSource],
    previous: Snapshot | None,
    *,
    only_changes: bool,
    alone: Collection[str] = (),
) -> tuple[RowCollection, ...]:
    """The collections of these sources, within a transaction that reads one state.

    Rows that have not changed since `previous` are its own objects, and with `only_changes` those
    alone are read that the queue names. A view that can't be read makes no error, nor does a
    template that is no page: the collection says why. Those named by `alone` are not read. Views
    are read over a session of their own. Raises ViewEndedSessions.
    """
    with closing(BesideSession(cursor)) as beside:
        return _all(cursor, beside, sources, previous, only_changes, alone)


def _all(
    cursor: Cursor[TupleRow],
    beside: BesideSession,
    sources: Sequence[CollectionSource],
    previous: Snapshot | None,
    only_changes: bool,
    alone: Collection[str],
) -> tuple[RowCollection, ...]:
    known = {each.source.name: each for each in (previous.collections if previous else ())}
    changed: Mapping[str, set[str] | None] | None = None
    if only_changes and previous is not None:
        changed = _changed(cursor, previous.bookmark.visible)
    templates = {"keys": [source.template_page for source in sources if source.template_page]}
    there = {key for (key,) in reading.rows(cursor, queries.PAGES_THERE, templates)}
    found: list[RowCollection] = []
    for source in sources:
        before = known.get(source.name)
        if source.template_page and source.template_page not in there:
            found.append(RowCollection(source=source, fault=view_faults.without_template(source)))
            continue
        if source.name in alone:
            fault = view_faults.left_alone(source)
            found.append(RowCollection(source=source, fault=fault, is_costly=True))
            continue
        keys: set[str] | None = None
        if changed is not None and before is not None and _still_holds(before, source):
            keys = changed.get(source.name, set())
            if before.unread:
                # A row without a key is found among all of them alone.
                keys = None if keys is None or "" in before.unread else keys | before.unread
        if before is not None and keys is not None and not keys:
            found.append(before)
        else:
            found.append(_read(beside, source, before, keys))
    before_all = previous.collections if previous else ()
    same = len(found) == len(before_all) and all(
        new is old for new, old in zip(found, before_all, strict=True)
    )
    return before_all if same else tuple(found)


def row_of(
    connection: psycopg.Connection[TupleRow], source: CollectionSource, key: str
) -> CollectionRow | None:
    """The row that a key names, as it is now; None where there is not exactly one.

    Raises ContentError where it, or the view, can't be read; DatabaseUnavailable.
    """
    with (
        translated(f"read the collection {source.name}"),
        connection.transaction(),
        connection.cursor() as cursor,
        closing(BesideSession(cursor)) as beside,
    ):
        cursor.execute(queries.ONE_STATE)
        found = _read(beside, source, None, (key,))
    fault = found.fault or next((row.fault for row in found.rows if row.fault), None)
    if fault is not None:
        raise ContentError((fault,))
    return found.rows[0] if len(found.rows) == 1 else None


def _still_holds(before: RowCollection, source: CollectionSource) -> bool:
    # What keeps an edit of another row waiting, and fails, is not tried with each.
    return (before.fault is None or before.is_costly) and before.source == source


def _changed(cursor: Cursor[TupleRow], seen: str) -> Mapping[str, set[str] | None] | None:
    """The keys of changed rows by collection, None for all of them; None where nobody can tell."""
    told = reading.rows(cursor, queries.COLLECTED, {"seen": seen, "most": _CHANGED_MAX})
    if len(told) == _CHANGED_MAX:
        return None
    found: dict[str, set[str] | None] = {}
    for name, key in told:
        if name is None:
            return None
        keys = found.setdefault(name, set())
        if key is None:
            found[name] = None
        elif keys is not None:
            keys.add(key)
    return found


def _read(
    beside: BesideSession,
    source: CollectionSource,
    before: RowCollection | None,
    keys: Collection[str] | None,
) -> RowCollection:
    """A collection, of which only the rows with these keys are read (None: all)."""
    if before is not None and before.fault is not None:
        before, keys = None, None
    try:
        # It runs nothing of the view's, and a new session would read the catalogue for it first.
        view = _view(beside.main, source)
    except Unreadable as error:
        return RowCollection(source=source, fault=view_faults.fault_of(source, error))
    try:
        with beside.reading(source.name) as cursor:
            rows = _rows(cursor, source, view, before, keys)
    except Unreadable as error:
        wrong, is_costly = error, False
    except ViewEndedSessions:
        raise
    except DatabaseUnavailable as error:
        return RowCollection(source=source, fault=view_faults.no_session(source, error))
    except SessionOverdue:
        wrong, is_costly = view_faults.overdue(source), True
    except SessionEnded as error:
        wrong, is_costly = view_faults.ended(source, error), True
    except psycopg.Error as error:
        wrong = view_faults.refused(source, error)
        is_costly = isinstance(error, errors.QueryCanceled)
    else:
        return _made(source, view, rows, before)
    fault = view_faults.fault_of(source, wrong)
    return RowCollection(source=source, fault=fault, is_costly=is_costly)


def _made(
    source: CollectionSource,
    view: _View,
    rows: Sequence[CollectionRow],
    before: RowCollection | None,
) -> RowCollection:
    made = RowCollection(
        source=source,
        columns=view.columns,
        rows=tuple(rows),
        media=frozenset[str]().union(*filter(None, map(_MEDIA, rows))),
        unread=frozenset([row.key for row in rows if not row.digest]),
    )
    return before if before is not None and before == made else made


def _view(cursor: Cursor[TupleRow], source: CollectionSource) -> _View:
    """The view, once it is known that it can be read. Raises Unreadable."""
    name = ".".join(source.view)
    quoted = ".".join('"' + part.replace('"', '""') + '"' for part in source.view)
    found = reading.rows(cursor, queries.VIEW, {"view": quoted})
    if not found:
        remedy = "create it, or correct `view` in the settings; case counts"
        raise Unreadable(f"there is no view or table {name} in the search_path", remedy)
    ((written, may_read, role, columns, types, have_json),) = found
    if not may_read:
        remedy = f"GRANT SELECT ON {written} TO {role};"
        raise Unreadable(f"{written} may not be read by {role}", remedy)
    for column, type_, has_json in zip(columns, types, have_json, strict=True):
        if not has_json:
            remedy = f"cast it to text in the view, as in {printable(column)}::text"
            what = f"the column is of the type {type_}, which pages can't have"
            raise Unreadable(what, remedy, column)
    if "__proto__" in columns:
        what = f"{written} has a column __proto__, which sets an object's prototype in JavaScript"
        raise Unreadable(what, "give it another name in the view", "__proto__")
    named = dict.fromkeys((source.key, *source.route_columns))
    for column in named:
        if column not in columns:
            what = f"{written} has no column {printable(column)}"
            raise Unreadable(what, did_you_mean(column, columns), column)
    return _View(written, tuple(columns))


def _rows(
    cursor: Cursor[TupleRow],
    source: CollectionSource,
    view: _View,
    before: RowCollection | None,
    keys: Collection[str] | None,
) -> list[CollectionRow]:
    """The rows, in the order of their keys. Raises Unreadable where there are too many."""
    query = sql.SQL(queries.COLLECTION_ROWS).format(
        view=sql.Identifier(*source.view), key=sql.Identifier(source.key)
    )
    values = {
        "keys": None if keys is None else list(keys),
        "bytes": ROW_BYTES_MAX,
        "most": source.rows_max + 1,
    }
    rows: list[CollectionRow] = []
    there: Iterable[CollectionRow] = before.rows if before is not None else ()
    if keys is not None and before is not None:
        rows += [row for row in there if row.key not in keys]
        there = (row for row in there if row.key in keys)
    known = {row.digest: row for row in there if row.digest}
    total = 0
    stream = cursor.stream(query, values, size=reading.at_once(_ROWS_AT_ONCE))
    # It is closed before the transaction ends: a connection does one thing at a time.
    with closing(cast("Generator[TupleRow]", stream)) as held:
        for key, whole, length in held:
            total += length
            if total > COLLECTION_BYTES_MAX:
                most = size(COLLECTION_BYTES_MAX)
                what = f"the rows of {view.name} have more than {most} as JSON"
                raise Unreadable(what, "leave out columns that no page shows")
            digest = blake2b(f"{key}\0{length}\0{whole}".encode(), digest_size=8).hexdigest()
            row = known.get(digest)
            rows.append(row if row is not None else _row(source, key, whole, length, digest))
            if len(rows) > source.rows_max:
                what = f"{view.name} has more than {counted(source.rows_max, 'row')}"
                remedy = "raise rows_max in the settings, or have the view leave out some"
                raise Unreadable(what, remedy)
    return sorted(rows, key=_PLACE)


def _row(
    source: CollectionSource, key: str | None, whole: str | None, length: int, digest: str
) -> CollectionRow:
    name = f"{source.name}/{printable(key or 'null')}"
    faults: list[Problem] = []
    if whole is None:
        what = f"the row has {size(length)} as JSON, and at most {size(ROW_BYTES_MAX)} are read"
        faults.append(Problem(entity=ENTITY, key=name, what=what, remedy="shorten its texts"))
        return CollectionRow(key=key or "", digest=digest, fault=faults[0])
    with blame(faults.append, ENTITY, name):
        values = decoded_json(whole, as_browsers_hold=True)
        return CollectionRow(
            key=key or "",
            values=values,
            shown={name: doubled(value) for name, value in values.items()}
            if "{{" in whole
            else values,
            digest=digest,
            media=frozenset(REFERENCE.findall(whole)) if "media:" in whole else frozenset(),
        )
    # One without a digest is read again with the next look.
    kept = "" if is_passing(faults) else digest
    return CollectionRow(key=key or "", digest=kept, fault=faults[0])
