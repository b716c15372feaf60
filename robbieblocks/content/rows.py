"""Writes content into rows, in one transaction, where they differ.

Change capture queues a build for every row that is written, so a second seed must write nothing.
The rows of a table are given as one JSON array, so that a seed is one statement for each table. In
the SQL, `held` is the row in the table, `excluded` the one that was to be inserted.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString, NamedTuple

from psycopg import Connection, Cursor
from psycopg.rows import scalar_row
from psycopg.types.json import Jsonb

from robbieblocks.content.shape import Block, Content, Page
from robbieblocks.database import translated
from robbieblocks.errors import ContentError, Problem


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: for each column its SQL type and the attribute that fills it; the key comes first.

    `blank` are the columns in which an empty text and none are the same, so no difference.
    """

    name: LiteralString
    columns: Mapping[LiteralString, tuple[LiteralString, str]]
    blank: tuple[LiteralString, ...] = ()

    def upsert(self) -> LiteralString:
        """The statement that inserts rows by key, and updates those that differ."""
        key, *others = self.columns
        held: list[LiteralString] = [self._value(f"held.{name}", name) for name in others]
        given: list[LiteralString] = [self._value(name, name) for name in self.columns]
        typed: list[LiteralString] = [f"{name} {kind}" for name, (kind, _) in self.columns.items()]
        new: list[LiteralString] = [f"excluded.{name}" for name in others]
        updates: list[LiteralString] = [f"{name} = excluded.{name}" for name in others]
        return f"""
            INSERT INTO {self.name} AS held ({", ".join(self.columns)})
            SELECT {", ".join(given)}
              FROM jsonb_to_recordset(%s) AS given ({", ".join(typed)})
             ORDER BY {key}
            ON CONFLICT ({key}) DO UPDATE SET {", ".join(updates)}
             WHERE ({", ".join(held)}) IS DISTINCT FROM ({", ".join(new)})
            RETURNING xmax = 0 AS inserted
        """  # noqa: S608 - made of the constants below

    def _value(self, value: LiteralString, name: LiteralString) -> LiteralString:
        return f"nullif({value}, '')" if name in self.blank else value


_TOKENS: Final = _Table(
    "robbieblocks_style_tokens",
    {
        "token_key": ("text", "key"),
        "token_category": ("text", "category"),
        "default_value": ("text", "value"),
        "description": ("text", "description"),
    },
)
_NODES: Final = _Table(
    "robbieblocks_node_branding",
    {
        "node_id": ("text", "id"),
        "node_name": ("text", "name"),
        "style_overrides": ("jsonb", "overrides"),
        "enabled_apps": ("text[]", "enabled_apps"),
        "custom_css": ("text", "custom_css"),
        "custom_scripts": ("text", "custom_scripts"),
        "base_url": ("text", "base_url"),
    },
    blank=("custom_css", "custom_scripts", "base_url"),
)
_COMPONENTS: Final = _Table(
    "robbieblocks_components",
    {
        "component_key": ("text", "key"),
        "component_name": ("text", "name"),
        "component_type": ("text", "type"),
        "react_code": ("text", "code"),
        "props_schema": ("jsonb", "props_schema"),
        "css_styles": ("text", "css"),
        "dependencies": ("text[]", "dependencies"),
        "version": ("text", "version"),
        "is_published": ("boolean", "published"),
        "preview_url": ("text", "preview_url"),
        "metadata": ("jsonb", "metadata"),
    },
)
_PAGES: Final = _Table(
    "robbieblocks_pages",
    {
        "page_key": ("text", "key"),
        "app_namespace": ("text", "app"),
        "page_name": ("text", "name"),
        "page_route": ("text", "route"),
        "layout_template": ("text", "layout"),
        "meta_title": ("text", "title"),
        "meta_description": ("text", "description"),
        "status": ("text", "status"),
        "version": ("integer", "version"),
        "published_at": ("timestamptz", "published_at"),
        "created_by": ("integer", "created_by"),
        "metadata": ("jsonb", "metadata"),
    },
)

# Which of these component keys have a row.
_KNOWN_COMPONENTS: LiteralString = """
    SELECT component_key FROM robbieblocks_components WHERE component_key = ANY(%s)
"""

# Delete the blocks that a seeded page has and its file does not have.
_DELETE_BLOCKS: LiteralString = """
    DELETE FROM robbieblocks_page_blocks AS held
     USING robbieblocks_pages AS page
     WHERE page.id = held.page_id
       AND page.page_key = ANY(%s)
       AND NOT EXISTS (
           SELECT FROM jsonb_to_recordset(%s) AS given (page_key text, block_order integer)
            WHERE given.page_key = page.page_key AND given.block_order = held.block_order)
"""

# Blocks by page and order; a block keeps its id as long as its page and order stay.
_UPSERT_BLOCKS: LiteralString = """
    INSERT INTO robbieblocks_page_blocks AS held
           (page_id, component_id, block_order, zone, props, conditions)
    SELECT page.id, component.id, given.block_order, given.zone, given.props, given.conditions
      FROM jsonb_to_recordset(%s) AS given
           (page_key text, component_key text, block_order integer, zone text,
            props jsonb, conditions jsonb)
      JOIN robbieblocks_pages AS page USING (page_key)
      JOIN robbieblocks_components AS component USING (component_key)
     ORDER BY page_key, block_order
    ON CONFLICT (page_id, block_order) DO UPDATE
       SET component_id = excluded.component_id,
           zone = excluded.zone,
           props = excluded.props,
           conditions = excluded.conditions
     WHERE (held.component_id, held.zone, held.props, held.conditions)
           IS DISTINCT FROM
           (excluded.component_id, excluded.zone, excluded.props, excluded.conditions)
    RETURNING xmax = 0 AS inserted
"""


class RowCounts(NamedTuple):
    """What happened to the rows of one table."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def written(self) -> int:
        """The number of rows that were written."""
        return self.inserted + self.updated + self.deleted

    def __str__(self) -> str:
        parts = ((self.inserted, "added"), (self.updated, "changed"), (self.deleted, "removed"))
        return ", ".join(f"{count} {what}" for count, what in parts if count) or "no change"


class SeedReport(NamedTuple):
    """What a seed did, by table."""

    tokens: RowCounts
    nodes: RowCounts
    components: RowCounts
    pages: RowCounts
    blocks: RowCounts

    @property
    def written(self) -> int:
        """The number of rows written in all; 0 where the database held this content already."""
        return sum(counts.written for counts in self)

    def __str__(self) -> str:
        return "; ".join(f"{table}: {counts}" for table, counts in self._asdict().items())


def seed(connection: Connection, content: Content) -> SeedReport:
    """Write the content into the rows, in one transaction; rows that it does not name stay.

    Writes nothing where nothing differs. Raises ContentError when a page places a component that
    is neither in the content nor in the database; nothing is written then.
    """
    with (
        translated("write the content"),
        connection.transaction(),
        connection.cursor(row_factory=scalar_row) as cursor,
    ):
        tokens = _write(cursor, _TOKENS, content.tokens)
        nodes = _write(cursor, _NODES, content.nodes)
        components = _write(cursor, _COMPONENTS, content.components)
        _check_components(cursor, content.pages)
        pages = _write(cursor, _PAGES, content.pages)
        blocks = _replace_blocks(cursor, content.pages)
    return SeedReport(tokens, nodes, components, pages, blocks)


def _write(cursor: Cursor[object], table: _Table, values: Iterable[object]) -> RowCounts:
    rows = [
        {name: getattr(value, attribute) for name, (_, attribute) in table.columns.items()}
        for value in values
    ]
    return _upsert(cursor, table.upsert(), rows)


def _upsert(
    cursor: Cursor[object], query: LiteralString, rows: list[dict[str, object]]
) -> RowCounts:
    if not rows:
        return RowCounts()
    written = cursor.execute(query, (_as_jsonb(rows),)).fetchall()
    inserted = sum(map(bool, written))
    return RowCounts(inserted, updated=len(written) - inserted, unchanged=len(rows) - len(written))


def _as_jsonb(rows: list[dict[str, object]]) -> Jsonb:
    return Jsonb(rows, functools.partial(json.dumps, default=datetime.isoformat))


def _replace_blocks(cursor: Cursor[object], pages: Iterable[Page]) -> RowCounts:
    rows: list[dict[str, object]] = [
        {
            "page_key": page.key,
            "component_key": block.component,
            "block_order": block.order,
            "zone": block.zone,
            "props": block.props,
            "conditions": block.conditions,
        }
        for page in pages
        for block in page.blocks
    ]
    keys = [page.key for page in pages]
    deleted = cursor.execute(_DELETE_BLOCKS, (keys, _as_jsonb(rows))).rowcount
    return _upsert(cursor, _UPSERT_BLOCKS, rows)._replace(deleted=deleted)


def _check_components(cursor: Cursor[object], pages: Iterable[Page]) -> None:
    placed = {block.component for page in pages for block in page.blocks}
    missing = placed.difference(cursor.execute(_KNOWN_COMPONENTS, (sorted(placed),)).fetchall())
    wrong: dict[str, Block] = {}
    for page in pages:
        for block in page.blocks:
            if block.component in missing:
                wrong.setdefault(page.key, block)
    if wrong:
        raise ContentError(
            Problem(
                entity="page",
                key=page,
                block=block.order,
                line=block.line,
                what=f"places the component {block.component!r}, "
                "which is neither in the content nor in the database",
                remedy="add the component, or correct its key",
            )
            for page, block in wrong.items()
        )
