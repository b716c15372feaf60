"""Content into rows: one transaction that writes only what differs.

Change capture queues a build for every row that is written, so a second seed must write nothing:
each upsert compares the whole row before it touches it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks.content.shape import Content, Page
from robbieblocks.errors import ContentError, Problem


@dataclass(frozen=True, slots=True)
class Tally:
    """What happened to the rows of one table."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0

    @property
    def written(self) -> int:
        """Rows that were touched."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What a seed did, by table."""

    tokens: Tally = Tally()
    nodes: Tally = Tally()
    components: Tally = Tally()
    pages: Tally = Tally()
    blocks: Tally = Tally()

    @property
    def written(self) -> int:
        """Rows that were touched in all; 0 when the database held this content already."""
        return sum(getattr(self, each.name).written for each in fields(self))


# Tokens by key. `excluded` is the row that was to be inserted.
_UPSERT_TOKENS: LiteralString = """
    INSERT INTO robbieblocks_style_tokens AS held (token_key, token_category, default_value, description)
    SELECT token_key, token_category, default_value, description
      FROM jsonb_to_recordset(%s) AS given
           (token_key text, token_category text, default_value text, description text)
     ORDER BY token_key
    ON CONFLICT (token_key) DO UPDATE
       SET token_category = excluded.token_category,
           default_value = excluded.default_value,
           description = excluded.description
     WHERE (held.token_category, held.default_value, held.description)
           IS DISTINCT FROM (excluded.token_category, excluded.default_value, excluded.description)
    RETURNING xmax = 0 AS inserted
"""

# Branding by node. An empty text and none are the same branding, so they don't count as a difference.
_UPSERT_NODES: LiteralString = """
    INSERT INTO robbieblocks_node_branding AS held
           (node_id, node_name, style_overrides, enabled_apps, custom_css, custom_scripts, base_url)
    SELECT node_id, node_name, style_overrides, enabled_apps,
           nullif(custom_css, ''), nullif(custom_scripts, ''), nullif(base_url, '')
      FROM jsonb_to_recordset(%s) AS given
           (node_id text, node_name text, style_overrides jsonb, enabled_apps text[],
            custom_css text, custom_scripts text, base_url text)
     ORDER BY node_id
    ON CONFLICT (node_id) DO UPDATE
       SET node_name = excluded.node_name,
           style_overrides = excluded.style_overrides,
           enabled_apps = excluded.enabled_apps,
           custom_css = excluded.custom_css,
           custom_scripts = excluded.custom_scripts,
           base_url = excluded.base_url
     WHERE (held.node_name, held.style_overrides, held.enabled_apps, coalesce(held.custom_css, ''),
            coalesce(held.custom_scripts, ''), coalesce(held.base_url, ''))
           IS DISTINCT FROM
           (excluded.node_name, excluded.style_overrides, excluded.enabled_apps, coalesce(excluded.custom_css, ''),
            coalesce(excluded.custom_scripts, ''), coalesce(excluded.base_url, ''))
    RETURNING xmax = 0 AS inserted
"""

# Components by key.
_UPSERT_COMPONENTS: LiteralString = """
    INSERT INTO robbieblocks_components AS held
           (component_key, component_name, component_type, react_code, props_schema, css_styles,
            dependencies, version, is_published, preview_url, metadata)
    SELECT component_key, component_name, component_type, react_code, props_schema, css_styles,
           dependencies, version, is_published, preview_url, metadata
      FROM jsonb_to_recordset(%s) AS given
           (component_key text, component_name text, component_type text, react_code text,
            props_schema jsonb, css_styles text, dependencies text[], version text,
            is_published boolean, preview_url text, metadata jsonb)
     ORDER BY component_key
    ON CONFLICT (component_key) DO UPDATE
       SET component_name = excluded.component_name,
           component_type = excluded.component_type,
           react_code = excluded.react_code,
           props_schema = excluded.props_schema,
           css_styles = excluded.css_styles,
           dependencies = excluded.dependencies,
           version = excluded.version,
           is_published = excluded.is_published,
           preview_url = excluded.preview_url,
           metadata = excluded.metadata
     WHERE (held.component_name, held.component_type, held.react_code, held.props_schema, held.css_styles,
            held.dependencies, held.version, held.is_published, held.preview_url, held.metadata)
           IS DISTINCT FROM
           (excluded.component_name, excluded.component_type, excluded.react_code, excluded.props_schema,
            excluded.css_styles, excluded.dependencies, excluded.version, excluded.is_published,
            excluded.preview_url, excluded.metadata)
    RETURNING xmax = 0 AS inserted
"""

# Pages by key.
_UPSERT_PAGES: LiteralString = """
    INSERT INTO robbieblocks_pages AS held
           (page_key, app_namespace, page_name, page_route, layout_template, meta_title,
            meta_description, status, version, published_at, created_by, metadata)
    SELECT page_key, app_namespace, page_name, page_route, layout_template, meta_title,
           meta_description, status, version, published_at, created_by, metadata
      FROM jsonb_to_recordset(%s) AS given
           (page_key text, app_namespace text, page_name text, page_route text, layout_template text,
            meta_title text, meta_description text, status text, version integer,
            published_at timestamptz, created_by integer, metadata jsonb)
     ORDER BY page_key
    ON CONFLICT (page_key) DO UPDATE
       SET app_namespace = excluded.app_namespace,
           page_name = excluded.page_name,
           page_route = excluded.page_route,
           layout_template = excluded.layout_template,
           meta_title = excluded.meta_title,
           meta_description = excluded.meta_description,
           status = excluded.status,
           version = excluded.version,
           published_at = excluded.published_at,
           created_by = excluded.created_by,
           metadata = excluded.metadata
     WHERE (held.app_namespace, held.page_name, held.page_route, held.layout_template, held.meta_title,
            held.meta_description, held.status, held.version, held.published_at, held.created_by, held.metadata)
           IS DISTINCT FROM
           (excluded.app_namespace, excluded.page_name, excluded.page_route, excluded.layout_template,
            excluded.meta_title, excluded.meta_description, excluded.status, excluded.version,
            excluded.published_at, excluded.created_by, excluded.metadata)
    RETURNING xmax = 0 AS inserted
"""

# Which of these component keys have a row.
_KNOWN_COMPONENTS: LiteralString = """
    SELECT component_key FROM robbieblocks_components WHERE component_key = ANY(%s)
"""

# Blocks that a seeded page has and its file has not.
_DELETE_BLOCKS: LiteralString = """
    DELETE FROM robbieblocks_page_blocks AS held
     USING robbieblocks_pages AS page
     WHERE page.id = held.page_id
       AND page.page_key = ANY(%s)
       AND NOT EXISTS (
           SELECT FROM jsonb_to_recordset(%s) AS given (page_key text, block_order integer)
            WHERE given.page_key = page.page_key AND given.block_order = held.block_order)
"""

# Blocks by page and order; an id is kept where the block stays in its place.
_UPSERT_BLOCKS: LiteralString = """
    INSERT INTO robbieblocks_page_blocks AS held (page_id, component_id, block_order, zone, props, conditions)
    SELECT page.id, component.id, given.block_order, given.zone, given.props, given.conditions
      FROM jsonb_to_recordset(%s) AS given
           (page_key text, component_key text, block_order integer, zone text, props jsonb, conditions jsonb)
      JOIN robbieblocks_pages AS page USING (page_key)
      JOIN robbieblocks_components AS component USING (component_key)
     ORDER BY page_key, block_order
    ON CONFLICT (page_id, block_order) DO UPDATE
       SET component_id = excluded.component_id,
           zone = excluded.zone,
           props = excluded.props,
           conditions = excluded.conditions
     WHERE (held.component_id, held.zone, held.props, held.conditions)
           IS DISTINCT FROM (excluded.component_id, excluded.zone, excluded.props, excluded.conditions)
    RETURNING xmax = 0 AS inserted
"""


def seed(connection: Connection[Any], content: Content) -> Counts:
    """Brings the rows up to the content, in one transaction; rows that it does not name stay.

    Writes nothing where nothing differs. Raises ContentError when a page places a component that
    is neither in the content nor in the database; nothing is written then.
    """
    with connection.transaction():
        tokens = _upsert(connection, _UPSERT_TOKENS, _token_rows(content))
        nodes = _upsert(connection, _UPSERT_NODES, _node_rows(content))
        components = _upsert(connection, _UPSERT_COMPONENTS, _component_rows(content))
        _check_components(connection, content)
        pages = _upsert(connection, _UPSERT_PAGES, _page_rows(content))
        blocks = _replace_blocks(connection, content)
    return Counts(tokens=tokens, nodes=nodes, components=components, pages=pages, blocks=blocks)


def _upsert(connection: Connection[Any], query: LiteralString, rows: list[dict[str, Any]]) -> Tally:
    if not rows:
        return Tally()
    written = connection.execute(query, (Jsonb(rows),)).fetchall()
    inserted = sum(1 for row in written if _first(row))
    updated = len(written) - inserted
    return Tally(inserted=inserted, updated=updated, unchanged=len(rows) - len(written))


def _replace_blocks(connection: Connection[Any], content: Content) -> Tally:
    rows = _block_rows(content)
    keys = [page.key for page in content.pages]
    deleted = connection.execute(_DELETE_BLOCKS, (keys, Jsonb(rows))).rowcount
    tally = _upsert(connection, _UPSERT_BLOCKS, rows)
    return Tally(tally.inserted, tally.updated, deleted, tally.unchanged)


def _check_components(connection: Connection[Any], content: Content) -> None:
    placed = {block.component for page in content.pages for block in page.blocks}
    known = {_first(row) for row in connection.execute(_KNOWN_COMPONENTS, (sorted(placed),))}
    missing = placed - known
    if missing:
        raise ContentError(_missing(page, missing) for page in content.pages if _places(page, missing))


def _places(page: Page, components: set[str]) -> bool:
    return any(block.component in components for block in page.blocks)


def _missing(page: Page, missing: set[str]) -> Problem:
    block = next(block for block in page.blocks if block.component in missing)
    return Problem(
        entity="page",
        key=page.key,
        block=block.order,
        line=block.line,
        what=f"places the component {block.component!r}, which is neither in {page.file.parent.parent.name}/"
        "components nor in the database",
        remedy="add the component, or correct its key",
    )


def _first(row: Any) -> Any:
    """The first column, whatever row factory the connection has."""
    return next(iter(row.values())) if isinstance(row, dict) else row[0]


def _token_rows(content: Content) -> list[dict[str, Any]]:
    return [
        {
            "token_key": token.key,
            "token_category": token.category,
            "default_value": token.value,
            "description": token.description,
        }
        for token in content.tokens
    ]


def _node_rows(content: Content) -> list[dict[str, Any]]:
    return [
        {
            "node_id": node.id,
            "node_name": node.name,
            "style_overrides": dict(node.overrides),
            "enabled_apps": list(node.enabled_apps),
            "custom_css": node.custom_css,
            "custom_scripts": node.custom_scripts,
            "base_url": node.base_url,
        }
        for node in content.nodes
    ]


def _component_rows(content: Content) -> list[dict[str, Any]]:
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


def _page_rows(content: Content) -> list[dict[str, Any]]:
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


def _block_rows(content: Content) -> list[dict[str, Any]]:
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
