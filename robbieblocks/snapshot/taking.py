"""Takes a snapshot: reads all content, or what changed since an earlier snapshot."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Final
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow, tuple_row

from robbieblocks import collector
from robbieblocks.database import check_whole, translated
from robbieblocks.model import (
    SHARED_APP,
    Bookmark,
    CollectionSource,
    NodeRow,
    PageRow,
    Snapshot,
    TriggerRow,
    same,
    with_changed,
)
from robbieblocks.snapshot import collections, media, queries, reading, sharing
from robbieblocks.snapshot.reading import NOTHING_KNOWN, Moment
from robbieblocks.snapshot.sharing import KEY, Components

_Pages = Mapping[UUID, tuple[int | None, PageRow]]
# Both by id, the pages in order, those that could not be read, and whether media may have changed.
_Content = tuple[Components, _Pages, Sequence[PageRow], frozenset[UUID], bool]

# Where more than a fifth of the rows have changed, reading all of them is as quick; up to 64 are
# read alone in any case.
_CHANGED_MIN: Final = 64
_CHANGED_PART: Final = 5

# Queue rows are removed 30 days after they were processed, and a component's version is used again
# after four thousand million transactions. A day is far from both.
_AGE_MAX: Final = timedelta(days=1)


def take(
    connection: Connection,
    *,
    nodes: Sequence[str] | None = None,
    apps: Collection[str] | None = None,
    previous: Snapshot | None = None,
    drafts: bool = False,
    sources: Sequence[CollectionSource] = (),
    alone: Collection[str] = (),
) -> Snapshot:
    """The content as one transaction sees it, in an order that depends on keys alone.

    `nodes` leaves out other nodes, pages of apps that none of them carries, and queue rows that
    concern none of them. `apps` leaves out pages of other apps (routes can then not be checked
    across apps). Components and tokens are always all there. The transaction is over on return.
    With `drafts` pages that are drafts are there too, and each component counts as published.
    `sources` are the collections that are read too, but for those whose names are in `alone`.

    Everything is read, also with `previous`; rows that have not changed since are its own objects.
    JSON that Python or JavaScript can't hold never raises: a number beyond IEEE 754 range
    is its text, and a value nested too deep is a text that says so, for the checks of props to
    report. Raises DatabaseUnavailable, SchemaOutdated, SchemaIncomplete while tables, triggers
    or functions are missing or disabled, and ViewEndedSessions.
    """
    with _transaction(connection, "read the content") as cursor, collector.paused():
        return _read(
            cursor, nodes, apps, previous, sources, alone, only_changes=False, drafts=drafts
        )


def refresh(
    connection: Connection,
    previous: Snapshot,
    *,
    nodes: Sequence[str] | None = None,
    sources: Sequence[CollectionSource] = (),
    alone: Collection[str] = (),
) -> Snapshot:
    """What `take` would return, made of the rows that changed since `previous` and of its others.

    A row that did not change is the same object. Pages changed if a queue row names them that the
    transaction of `previous` did not see, and so did media and collections; components are compared
    by version; all else is always read. Everything is read where the queue can't tell what changed
    (another server or database, a restart, a TRUNCATE, capture disabled meanwhile, other apps), and
    where much changed.

    An edit that left no queue row (made as a replica), or whose row was deleted by hand, appears
    only with the next `take`, and so does one of a table whose collection has no triggers. Raises
    DatabaseUnavailable, SchemaOutdated and ViewEndedSessions.
    """
    with _transaction(connection, "read what changed") as cursor, collector.paused():
        return _read(cursor, nodes, None, previous, sources, alone, only_changes=True)


def nodes(connection: Connection) -> tuple[NodeRow, ...]:
    """All nodes, by id. Raises DatabaseUnavailable and SchemaOutdated."""
    with _transaction(connection, "read the nodes") as cursor:
        found = reading.nodes(cursor, None)
        if not found:
            # A restore may have made the table, and not yet its rows.
            check_whole(cursor)
        return tuple(row for _, row in found.values())


def page_apps(
    connection: Connection, *, one_each: bool = False, drafts: bool = False
) -> dict[str, str]:
    """The app of each published page, by page key; with `one_each`, for one page of each app.

    With `drafts`, those are pages too.

    Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read which pages are published") as cursor:
        return reading.page_apps(cursor, one_each=one_each, drafts=drafts)


def shared_frames(connection: Connection, keys: Collection[str]) -> frozenset[str]:
    """Which of these pages are frames of `shared`, by key: each is around pages of every app.

    Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read which pages are frames") as cursor:
        return reading.shared_frames(cursor, keys)


def triggers(
    connection: Connection, *, nodes: Sequence[str] | None = None
) -> tuple[TriggerRow, ...]:
    """Queue rows that wait for one of the nodes (None: for any), oldest first."""
    with _transaction(connection, "read the queue") as cursor:
        return tuple(reading.triggers(cursor, nodes))


@contextmanager
def _transaction(connection: Connection, what: str) -> Generator[Cursor[TupleRow]]:
    with (
        translated(what),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(queries.ALL_OF_ONE_STATE)
        yield cursor


def _read(
    cursor: Cursor[TupleRow],
    named: Sequence[str] | None,
    apps: Collection[str] | None,
    previous: Snapshot | None,
    sources: Sequence[CollectionSource],
    alone: Collection[str],
    *,
    only_changes: bool,
    drafts: bool = False,
) -> Snapshot:
    moment = reading.moment(cursor)
    known = previous.bookmark if previous is not None else NOTHING_KNOWN
    node_rows = reading.nodes(cursor, named, known)
    wanted = _wanted_apps((row for _, row in node_rows.values()), named, apps)
    changed = None
    if only_changes and previous is not None and wanted == known.apps:
        changed = _read_changed(cursor, moment, previous)
    tells = changed is not None
    if changed is None:
        # An edit alone costs nothing: its triggers are those of the snapshot before.
        check_whole(cursor)
        changed = _read_all(cursor, wanted, known, drafts=drafts)
    components, pages, in_order, unread, media_changed = changed
    tokens, waiting = reading.tokens(cursor), reading.triggers(cursor, named)
    return Snapshot(
        pages=sharing.shared(in_order, previous.pages if previous else ()),
        collections=collections.read(cursor, sources, previous, only_changes=tells, alone=alone)
        if sources
        else (),
        components=sharing.by_key(components, previous.components if previous else {}),
        tokens=sharing.shared_if_equal(tokens, previous.tokens if previous else ()),
        nodes=sharing.shared(
            [row for _, row in node_rows.values()], previous.nodes if previous else ()
        ),
        triggers=sharing.shared_if_equal(waiting, previous.triggers if previous else ()),
        media=media.read(cursor, moment, previous, changed=media_changed),
        media_content=partial(media.content, cursor.connection),
        taken_at=moment.time,
        bookmark=Bookmark(
            history=moment.history,
            visible=moment.visible,
            apps=wanted,
            pages=pages,
            unread=unread,
            components=components,
            nodes=node_rows,
        ),
    )


def _wanted_apps(
    node_rows: Iterable[NodeRow], nodes: Sequence[str] | None, apps: Collection[str] | None
) -> tuple[str, ...] | None:
    """The apps whose pages are wanted; None for all."""
    if nodes is None:
        return None if apps is None else tuple(sorted(apps))
    enabled = {app for node in node_rows for app in node.apps} | {SHARED_APP}
    return tuple(sorted(enabled if apps is None else enabled & set(apps)))


def _read_all(
    cursor: Cursor[TupleRow], apps: Sequence[str] | None, known: Bookmark, *, drafts: bool
) -> _Content:
    """All components, and all pages of the apps."""
    pages = reading.pages(cursor, apps, None, known, drafts=drafts)
    in_order = sorted((row for _, row in pages.values()), key=KEY)
    components = reading.components(cursor, None, known, drafts=drafts)
    return components, pages, in_order, _unread(pages), True


def _read_changed(cursor: Cursor[TupleRow], moment: Moment, previous: Snapshot) -> _Content | None:
    """The content of `previous` with what changed since; None where everything is to be read.

    A page changes with its own queue rows, and when a component that it places is added, removed or
    gets another key. A page that no longer places it has a queue row of its own.
    """
    known = previous.bookmark
    if (
        not moment.history
        or moment.history != known.history
        or moment.next_transaction < reading.next_transaction(known.visible)
        or not timedelta() <= moment.time - previous.taken_at < _AGE_MAX
    ):
        return None
    components = _changed_components(cursor, known)
    if components is None:
        return None
    limit = _changed_limit(len(known.pages))
    changed, media_changed = reading.edited(cursor, known.visible, limit)
    changed |= known.unread | reading.placing(cursor, _renamed(known.components, components), limit)
    if len(changed) >= limit:
        return None
    if not changed:
        return components, known.pages, previous.pages, frozenset(), media_changed
    read = reading.pages(cursor, known.apps, changed, known)
    # A copy hashes no id again.
    kept = dict(known.pages)
    for key in changed:
        kept.pop(key, None)
    removed = [known.pages[key][1] for key in changed if key in known.pages]
    added = [row for _, row in read.values()]
    in_order = with_changed(previous.pages, removed, added, KEY)
    kept |= read
    return components, kept, in_order, _unread(read), media_changed


def _unread(pages: _Pages) -> frozenset[UUID]:
    return frozenset([key for key, (digest, _) in pages.items() if digest is None])


def _changed_components(cursor: Cursor[TupleRow], known: Bookmark) -> Components | None:
    """The known components with what changed; None where so many did that all are to be read."""
    before = known.components
    versions = reading.versions(cursor)
    changed = [
        key for key, version in versions.items() if key not in before or before[key][0] != version
    ]
    if len(changed) >= _changed_limit(len(before)):
        return None
    if not changed and len(before) == len(versions):
        return before
    kept = {key: row for key, row in before.items() if key in versions}
    return kept | reading.components(cursor, changed, known)


def _changed_limit(row_count: int) -> int:
    """The number of changed rows at which all are read."""
    return max(_CHANGED_MIN, row_count // _CHANGED_PART)


def _renamed(before: Components, after: Components) -> set[UUID]:
    """The components that were added, removed or given another key."""
    if same(before, after):
        return set()
    in_both = before.keys() & after.keys()
    other_key = {key for key in in_both if before[key][2].key != after[key][2].key}
    return other_key | (before.keys() ^ after.keys())
