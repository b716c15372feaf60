"""All content as one transaction sees it: published pages with their blocks, components, tokens,
nodes, and the queue rows that it covers.

Queue rows and content are read together, so what a row asked for is in the snapshot that holds it,
and acknowledging exactly those rows after the swap never hides a later edit.
"""

from __future__ import annotations

import gc
import json
import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow, tuple_row

from robbieblocks.database import translated
from robbieblocks.model import (
    SHARED_APP,
    BlockRow,
    ComponentRow,
    Json,
    NodeRow,
    PageRow,
    Snapshot,
    TokenRow,
    TriggerRow,
)

# One transaction that sees one state and can't write.
_FROZEN: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

# The state's time, without a zone so that no session setting changes it.
_TAKEN_AT: LiteralString = "SELECT now() AT TIME ZONE 'UTC'"

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

# Published pages of some apps or all, each with its blocks in order as one JSON text: a third of
# the time of reading blocks as rows. Most blocks have no conditions, and null is cheaper than {}.
# Times that Python can't hold (infinity, BC) become the nearest that it can.
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
     ORDER BY page_key COLLATE "C"
"""

# One page's blocks, each value by itself: for a page with one that can't be read.
_BLOCKS: LiteralString = """
    SELECT block_order, zone, component_key, props::text, conditions::text
      FROM robbieblocks_page_blocks AS block
      LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
     WHERE page_id = %(page)s
     ORDER BY block_order
"""

# All components: an unpublished one that a page places must be told from one that does not exist.
_COMPONENTS: LiteralString = """
    SELECT id, component_key, component_name, component_type, react_code, css_styles,
           props_schema::text, dependencies, is_published, nullif(metadata, '{}')::text
      FROM robbieblocks_components
     ORDER BY component_key COLLATE "C"
"""

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


def take(
    connection: Connection[Any],
    *,
    nodes: Sequence[str] | None = None,
    apps: Collection[str] | None = None,
) -> Snapshot:
    """The content as one transaction sees it, in an order that depends on keys alone.

    `nodes` leaves out other nodes, pages of apps that none of them carries, and queue rows that
    concern none of them. `apps` leaves out pages of other apps (routes can then not be checked
    across apps). Components and tokens are always all there. The transaction is over on return.

    JSON that Python or JavaScript can't hold never raises: a number beyond IEEE 754 range is its
    text, and a value nested too deep is a text that says so, for the checks of props to report.
    Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read the content") as cursor, _collector_paused():
        taken_at = _utc(_rows(cursor, _TAKEN_AT)[0][0])
        node_rows = _nodes(cursor, nodes)
        wanted = _carried(node_rows, nodes, apps)
        return Snapshot(
            pages=tuple(_pages(cursor, wanted)),
            components={row.key: row for row in _components(cursor)},
            tokens=tuple(
                TokenRow(key=key, category=category, default=default)
                for key, category, default in _rows(cursor, _TOKENS)
            ),
            nodes=node_rows,
            triggers=_triggers(cursor, nodes),
            taken_at=taken_at,
        )


def nodes(connection: Connection[Any]) -> tuple[NodeRow, ...]:
    """All nodes, by id. Raises DatabaseUnavailable and SchemaOutdated."""
    with _transaction(connection, "read the nodes") as cursor:
        return _nodes(cursor, None)


def page_apps(connection: Connection[Any]) -> dict[str, str]:
    """The app of each published page, by page key.

    Raises DatabaseUnavailable and SchemaOutdated.
    """
    with _transaction(connection, "read which pages are published") as cursor:
        return dict(_rows(cursor, _PAGE_APPS))


def triggers(
    connection: Connection[Any], *, nodes: Sequence[str] | None = None
) -> tuple[TriggerRow, ...]:
    """Queue rows that wait for one of the nodes (None: for any), oldest first."""
    with _transaction(connection, "read the queue") as cursor:
        return _triggers(cursor, nodes)


@contextmanager
def _transaction(connection: Connection[Any], what: str) -> Iterator[Cursor[TupleRow]]:
    with (
        translated(what),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(_FROZEN)
        yield cursor


def _rows(
    cursor: Cursor[TupleRow], query: LiteralString, values: dict[str, Any] | None = None
) -> list[TupleRow]:
    return cursor.execute(query, values).fetchall()


def _carried(
    node_rows: Iterable[NodeRow], nodes: Sequence[str] | None, apps: Collection[str] | None
) -> list[str] | None:
    """The apps whose pages are wanted; None for all."""
    if nodes is None:
        return None if apps is None else sorted(apps)
    carried = {app for node in node_rows for app in node.apps} | {SHARED_APP}
    return sorted(carried if apps is None else carried & set(apps))


def _nodes(cursor: Cursor[TupleRow], nodes: Sequence[str] | None) -> tuple[NodeRow, ...]:
    named = None if nodes is None else list(nodes)
    return tuple(
        NodeRow(
            id=key,
            name=name,
            overrides=_json(overrides),
            enabled_apps=_texts(enabled),
            custom_css=css or "",
            custom_scripts=scripts or "",
            base_url=base_url or "",
        )
        for key, name, overrides, enabled, css, scripts, base_url in _rows(
            cursor, _NODES, {"nodes": named}
        )
    )


def _pages(cursor: Cursor[TupleRow], apps: list[str] | None) -> Iterator[PageRow]:
    for (
        key_id, key, app, name, route, layout, title, description, published_at, metadata, blocks,
    ) in _rows(cursor, _PAGES, {"apps": apps}):  # fmt: skip
        yield PageRow(
            id=key_id,
            key=key,
            app=app,
            name=name,
            route=route,
            layout=layout,
            meta_title=title,
            meta_description=description,
            published_at=_utc(published_at) if published_at else None,
            metadata=_json(metadata),
            blocks=_blocks(cursor, key_id, blocks),
        )


def _blocks(cursor: Cursor[TupleRow], page: UUID, text: str | None) -> tuple[BlockRow, ...]:
    if text is None:
        return ()
    try:
        rows = _decode(text)
    except RecursionError:
        rows = [
            (order, zone, component, _json(props), _json(conditions))
            for order, zone, component, props, conditions in _rows(cursor, _BLOCKS, {"page": page})
        ]
    return tuple(
        [
            BlockRow(
                order=order,
                zone=zone,
                component=component or "",
                props={} if props is None else props,
                conditions={} if conditions is None else conditions,
            )
            for order, zone, component, props, conditions in rows
        ]
    )


def _components(cursor: Cursor[TupleRow]) -> Iterator[ComponentRow]:
    for (
        key_id, key, name, kind, code, css, schema, dependencies, published, metadata,
    ) in _rows(cursor, _COMPONENTS):  # fmt: skip
        yield ComponentRow(
            id=key_id,
            key=key,
            name=name,
            type=kind,
            code=code,
            css=css or "",
            props_schema=_json(schema),
            dependencies=_texts(dependencies),
            published=bool(published),
            metadata=_json(metadata),
        )


def _triggers(cursor: Cursor[TupleRow], nodes: Sequence[str] | None) -> tuple[TriggerRow, ...]:
    named = None if nodes is None else list(nodes)
    return tuple(
        TriggerRow(
            id=key,
            trigger_type=trigger,
            entity_type=entity,
            entity_id=entity_id,
            affected_apps=None if to_apps is None else _texts(to_apps),
            affected_nodes=None if to_nodes is None else _texts(to_nodes),
            auto_deploy=auto is not False,
            created_at=_utc(created_at) if created_at else None,
        )
        for key, trigger, entity, entity_id, to_apps, to_nodes, auto, created_at in _rows(
            cursor, _TRIGGERS, {"nodes": named}
        )
    )


# --- values ----------------------------------------------------------------------------------

_TOO_DEEP = "JSON nested too deep to read"

# jsonb writes numbers in full, so a number that no float holds has more digits than this, and one
# with fewer meets neither infinity nor Python's limit on the length of integers.
_DIGITS_OF_ANY_FLOAT = 300


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS_OF_ANY_FLOAT else digits


def _fraction(digits: str) -> float | str:
    value = float(digits)
    return value if math.isfinite(value) else digits


_decode = json.JSONDecoder(parse_int=_integer, parse_float=_fraction).decode


def _json(text: str | None) -> Json:
    """A jsonb column's value; SQL null and JSON null are {}."""
    if text is None:
        return {}
    try:
        value = _decode(text)
    except RecursionError:
        return _TOO_DEEP
    return {} if value is None else value


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Reading makes only what stays; the collector, going over it repeatedly, doubles the time."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _texts(values: Iterable[Any] | None) -> tuple[str, ...]:
    """A text[] without its nulls, and flat, whatever its dimensions."""
    found: list[str] = []
    for value in values or ():
        if isinstance(value, str):
            found.append(value)
        elif value is not None:
            found.extend(_texts(value))
    return tuple(found)


def _utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC)
