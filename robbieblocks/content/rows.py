"""Writes content into rows, in one transaction, where they differ.

Change capture queues a build for every row that is written, so a second seed must write nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks.content import queries
from robbieblocks.content.shape import Content, Page
from robbieblocks.database import translated
from robbieblocks.errors import ContentError, Problem


@dataclass(frozen=True, slots=True)
class RowCounts:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedReport:
    """What a seed did, by table."""

    tokens: RowCounts = RowCounts()
    nodes: RowCounts = RowCounts()
    components: RowCounts = RowCounts()
    pages: RowCounts = RowCounts()
    blocks: RowCounts = RowCounts()

    @property
    def written(self) -> int:
        """The number of rows written in all; 0 where the database held this content already."""
        return sum(counts.written for counts in self._by_table().values())

    def _by_table(self) -> dict[str, RowCounts]:
        return {
            "tokens": self.tokens,
            "nodes": self.nodes,
            "components": self.components,
            "pages": self.pages,
            "blocks": self.blocks,
        }

    def __str__(self) -> str:
        return "; ".join(f"{table}: {counts}" for table, counts in self._by_table().items())


def seed(connection: Connection, content: Content) -> SeedReport:
    """Write the content into the rows, in one transaction; rows that it does not name stay.

    Writes nothing where nothing differs. Raises ContentError when a page places a component that
    is neither in the content nor in the database; nothing is written then.
    """
    with translated("write the content"), connection.transaction():
        tokens = _upsert(connection, queries.UPSERT_TOKENS, _token_rows(content))
        nodes = _upsert(connection, queries.UPSERT_NODES, _node_rows(content))
        components = _upsert(connection, queries.UPSERT_COMPONENTS, _component_rows(content))
        _check_components(connection, content)
        pages = _upsert(connection, queries.UPSERT_PAGES, _page_rows(content))
        blocks = _replace_blocks(connection, content)
    return SeedReport(tokens=tokens, nodes=nodes, components=components, pages=pages, blocks=blocks)


def _upsert(
    connection: Connection, query: LiteralString, rows: list[dict[str, object]]
) -> RowCounts:
    if not rows:
        return RowCounts()
    written = connection.execute(query, (Jsonb(rows),)).fetchall()
    inserted = sum(1 for row in written if _first(row))
    updated = len(written) - inserted
    return RowCounts(inserted=inserted, updated=updated, unchanged=len(rows) - len(written))


def _replace_blocks(connection: Connection, content: Content) -> RowCounts:
    rows = _block_rows(content)
    keys = [page.key for page in content.pages]
    deleted = connection.execute(queries.DELETE_BLOCKS, (keys, Jsonb(rows))).rowcount
    counts = _upsert(connection, queries.UPSERT_BLOCKS, rows)
    return RowCounts(counts.inserted, counts.updated, deleted, counts.unchanged)


def _check_components(connection: Connection, content: Content) -> None:
    placed = {block.component for page in content.pages for block in page.blocks}
    known = {_first(row) for row in connection.execute(queries.KNOWN_COMPONENTS, (sorted(placed),))}
    missing = placed - known
    if missing:
        raise ContentError(
            _missing(page, missing) for page in content.pages if _places(page, missing)
        )


def _places(page: Page, components: set[str]) -> bool:
    return any(block.component in components for block in page.blocks)


def _missing(page: Page, missing: set[str]) -> Problem:
    block = next(block for block in page.blocks if block.component in missing)
    return Problem(
        entity="page",
        key=page.key,
        block=block.order,
        line=block.line,
        what=f"places the component {block.component!r}, "
        "which is neither in the content nor in the database",
        remedy="add the component, or correct its key",
    )


def _first(row: Mapping[str, object] | Sequence[object]) -> object:
    """The first column, whatever the connection's row factory makes."""
    return next(iter(row.values())) if isinstance(row, Mapping) else row[0]


def _token_rows(content: Content) -> list[dict[str, object]]:
    return [
        {
            "token_key": token.key,
            "token_category": token.category,
            "default_value": token.value,
            "description": token.description,
        }
        for token in content.tokens
    ]


def _node_rows(content: Content) -> list[dict[str, object]]:
    return [
        {
            "node_id": node.id,
            "node_name": node.name,
            "style_overrides": node.overrides,
            "enabled_apps": list(node.enabled_apps),
            "custom_css": node.custom_css,
            "custom_scripts": node.custom_scripts,
            "base_url": node.base_url,
        }
        for node in content.nodes
    ]


def _component_rows(content: Content) -> list[dict[str, object]]:
    return [
        {
            "component_key": row.key,
            "component_name": row.name,
            "component_type": row.type,
            "react_code": row.code,
            "props_schema": row.props_schema,
            "css_styles": row.css,
            "dependencies": list(row.dependencies),
            "version": row.version,
            "is_published": row.published,
            "preview_url": row.preview_url,
            "metadata": dict(row.metadata),
        }
        for row in content.components
    ]


def _page_rows(content: Content) -> list[dict[str, object]]:
    return [
        {
            "page_key": page.key,
            "app_namespace": page.app,
            "page_name": page.name,
            "page_route": page.route,
            "layout_template": page.layout,
            "meta_title": page.title,
            "meta_description": page.description,
            "status": page.status,
            "version": page.version,
            "published_at": page.published_at.isoformat() if page.published_at else None,
            "created_by": page.created_by,
            "metadata": dict(page.metadata),
        }
        for page in content.pages
    ]


def _block_rows(content: Content) -> list[dict[str, object]]:
    return [
        {
            "page_key": page.key,
            "component_key": block.component,
            "block_order": block.order,
            "zone": block.zone,
            "props": dict(block.props),
            "conditions": dict(block.conditions),
        }
        for page in content.pages
        for block in page.blocks
    ]
