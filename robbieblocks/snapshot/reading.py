"""The snapshot's queries, and rows as they come from them.

Readers of content take what is known from an earlier snapshot, by id, each row with a digest of the
text that it was made from: what reads the same again is the same object, and isn't decoded again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Cursor, capabilities
from psycopg.rows import TupleRow

from robbieblocks.model import (
    BlockRow,
    Bookmark,
    ComponentRow,
    Json,
    NodeRow,
    PageRow,
    TokenRow,
    TriggerRow,
)
from robbieblocks.snapshot.values import decode, json_value, texts, utc

NOTHING_KNOWN = Bookmark()

# Pages come a few at a time, so that they are decoded while the server makes the next ones. Before
# its version 17 libpq gives rows one by one.
_AT_ONCE = 32 if capabilities.has_stream_chunked() else 1

# The state's time, without a zone so that no session setting changes it; which transactions it
# sees; and what must be as it was for the queue to tell everything that changed since: the server's
# run, the database, no TRUNCATE (it empties a table for older states too) and no rewrite, and
# capture never off in between (DISABLE TRIGGER writes a new version of the trigger's own row).
# Null where the queue doesn't tell: capture is off, the schema is older, or the server is a
# standby, whose pg_current_snapshot lists no transactions.
_MOMENT: LiteralString = """
    SELECT now() AT TIME ZONE 'UTC', pg_current_snapshot()::text,
           (SELECT CASE WHEN count(*) FILTER (WHERE t.tgname LIKE 'robbieblocks\\_capture\\_%'
                                                AND t.tgenabled IN ('O', 'A')) = 8
                         AND count(*) FILTER (WHERE t.tgname = 'robbieblocks_notify'
                                                AND t.tgenabled = 'A') = 1
                         AND EXISTS (SELECT FROM pg_attribute AS a
                                      WHERE a.attrelid = to_regclass('robbieblocks_change_triggers')
                                        AND a.attname = 'change_xid' AND NOT a.attisdropped)
                         AND NOT pg_is_in_recovery()
                        THEN concat_ws(' ', extract(epoch FROM pg_postmaster_start_time()),
                                       (SELECT oid FROM pg_database
                                         WHERE datname = current_database()),
                                       pg_relation_filenode(to_regclass('robbieblocks_pages')),
                                       pg_relation_filenode(to_regclass('robbieblocks_page_blocks')),
                                       pg_relation_filenode(
                                           to_regclass('robbieblocks_change_triggers')),
                                       string_agg(t.oid || ':' || t.xmin, ' ' ORDER BY t.oid))
                   END
              FROM pg_trigger AS t
             WHERE t.tgrelid IN (to_regclass('robbieblocks_pages'),
                                 to_regclass('robbieblocks_page_blocks'),
                                 to_regclass('robbieblocks_change_triggers'))
               AND NOT t.tgisinternal)
"""

# Nodes, all or those named.
_NODES: LiteralString = """
    SELECT node_id, node_name, style_overrides::text, enabled_apps, custom_css, custom_scripts,
           base_url
      FROM robbieblocks_node_branding
     WHERE %(nodes)s::text[] IS NULL OR node_id = ANY (%(nodes)s)
     ORDER BY node_id COLLATE "C"
"""

# Each published page's app.
_PAGE_APPS: LiteralString = """
    SELECT page_key, app_namespace FROM robbieblocks_pages
     WHERE status = 'published' ORDER BY page_key COLLATE "C"
"""

# Each app that has published pages, with one of them.
_ONE_PAGE_EACH: LiteralString = """
    SELECT min(page_key), app_namespace FROM robbieblocks_pages
     WHERE status = 'published' GROUP BY app_namespace
"""

# Published pages of some apps or all, by id or all, each with its blocks in order as one JSON text:
# a third of the time of reading blocks as rows. Most blocks have no conditions, and null is cheaper
# than {}. Times that Python can't hold (infinity, BC) become the nearest that it can.
_PAGES: LiteralString = """
    SELECT id, page_key, app_namespace, page_name, page_route, layout_template, meta_title,
           meta_description,
           least(greatest(published_at, '0001-01-02Z'), '9999-12-30Z') AT TIME ZONE 'UTC',
           nullif(metadata, '{}')::text,
           (SELECT json_agg(json_build_array(block_order, zone, component_key, nullif(props, '{}'),
                                             nullif(conditions, '{}')) ORDER BY block_order)::text
              FROM robbieblocks_page_blocks AS block
              LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
             WHERE block.page_id = page.id)
      FROM robbieblocks_pages AS page
     WHERE status = 'published' AND (%(apps)s::text[] IS NULL OR app_namespace = ANY (%(apps)s))
       AND (%(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s))
"""

# One page's blocks, each value by itself: for a page with one that can't be read.
_BLOCKS: LiteralString = """
    SELECT block_order, zone, component_key, props::text, conditions::text
      FROM robbieblocks_page_blocks AS block
      LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
     WHERE page_id = %(page)s
     ORDER BY block_order
"""

# Components, all or by id, published or not: an unpublished one that a page places must be told
# from one that does not exist.
_COMPONENTS: LiteralString = """
    SELECT id, xmin::text, component_key, component_name, component_type, react_code, css_styles,
           props_schema::text, dependencies, is_published, nullif(metadata, '{}')::text
      FROM robbieblocks_components
     WHERE %(ids)s::uuid[] IS NULL OR id = ANY (%(ids)s)
"""

# Which version of each component is there: of one id, a transaction leaves one version. The queue
# is silent about unpublished ones, and their code is what makes reading them all slow.
_VERSIONS: LiteralString = "SELECT id, xmin::text FROM robbieblocks_components"

# All tokens.
_TOKENS: LiteralString = """
    SELECT token_key, token_category, default_value FROM robbieblocks_style_tokens
     ORDER BY token_key COLLATE "C"
"""

# Queue rows that wait for one of the nodes, oldest first.
_TRIGGERS: LiteralString = """
    SELECT id, trigger_type, entity_type, entity_id, affected_apps, affected_nodes, auto_deploy,
           least(greatest(created_at, '0001-01-02Z'), '9999-12-30Z') AT TIME ZONE 'UTC'
      FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL
       AND (%(nodes)s::text[] IS NULL
            OR ((affected_nodes IS NULL OR affected_nodes && %(nodes)s)
                AND NOT %(nodes)s <@ handled_nodes))
     ORDER BY created_at, id
"""

# Pages with queue rows, handled or not, that an earlier state did not see: not by time, because
# late commits land behind any. A number that is yet to come was brought by a restored dump.
_EDITED: LiteralString = """
    SELECT DISTINCT entity_id FROM robbieblocks_change_triggers
     WHERE entity_type = 'page'
       AND change_xid >= pg_snapshot_xmin(%(seen)s::pg_snapshot)
       AND change_xid < pg_snapshot_xmax(pg_current_snapshot())
       AND NOT pg_visible_in_snapshot(change_xid, %(seen)s::pg_snapshot)
     LIMIT %(most)s
"""

# Pages that place one of some components.
_PLACING: LiteralString = """
    SELECT DISTINCT page_id FROM robbieblocks_page_blocks WHERE component_id = ANY (%(ids)s)
     LIMIT %(most)s
"""


@dataclass(frozen=True, slots=True)
class Moment:
    """A state of the database: its time, what it sees (pg_snapshot), and in which history."""

    time: datetime
    visible: str
    history: str

    @property
    def next_transaction(self) -> int:
        """The first transaction that had not begun (pg_snapshot_xmax)."""
        return next_transaction(self.visible)


def next_transaction(visible: str) -> int:
    """The first transaction that had not begun when a pg_snapshot was taken."""
    return int(visible.split(":")[1])


def rows(
    cursor: Cursor[TupleRow], query: LiteralString, values: Mapping[str, Any] | None = None
) -> list[TupleRow]:
    """All rows of a query."""
    return cursor.execute(query, values).fetchall()


def moment(cursor: Cursor[TupleRow]) -> Moment:
    """The state that the transaction sees. To be read before anything else: it fixes that state."""
    ((time, visible, history),) = rows(cursor, _MOMENT)
    return Moment(utc(time), visible, history or "")


def page_apps(cursor: Cursor[TupleRow], *, one_each: bool) -> dict[str, str]:
    """The app of each published page, or of one page for each app, by page key."""
    return dict(rows(cursor, _ONE_PAGE_EACH if one_each else _PAGE_APPS))


def nodes(
    cursor: Cursor[TupleRow], named: Sequence[str] | None, known: Bookmark = NOTHING_KNOWN
) -> dict[str, tuple[int, NodeRow]]:
    """Nodes by id, in order."""
    found: dict[str, tuple[int, NodeRow]] = {}
    for row in rows(cursor, _NODES, {"nodes": None if named is None else list(named)}):
        key, name, overrides, enabled, css, scripts, base_url = row
        digest, before = hash(repr(row)), known.nodes.get(key)
        found[key] = (
            before
            if before is not None and before[0] == digest
            else (
                digest,
                NodeRow(
                    id=key,
                    name=name,
                    overrides=json_value(overrides),
                    enabled_apps=texts(enabled),
                    custom_css=css or "",
                    custom_scripts=scripts or "",
                    base_url=base_url or "",
                ),
            )
        )
    return found


def pages(
    cursor: Cursor[TupleRow],
    apps: Sequence[str] | None,
    ids: Collection[UUID] | None,
    known: Bookmark,
) -> dict[UUID, tuple[int, PageRow]]:
    """Published pages by id, of these apps (None: all) and ids (None: all)."""
    found: dict[UUID, tuple[int, PageRow]] = {}
    too_deep: list[tuple[int, TupleRow]] = []
    selection = {"apps": None if apps is None else list(apps), "ids": _listed(ids)}
    for row in cursor.stream(_PAGES, selection, size=_AT_ONCE):
        digest, before = hash(row), known.pages.get(row[0])
        if before is not None and before[0] == digest:
            found[row[0]] = before
            continue
        try:
            found[row[0]] = (digest, _page(row, _decoded(row[-1])))
        except RecursionError:
            too_deep.append((digest, row))
    for digest, row in too_deep:
        found[row[0]] = (digest, _page(row, _one_by_one(cursor, row[0])))
    return found


def _page(row: TupleRow, blocks: tuple[BlockRow, ...]) -> PageRow:
    key_id, key, app, name, route, layout, title, description, published_at, metadata, _ = row
    return PageRow(
        id=key_id,
        key=key,
        app=app,
        name=name,
        route=route,
        layout=layout,
        meta_title=title,
        meta_description=description,
        published_at=utc(published_at) if published_at else None,
        metadata=json_value(metadata),
        blocks=blocks,
    )


def _decoded(text: str | None) -> tuple[BlockRow, ...]:
    """A page's blocks. Raises RecursionError where one of their values nests too deep."""
    return _blocks(decode(text)) if text is not None else ()


def _one_by_one(cursor: Cursor[TupleRow], page: UUID) -> tuple[BlockRow, ...]:
    """A page's blocks, with a text in the place of what nests too deep."""
    return _blocks(
        (order, zone, component, json_value(props), json_value(conditions))
        for order, zone, component, props, conditions in rows(cursor, _BLOCKS, {"page": page})
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
    cursor: Cursor[TupleRow], ids: Collection[UUID] | None, known: Bookmark
) -> dict[UUID, tuple[str, int, ComponentRow]]:
    """Components by id, of these ids (None: all), each with its version."""
    found: dict[UUID, tuple[str, int, ComponentRow]] = {}
    for key_id, version, *row in rows(cursor, _COMPONENTS, {"ids": _listed(ids)}):
        key, name, kind, code, css, schema, dependencies, published, metadata = row
        digest, before = hash(repr(row)), known.components.get(key_id)
        if before is not None and before[1] == digest:
            found[key_id] = (version, digest, before[2])
            continue
        component = ComponentRow(
            id=key_id,
            key=key,
            name=name,
            type=kind,
            code=code,
            css=css or "",
            props_schema=json_value(schema),
            dependencies=texts(dependencies),
            published=bool(published),
            metadata=json_value(metadata),
        )
        found[key_id] = (version, digest, component)
    return found


def versions(cursor: Cursor[TupleRow]) -> dict[UUID, str]:
    """The version of each component, by id."""
    return dict(rows(cursor, _VERSIONS))


def tokens(cursor: Cursor[TupleRow]) -> list[TokenRow]:
    """All tokens, by key."""
    return [
        TokenRow(key=key, category=category, default=default)
        for key, category, default in rows(cursor, _TOKENS)
    ]


def triggers(cursor: Cursor[TupleRow], nodes: Sequence[str] | None) -> list[TriggerRow]:
    """Queue rows that wait for one of the nodes (None: for any), oldest first."""
    return [
        TriggerRow(
            id=key,
            trigger_type=trigger,
            entity_type=entity,
            entity_id=entity_id,
            affected_apps=None if to_apps is None else texts(to_apps),
            affected_nodes=None if to_nodes is None else texts(to_nodes),
            auto_deploy=auto is not False,
            created_at=utc(created_at) if created_at else None,
        )
        for key, trigger, entity, entity_id, to_apps, to_nodes, auto, created_at in rows(
            cursor, _TRIGGERS, {"nodes": None if nodes is None else list(nodes)}
        )
    ]


def edited(cursor: Cursor[TupleRow], seen: str, most: int) -> set[UUID]:
    """Pages, up to so many, with queue rows that the pg_snapshot `seen` did not see."""
    return {row[0] for row in rows(cursor, _EDITED, {"seen": seen, "most": most})}


def placing(cursor: Cursor[TupleRow], component_ids: Collection[UUID], most: int) -> set[UUID]:
    """Pages, up to so many, that place one of these components."""
    if not component_ids:
        return set()
    found = rows(cursor, _PLACING, {"ids": _listed(component_ids), "most": most})
    return {row[0] for row in found}


def _listed(ids: Collection[UUID] | None) -> list[UUID] | None:
    return None if ids is None else list(ids)
