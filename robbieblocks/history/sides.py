"""The two sides of a change as rows of content, and what differs between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from robbieblocks.content import Block, Component, Content, ContentRow, Media, Page, Token
from robbieblocks.history.journal import Change
from robbieblocks.messages import size
from robbieblocks.model import Json, JsonObject, NodeRow
from robbieblocks.review import FieldChange, RowChange, row_changes


def difference(change: Change) -> RowChange | None:
    """What a change did, in the words of reviews; None where nobody kept it, or nothing differs.

    A block that stayed as it was is on neither side.
    """
    if not change.kept:
        return None
    before = content_row(change.entity, change.before)
    after = content_row(change.entity, change.after)
    if before is None and after is None:
        return None
    renamed = before is not None and after is not None and _key(before) != _key(after)
    old = _named(before, _key(after)) if renamed and before and after else before
    found = row_changes(_content(old), _content(after))
    fields: list[FieldChange] = []
    if renamed and before is not None and after is not None:
        fields.append(FieldChange(field="key", before=_key(before), after=_key(after)))
    fields += _too_large(change)
    if found:
        return replace(found[0], fields=(*fields, *found[0].fields))
    if not fields:
        return None
    kind = row_changes(_content(None), _content(after or before))[0].entity
    return RowChange(entity=kind, key=change.key, change="changed", fields=tuple(fields))


def left_out(side: JsonObject | None) -> int:
    """How many bytes of a side were too large to keep; 0 where it is whole."""
    if side is None:
        return 0
    inner = part(side, "blocks").values()
    found = (each.get("left_out", 0) for each in (side, *inner) if isinstance(each, Mapping))
    return sum(each for each in found if isinstance(each, int))


def _too_large(change: Change) -> list[FieldChange]:
    sides = [
        f"({size(bytes_)}, too large to keep)" if (bytes_ := left_out(side)) else None
        for side in (change.before, change.after)
    ]
    return [FieldChange(field="", before=sides[0], after=sides[1])] if any(sides) else []


def _content(row: ContentRow | None) -> Content:
    return Content.of(() if row is None else (row,))


def _key(row: ContentRow) -> str:
    return row.id if isinstance(row, NodeRow) else row.key


def _named(row: ContentRow, key: str) -> ContentRow:
    return replace(row, id=key) if isinstance(row, NodeRow) else replace(row, key=key)


def content_row(entity: str, side: JsonObject | None) -> ContentRow | None:
    """A side as a row of content; None where it is not there, too large, or of no known entity.

    Its values have whatever types the JSON has: they are compared and shown, no more.
    """
    if side is None or left_out(side):
        return None
    row: dict[str, Any] = {**side, **_hashes(side)}
    match entity:
        case "page":
            return _page(row)
        case "component":
            return _component(row)
        case "style_token":
            return Token(
                key=row.get("token_key", ""),
                category=row.get("token_category", ""),
                value=row.get("default_value", ""),
                description=row.get("description"),
            )
        case "node_branding":
            return _node(row)
        case "media":
            return Media(
                key=row.get("media_key", ""),
                file_name=row.get("file_name", ""),
                type=row.get("media_type", ""),
                hash=row.get("content_hash", ""),
                size=row.get("size_bytes", 0),
                alt=row.get("alt"),
                is_decorative=bool(row.get("is_decorative")),
                focal_point=row.get("focal_point"),
                served_path=row.get("served_path"),
            )
        case _:
            return None


def _hashes(side: Mapping[str, Json]) -> dict[str, str]:
    """What stands for fields that did not change: the same text on both sides."""
    hashes = part(side, "by_hash")
    return {name: f"(as it was, SHA-256 {hash_})" for name, hash_ in hashes.items()}


def part(side: Mapping[str, Json], name: str) -> Mapping[str, Json]:
    """What stands under a name of a side; empty where that is nothing, or no object."""
    value = side.get(name)
    return value if isinstance(value, Mapping) else {}


def _page(row: dict[str, Any]) -> Page:
    blocks = part(row, "blocks")
    placed = [_block(each) for each in blocks.values() if isinstance(each, Mapping)]
    return Page(
        key=row.get("page_key", ""),
        name=row.get("page_name", ""),
        app=row.get("app_namespace", ""),
        route=row.get("page_route", ""),
        layout=row.get("layout_template", ""),
        title=row.get("meta_title"),
        description=row.get("meta_description"),
        status=row.get("status", ""),
        version=row.get("version") or 1,
        published_at=row.get("published_at"),
        created_by=row.get("created_by"),
        metadata=row.get("metadata") or {},
        blocks=tuple(sorted(placed, key=lambda block: block.order)),
    )


def _block(given: Mapping[str, Json]) -> Block:
    row: dict[str, Any] = {**given, **_hashes(given)}
    order = row.get("block_order")
    return Block(
        order=order if isinstance(order, int) else 0,
        zone=row.get("zone", ""),
        component=row.get("component_key") or "(none)",
        props=row.get("props") or {},
        conditions=row.get("conditions") or {},
    )


def _component(row: dict[str, Any]) -> Component:
    return Component(
        key=row.get("component_key", ""),
        name=row.get("component_name", ""),
        type=row.get("component_type", ""),
        code=row.get("react_code", ""),
        props_schema=row.get("props_schema"),
        css=row.get("css_styles"),
        dependencies=tuple(row.get("dependencies") or ()),
        version=row.get("version") or "1.0.0",
        published=bool(row.get("is_published")),
        preview_url=row.get("preview_url"),
        metadata=row.get("metadata") or {},
    )


def _node(row: dict[str, Any]) -> NodeRow:
    return NodeRow(
        id=row.get("node_id", ""),
        name=row.get("node_name", ""),
        overrides=row.get("style_overrides") or {},
        enabled_apps=tuple(row.get("enabled_apps") or ()),
        custom_css=row.get("custom_css") or "",
        custom_scripts=row.get("custom_scripts") or "",
        base_url=row.get("base_url") or "",
        settings=row.get("settings") or {},
    )
