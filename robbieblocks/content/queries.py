"""The SQL that writes content: each upsert compares the whole row, and writes where it differs.

The rows of a table are given as one JSON array, so that a seed is one statement for each table.
`held` is the row in the table, `excluded` the one that was to be inserted.
"""

from __future__ import annotations

from typing import LiteralString

# Tokens by key.
UPSERT_TOKENS: LiteralString = """
    INSERT INTO robbieblocks_style_tokens AS held
           (token_key, token_category, default_value, description)
    SELECT token_key, token_category, default_value, description
      FROM jsonb_to_recordset(%s) AS given
           (token_key text, token_category text, default_value text, description text)
     ORDER BY token_key
    ON CONFLICT (token_key) DO UPDATE
       SET token_category = excluded.token_category,
           default_value = excluded.default_value,
           description = excluded.description
     WHERE (held.token_category, held.default_value, held.description)
           IS DISTINCT FROM
           (excluded.token_category, excluded.default_value, excluded.description)
    RETURNING xmax = 0 AS inserted
"""

# Branding by node. An empty text and none are the same branding, so they are no difference.
UPSERT_NODES: LiteralString = """
    INSERT INTO robbieblocks_node_branding AS held
           (node_id, node_name, style_overrides, enabled_apps,
            custom_css, custom_scripts, base_url)
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
     WHERE (held.node_name, held.style_overrides, held.enabled_apps,
            nullif(held.custom_css, ''), nullif(held.custom_scripts, ''),
            nullif(held.base_url, ''))
           IS DISTINCT FROM
           (excluded.node_name, excluded.style_overrides, excluded.enabled_apps,
            excluded.custom_css, excluded.custom_scripts, excluded.base_url)
    RETURNING xmax = 0 AS inserted
"""

# Components by key.
UPSERT_COMPONENTS: LiteralString = """
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
     WHERE (held.component_name, held.component_type, held.react_code, held.props_schema,
            held.css_styles, held.dependencies, held.version, held.is_published,
            held.preview_url, held.metadata)
           IS DISTINCT FROM
           (excluded.component_name, excluded.component_type, excluded.react_code,
            excluded.props_schema, excluded.css_styles, excluded.dependencies,
            excluded.version, excluded.is_published, excluded.preview_url, excluded.metadata)
    RETURNING xmax = 0 AS inserted
"""

# Pages by key.
UPSERT_PAGES: LiteralString = """
    INSERT INTO robbieblocks_pages AS held
           (page_key, app_namespace, page_name, page_route, layout_template, meta_title,
            meta_description, status, version, published_at, created_by, metadata)
    SELECT page_key, app_namespace, page_name, page_route, layout_template, meta_title,
           meta_description, status, version, published_at, created_by, metadata
      FROM jsonb_to_recordset(%s) AS given
           (page_key text, app_namespace text, page_name text, page_route text,
            layout_template text, meta_title text, meta_description text, status text,
            version integer, published_at timestamptz, created_by integer, metadata jsonb)
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
     WHERE (held.app_namespace, held.page_name, held.page_route, held.layout_template,
            held.meta_title, held.meta_description, held.status, held.version,
            held.published_at, held.created_by, held.metadata)
           IS DISTINCT FROM
           (excluded.app_namespace, excluded.page_name, excluded.page_route,
            excluded.layout_template, excluded.meta_title, excluded.meta_description,
            excluded.status, excluded.version, excluded.published_at, excluded.created_by,
            excluded.metadata)
    RETURNING xmax = 0 AS inserted
"""

# Which of these component keys have a row.
KNOWN_COMPONENTS: LiteralString = """
    SELECT component_key FROM robbieblocks_components WHERE component_key = ANY(%s)
"""

# Delete the blocks that a seeded page has and its file does not have.
DELETE_BLOCKS: LiteralString = """
    DELETE FROM robbieblocks_page_blocks AS held
     USING robbieblocks_pages AS page
     WHERE page.id = held.page_id
       AND page.page_key = ANY(%s)
       AND NOT EXISTS (
           SELECT FROM jsonb_to_recordset(%s) AS given (page_key text, block_order integer)
            WHERE given.page_key = page.page_key AND given.block_order = held.block_order)
"""

# Blocks by page and order; a block keeps its id as long as its page and order stay.
UPSERT_BLOCKS: LiteralString = """
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
