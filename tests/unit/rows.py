"""Rows for tests, with everything that a test doesn't care about filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from robbieblocks.assemble import Assembly, assemble
from robbieblocks.model import BlockRow, ComponentRow, NodeRow, PageRow, Snapshot

NOW = datetime(2025, 11, 22, 12, tzinfo=UTC)
LAYOUTS = frozenset({"single-column", "dashboard"})
_SPACE = UUID("6f9a1f0e-6a57-4f0c-9f5b-2f6a3d1c0b7e")


def a_component(key: str = "card", schema: Any = None, **fields: Any) -> ComponentRow:
    fields = {"name": key, "type": "widget", "code": "<p/>", **fields}
    schema = {} if schema is None else schema
    return ComponentRow(id=uuid5(_SPACE, repr(key)), key=key, props_schema=schema, **fields)


def a_block(order: int = 1, **fields: Any) -> BlockRow:
    fields = {"zone": "main", "component": "card", "props": {}, "conditions": {}, **fields}
    return BlockRow(order=order, **fields)


def a_page(key: str = "home", **fields: Any) -> PageRow:
    fields = {
        "app": "play",
        "name": "Home",
        "route": "/home/",
        "layout": "single-column",
        "blocks": (a_block(),),
        **fields,
    }
    return PageRow(id=uuid5(_SPACE, repr(key)), key=key, **fields)


def nothing_live(_page: PageRow) -> bool:
    return False


def a_node(node_id: str = "vengeance-local", **fields: Any) -> NodeRow:
    return NodeRow(id=node_id, **{"name": "Vengeance", "enabled_apps": ("play",), **fields})


def a_snapshot(
    *pages: PageRow, components: tuple[ComponentRow, ...] | None = None, **fields: Any
) -> Snapshot:
    rows = (a_component(),) if components is None else components
    fields = {"tokens": (), "nodes": (a_node(),), "taken_at": NOW, **fields}
    return Snapshot(pages=pages, components={row.key: row for row in rows}, **fields)


def assembled(*pages: PageRow, components: tuple[ComponentRow, ...] | None = None) -> Assembly:
    return assemble(a_snapshot(*pages, components=components), "play", layouts=LAYOUTS)
