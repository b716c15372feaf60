"""Reads rows of the database as rows of the model.

Readers of content take the bookmark of an earlier snapshot, which holds each row by id with a
digest of the text that it was made from. A row whose text has the same digest is not decoded: it is
the same object again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Cursor, capabilities
from psycopg.rows import TupleRow

from robbieblocks.database import decoded_json
from robbieblocks.model import (
    METADATA_MARKS,
    REFERENCE_MARKS,
    SHARED_APP,
    BlockRow,
    Bookmark,
    ComponentRow,
    Json,
    NodeRow,
    PageRow,
    TokenRow,
    TriggerRow,
)
from robbieblocks.snapshot import queries
from robbieblocks.snapshot.values import json_value, kept_digest, texts, utc

NOTHING_KNOWN = Bookmark()

# Pages are received a few at a time, so that they are decoded while the server makes the next ones.
_PAGES_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the database: its time, its transactions (a pg_snapshot) and its history.

    `has_media` says whether it has the table of media.
    """

    time: datetime
    visible: str
    history: str
    has_media: bool

    @property
    def next_transaction(self) -> int:
        """The first transaction that had not begun (pg_snapshot_xmax)."""
        return next_transaction(self.visible)


def next_transaction(visible: str) -> int:
    """The first transaction that had not begun when a pg_snapshot was taken."""
    return int(visible.split(":")[1])


def at_once(most: int) -> int:
    """How many rows to receive at a time: libpq before version 17 receives them one by one."""
    return most if capabilities.has_stream_chunked() else 1


def rows(
    cursor: Cursor[TupleRow], query: LiteralString, values: Mapping[str, Any] | None = None
) -> list[TupleRow]:
    """All rows of a query."""
    return cursor.execute(query, values).fetchall()


def moment(cursor: Cursor[TupleRow]) -> Moment:
    """The state that the transaction sees. To be read first: the first query fixes the state."""
    ((time, visible, history, has_media),) = rows(cursor, queries.MOMENT)
    return Moment(utc(time), visible, history or "", has_media)


def page_apps(cursor: Cursor[TupleRow], *, one_each: bool, drafts: bool) -> dict[str, str]:
    """The app of each published page, or of one page for each app, by page key."""
    query = queries.ONE_PAGE_EACH if one_each else queries.PAGE_APPS
    return dict(rows(cursor, query, {"drafts": drafts}))


def shared_frames(cursor: Cursor[TupleRow], keys: Collection[str]) -> frozenset[str]:
    """Which of these pages are frames of `shared`."""
    values = {"keys": list(keys), "shared": SHARED_APP}
    return frozenset(key for (key,) in rows(cursor, queries.SHARED_FRAMES, values))


def nodes(
    cursor: Cursor[TupleRow], named: Sequence[str] | None, known: Bookmark = NOTHING_KNOWN
) -> dict[str, tuple[int | None, NodeRow]]:
    """Nodes by id, in order."""
    found: dict[str, tuple[int | None, NodeRow]] = {}
    for row in rows(cursor, queries.NODES, {"nodes": None if named is None else list(named)}):
        key, name, overrides, enabled, css, scripts, base_url, settings = row
        digest, before = hash(repr(row)), known.nodes.get(key)
        if before is not None and before[0] == digest:
            found[key] = before
            continue
        node = NodeRow(
            id=key,
            name=name,
            overrides=json_value(overrides, "node_branding", key, "style_overrides"),
            enabled_apps=texts(enabled),
            custom_css=css or "",
            custom_scripts=scripts or "",
            base_url=base_url or "",
            settings=json_value(settings, "node_branding", key, "settings"),
        )
        found[key] = kept_digest(digest, node.overrides, node.settings), node
    return found


def pages(
    cursor: Cursor[TupleRow],
    apps: Sequence[str] | None,
    ids: Collection[UUID] | None,
    known: Bookmark,
    *,
    drafts: bool = False,
) -> dict[UUID, tuple[int | None, PageRow]]:
    """Published pages (and `drafts`) by id, of these apps (None: all) and ids (None: all)."""
    found: dict[UUID, tuple[int | None, PageRow]] = {}
    unread: list[tuple[int, TupleRow]] = []
    selection = {
        "apps": None if apps is None else list(apps),
        "ids": _listed(ids),
        "drafts": drafts,
    }
    for row in cursor.stream(queries.PAGES, selection, size=at_once(_PAGES_AT_ONCE)):
        digest, before = hash(row), known.pages.get(row[0])
        if before is not None and before[0] == digest:
            found[row[0]] = before
            continue
        try:
            blocks = _decoded(row[-1])
        except Exception:  # noqa: BLE001 - read again below, where each value that fails is told
            unread.append((digest, row))
        else:
            page = _page(row, blocks)
            found[row[0]] = kept_digest(digest, page.metadata), page
    for digest, row in unread:
        page = _page(row, _one_by_one(cursor, row[0], row[1]))
        values = chain.from_iterable((each.props, each.conditions) for each in page.blocks)
        found[row[0]] = kept_digest(digest, page.metadata, *values), page
    return found


def _page(row: TupleRow, blocks: tuple[BlockRow, ...]) -> PageRow:
    key_id, key, app, name, route, layout, title, description, *more = row
    *times, metadata, draft, modified, _ = more
    created_at, published_at = [utc(time) if time else None for time in times]
    return PageRow(
        id=key_id,
        key=key,
        app=app,
        name=name,
        route=route,
        layout=layout,
        meta_title=title,
        meta_description=description,
        created_at=created_at,
        published_at=None if draft else published_at,
        metadata=json_value(metadata, "page", key, "metadata"),
        blocks=blocks,
        modified=modified,
        draft=draft,
        relates=any(mark in (row[-1] or "") for mark in REFERENCE_MARKS)
        or any(mark in (metadata or "") for mark in METADATA_MARKS),
    )


def _decoded(text: str | None) -> tuple[BlockRow, ...]:
    """A page's blocks. Raises as `decoded_json` does: too long together, or one is bad."""
    return _blocks(decoded_json(text)) if text is not None else ()


def _one_by_one(cursor: Cursor[TupleRow], page: UUID, key: str) -> tuple[BlockRow, ...]:
    """A page's blocks, with a text in place of each value that can't be read."""
    return _blocks(
        (
            order,
            zone,
            component,
            json_value(props, "page", key, "props"),
            json_value(conditions, "page", key, "conditions"),
        )
        for order, zone, component, props, conditions in rows(
            cursor, queries.BLOCKS, {"page": page}
        )
    )


def _blocks(found: Iterable[tuple[int, str, str | None, Json, Json]]) -> tuple[BlockRow, ...]:
    return tuple(
        [
            BlockRow(
                order,
                zone,
                component or "",
                {} if props is None else props,
                {} if conditions is None else conditions,
            )
            for order, zone, component, props, conditions in found
        ]
    )


def components(
    cursor: Cursor[TupleRow],
    ids: Collection[UUID] | None,
    known: Bookmark,
    *,
    drafts: bool = False,
) -> dict[UUID, tuple[str, int, ComponentRow]]:
    """Components by id, of these ids (None: all), each with its version."""
    found: dict[UUID, tuple[str, int, ComponentRow]] = {}
    for key_id, version, *row in rows(cursor, queries.COMPONENTS, {"ids": _listed(ids)}):
        key, name, kind, code, css, schema, dependencies, published, metadata = row
        digest, before = hash(repr(row)) + drafts, known.components.get(key_id)
        if before is not None and before[0] and before[1] == digest:
            found[key_id] = (version, digest, before[2])
            continue
        component = ComponentRow(
            id=key_id,
            key=key,
            name=name,
            type=kind,
            code=code,
            css=css or "",
            props_schema=json_value(schema, "component", key, "props_schema"),
            dependencies=texts(dependencies),
            published=bool(published) or drafts,
            metadata=json_value(metadata, "component", key, "metadata"),
            draft=drafts and not published,
        )
        read = kept_digest(digest, component.props_schema, component.metadata)
        # No component has such a version: it is read again.
        found[key_id] = (version if read is not None else "", digest, component)
    return found


def versions(cursor: Cursor[TupleRow]) -> dict[UUID, str]:
    """The version of each component, by id."""
    return dict(rows(cursor, queries.VERSIONS))


def tokens(cursor: Cursor[TupleRow]) -> list[TokenRow]:
    """All tokens, by key."""
    return [
        TokenRow(key=key, category=category, default=default)
        for key, category, default in rows(cursor, queries.TOKENS)
    ]


def triggers(cursor: Cursor[TupleRow], nodes: Sequence[str] | None) -> list[TriggerRow]:
    """Queue rows that wait for one of the nodes (None: for any), oldest first."""
    return [
        TriggerRow(
            id=key,
            trigger_type=trigger,
            affected_apps=None if to_apps is None else texts(to_apps),
            affected_nodes=None if to_nodes is None else texts(to_nodes),
            auto_deploy=auto is not False,
            created_at=utc(created_at) if created_at else None,
        )
        for key, trigger, to_apps, to_nodes, auto, created_at in rows(
            cursor, queries.TRIGGERS, {"nodes": None if nodes is None else list(nodes)}
        )
    ]


def edited(cursor: Cursor[TupleRow], seen: str, most: int) -> tuple[set[UUID], bool]:
    """Up to `most` pages with queue rows that the pg_snapshot `seen` does not include, and whether
    there are such rows of media; where there are more pages, that is not known.
    """
    found = {row[0] for row in rows(cursor, queries.EDITED, {"seen": seen, "most": most + 1})}
    return found - {None}, None in found


def placing(cursor: Cursor[TupleRow], component_ids: Collection[UUID], most: int) -> set[UUID]:
    """Up to `most` pages that place one of these components."""
    if not component_ids:
        return set()
    found = rows(cursor, queries.PLACING, {"ids": _listed(component_ids), "most": most})
    return {row[0] for row in found}


def _listed(ids: Collection[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(ids)
