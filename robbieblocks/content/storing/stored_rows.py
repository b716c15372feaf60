"""Content as files hold it, out of the rows of a database."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from robbieblocks.content.reading.branding import node_of as node_of_table
from robbieblocks.content.shape import STATUSES, Block, Component, Media, Page, Token
from robbieblocks.content.storing import media_rows
from robbieblocks.content.writing import rows as writing
from robbieblocks.model import Json, JsonObject, NodeRow
from robbieblocks.source_files import ProblemCollector, exact_json, parse_toml, unstorable


class Unreadable(Exception):
    """A row that no file can hold; the problem says why."""

    def __init__(self, field: str, what: str, remedy: str, *, block: int | None = None) -> None:
        self.field, self.what, self.remedy, self.block = field, what, remedy, block
        super().__init__(what)


def token_of(row: DictRow) -> Token:
    """A style token."""
    return Token(**row)


def media_of(connection: Connection[Any], row: DictRow) -> Media:
    """A medium with its bytes. Raises Unreadable."""
    found = media_rows.media(connection, row)
    if not isinstance(found, Media):
        raise Unreadable(*found, "correct the row")
    return found


def node_of(row: DictRow) -> NodeRow:
    """A node's branding. Raises Unreadable."""
    node = NodeRow(
        id=row["key"],
        name=row["name"],
        overrides=_json(row, "overrides", "style_overrides"),
        enabled_apps=_texts(row["enabled_apps"], "enabled_apps"),
        custom_css=row["custom_css"] or "",
        custom_scripts=row["custom_scripts"] or "",
        base_url=row["base_url"] or "",
        settings={} if row["settings"] is None else _json(row, "settings"),
    )
    # A branding file is checked when it is read: what no file may say can't be written into one.
    collector = ProblemCollector(Path(), ())
    table = parse_toml(collector, Path(), writing.node_toml(node))
    if table is None or node_of_table(table) != node or collector.problems:
        problem = next(iter(collector.problems), None)
        what = problem.what if problem else "has overrides that no branding file can hold"
        raise Unreadable("", what, "correct the row")
    return node


def component_of(row: DictRow) -> Component:
    """A component. Raises Unreadable."""
    row["props_schema"] = _json(row, "props_schema")
    row["metadata"] = _json_object(row, "metadata")
    row["dependencies"] = _texts(row["dependencies"], "dependencies")
    row["version"] = "1.0.0" if row["version"] is None else row["version"]
    row["published"] = bool(row["published"])
    return Component(**row)


def page_of(row: DictRow, blocks: Iterable[DictRow]) -> Page:
    """A page with its blocks. Raises Unreadable."""
    moment, text = row.pop("published_at"), row.pop("published_text")
    if moment is None and text is not None:
        remedy = "set a time between the years 1 and 9999, or null"
        raise Unreadable("published_at", f"is {text}, which TOML can't hold", remedy)
    row["published_at"] = moment and moment.replace(tzinfo=UTC)
    row["metadata"] = _json_object(row, "metadata")
    row["status"] = row["status"] or "draft"
    if row["status"] not in STATUSES:
        # Rows of an earlier version may have any: its table had no check.
        raise Unreadable("status", f"is {row['status']!r}", f"set one of {', '.join(STATUSES)}")
    row["version"] = 1 if row["version"] is None else row["version"]
    return Page(**row, blocks=tuple(map(_block, blocks)))


def _block(row: DictRow) -> Block:
    order = row["order"]
    if row["component"] is None:
        remedy = "set its component_id, or delete the block"
        raise Unreadable("component_id", "is null: the block has no component", remedy, block=order)
    return Block(
        order=order,
        zone=row["zone"],
        component=row["component"],
        props=_json_object(row, "props", block=order),
        conditions=_json_object(row, "conditions", block=order),
    )


def _json(row: DictRow, name: str, column: str = "", *, block: int | None = None) -> Json:
    text: str | None = row[name]
    try:
        value: Json = {} if text is None else exact_json.loads(text)
    except ValueError as error:
        wrong = f"can't be read as JSON: {error}"
    except RecursionError:
        wrong = "can't be read as JSON: it nests too deep"
    else:
        wrong = unstorable(value)
        if not wrong:
            return value
    raise Unreadable(column or name, wrong, "make the value simpler", block=block)


def _json_object(row: DictRow, name: str, *, block: int | None = None) -> JsonObject:
    value = _json(row, name, block=block)
    if not isinstance(value, dict):
        raise Unreadable(name, "is not a JSON object", "store an object, e.g. {}", block=block)
    return value


def _texts(values: list[str | None] | None, field: str) -> tuple[str, ...]:
    if values is not None and any(not isinstance(value, str) for value in values):
        raise Unreadable(field, "holds a null or an inner array", "store a plain array of texts")
    return tuple(value for value in values or () if value is not None)
