"""Taking a snapshot, whole or from an earlier one."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from operator import attrgetter, is_
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow, tuple_row

from robbieblocks import collector
from robbieblocks.database import translated
from robbieblocks.model import (
    SHARED_APP,
    Bookmark,
    ComponentRow,
    NodeRow,
    PageRow,
    Snapshot,
    TriggerRow,
)
from robbieblocks.snapshot import reading
from robbieblocks.snapshot.reading import NOTHING_KNOWN, Moment

_Row = TypeVar("_Row")
_Pages = Mapping[UUID, tuple[int, PageRow]]
_Components = Mapping[UUID, tuple[str, int, ComponentRow]]
# Both by id, and the pages in order.
_Content = tuple[_Components, _Pages, Sequence[PageRow]]

# One transaction that sees one state and can't write.
_FROZEN: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

# With more than a fifth changed, reading everything is as quick; so few are quick in any case.
_FEW: Final = 64
_FIFTH: Final = 5

# Queue rows go 30 days after they were handled, and a component's version comes again after four
# thousand million transactions: a day is far from both.
_LONGEST: Final = timedelta(days=1)

_KEY: Final = attrgetter("key")


def take(
    connection: Connection,
    *,
    nodes: Sequence[str] | None = None,
    apps: Collection[str] | None = None,
    previous: Snapshot | None = None,
) -> Snapshot:
    """The content as one transaction sees it, in an order that depends on keys alone.

    `nodes` leaves out other nodes, pages of apps that none of them carries, and queue rows that
    concern none of them. `apps` leaves out pages of other apps (routes can then not be checked
    across apps). Components and tokens are always all there. The transaction is over on return.

    Everything is read, whatever `previous` holds; rows that read as they did for it are its own
    objects. JSON that Python or JavaScript can't hold never raises: a number beyond IEEE 754 range
    is its text, and a value nested too deep is a text that says so, for the checks of props to
    report. Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read the content") as cursor, collector.paused():
        return _read(cursor, nodes, apps, previous, trusting_the_queue=False)


def refresh(
    connection: Connection, previous: Snapshot, *, nodes: Sequence[str] | None = None
) -> Snapshot:
    """What `take` would return, from the rows that changed since `previous` and those it holds.

    What did not change is the very same object. Which pages changed is told by the queue rows that
    the transaction of `previous` did not see, whoever has handled them since; components are
    compared by version, and the rest is always read. Where that can't be relied on (another server
    or database, a restart, a TRUNCATE, capture switched off meanwhile, other apps), and where much
    changed, everything is read.

    It relies on the queue: an edit that left no row there (made as a replica), or whose row was
    deleted by hand, shows only with the next `take`. Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read what changed") as cursor, collector.paused():
        return _read(cursor, nodes, None, previous, trusting_the_queue=True)


def nodes(connection: Connection) -> tuple[NodeRow, ...]:
    """All nodes, by id. Raises DatabaseUnavailable and SchemaOutdated."""
    with _transaction(connection, "read the nodes") as cursor:
        return tuple(row for _, row in reading.nodes(cursor, None).values())


def page_apps(connection: Connection, *, one_each: bool = False) -> dict[str, str]:
    """The app of each published page, by page key; with `one_each`, for one page of each app.

    Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read which pages are published") as cursor:
        return reading.page_apps(cursor, one_each=one_each)


def triggers(
    connection: Connection, *, nodes: Sequence[str] | None = None
) -> tuple[TriggerRow, ...]:
    """Queue rows that wait for one of the nodes (None: for any), oldest first."""
    with _transaction(connection, "read the queue") as cursor:
        return tuple(reading.triggers(cursor, nodes))


@contextmanager
def _transaction(connection: Connection, what: str) -> Iterator[Cursor[TupleRow]]:
    with (
        translated(what),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(_FROZEN)
        yield cursor


def _read(
    cursor: Cursor[TupleRow],
    named: Sequence[str] | None,
    apps: Collection[str] | None,
    previous: Snapshot | None,
    *,
    trusting_the_queue: bool,
) -> Snapshot:
    moment = reading.moment(cursor)
    known = previous.bookmark if previous is not None else NOTHING_KNOWN
    node_rows = reading.nodes(cursor, named, known)
    wanted = _carried((row for _, row in node_rows.values()), named, apps)
    changed = None
    if trusting_the_queue and previous is not None and wanted == known.apps:
        changed = _continued(cursor, moment, previous)
    components, pages, in_order = changed or _whole(cursor, wanted, known)
    tokens, waiting = reading.tokens(cursor), reading.triggers(cursor, named)
    return Snapshot(
        pages=_kept(in_order, previous.pages if previous else ()),
        components=_by_key(components, previous.components if previous else {}),
        tokens=_equal_kept(tokens, previous.tokens if previous else ()),
        nodes=_kept([row for _, row in node_rows.values()], previous.nodes if previous else ()),
        triggers=_equal_kept(waiting, previous.triggers if previous else ()),
        taken_at=moment.time,
        bookmark=Bookmark(
            history=moment.history,
            visible=moment.visible,
            apps=wanted,
            pages=pages,
            components=components,
            nodes=node_rows,
        ),
    )


def _carried(
    node_rows: Iterable[NodeRow], nodes: Sequence[str] | None, apps: Collection[str] | None
) -> tuple[str, ...] | None:
    """The apps whose pages are wanted; None for all."""
    if nodes is None:
        return None if apps is None else tuple(sorted(apps))
    carried = {app for node in node_rows for app in node.apps} | {SHARED_APP}
    return tuple(sorted(carried if apps is None else carried & set(apps)))


def _whole(cursor: Cursor[TupleRow], apps: Sequence[str] | None, known: Bookmark) -> _Content:
    """All components, and all pages of the apps."""
    pages = reading.pages(cursor, apps, None, known)
    in_order = sorted((row for _, row in pages.values()), key=_KEY)
    return reading.components(cursor, None, known), pages, in_order


def _continued(cursor: Cursor[TupleRow], moment: Moment, previous: Snapshot) -> _Content | None:
    """What changed, in what is known; None where that can't be told or is too much.

    A page changes with its own queue rows, and when a component that it places comes, goes or
    is given another key. One that placed it before and does not any more has a row of its own.
    """
    known = previous.bookmark
    if (
        not moment.history
        or moment.history != known.history
        or moment.next_transaction < reading.next_transaction(known.visible)
        or not timedelta() <= moment.time - previous.taken_at < _LONGEST
    ):
        return None
    components = _continued_components(cursor, known)
    if components is None:
        return None
    most = _most(known.pages)
    stale = reading.edited(cursor, known.visible, most)
    stale |= reading.placing(cursor, _renamed(known.components, components), most)
    if len(stale) >= most:
        return None
    if not stale:
        return components, known.pages, previous.pages
    fresh = reading.pages(cursor, known.apps, stale, known)
    pages = {**known.pages}
    for key in stale:
        pages.pop(key, None)
    gone = [known.pages[key][1] for key in stale if key in known.pages]
    came = [row for _, row in fresh.values()]
    return components, pages | fresh, _replaced(previous.pages, gone, came)


def _replaced(
    before: Sequence[PageRow], gone: Iterable[PageRow], came: Iterable[PageRow]
) -> list[PageRow]:
    """Pages by key, without those that went and with those that came."""
    rows = list(before)
    for row in gone:
        del rows[bisect_left(rows, row.key, key=_KEY)]
    for row in came:
        insort(rows, row, key=_KEY)
    return rows


def _continued_components(cursor: Cursor[TupleRow], known: Bookmark) -> _Components | None:
    before = known.components
    versions = reading.versions(cursor)
    stale = [
        key for key, version in versions.items() if key not in before or before[key][0] != version
    ]
    if len(stale) >= _most(before):
        return None
    if not stale and len(before) == len(versions):
        return before
    kept = {key: row for key, row in before.items() if key in versions}
    return kept | reading.components(cursor, stale, known)


def _most(rows: Mapping[UUID, Any]) -> int:
    """From how many changed rows on everything is read."""
    return max(_FEW, len(rows) // _FIFTH)


def _renamed(before: _Components, after: _Components) -> set[UUID]:
    """Components that came, went or have another key."""
    if before is after:
        return set()
    shared = before.keys() & after.keys()
    moved = {key for key in shared if before[key][2].key != after[key][2].key}
    return moved | (before.keys() ^ after.keys())


# --- the same objects ------------------------------------------------------------------------


def _kept(rows: Sequence[_Row], before: tuple[_Row, ...]) -> tuple[_Row, ...]:
    """The rows; where they are the very same ones, the same tuple."""
    if rows is before:
        return before
    same = len(rows) == len(before) and all(map(is_, rows, before))
    return before if same else tuple(rows)


def _equal_kept(rows: Sequence[_Row], before: tuple[_Row, ...]) -> tuple[_Row, ...]:
    """The rows, each as it was before where it is equal; only for rows of texts, ids and times."""
    known = {row: row for row in before}
    return _kept([known.get(row, row) for row in rows], before)


def _by_key(
    components: _Components, before: Mapping[str, ComponentRow]
) -> Mapping[str, ComponentRow]:
    rows = sorted((row for _, _, row in components.values()), key=_KEY)
    if len(rows) == len(before) and all(map(is_, rows, before.values())):
        return before
    return {row.key: row for row in rows}
