"""A little content of every kind, for the tests of schema and queue."""
# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

from typing import Any, LiteralString

import psycopg

Db = psycopg.Connection

CONTENT: LiteralString = """
    INSERT INTO robbieblocks_components (component_key, component_name, component_type, react_code, props_schema, is_published)
    SELECT key, key, 'widget', code, '{}', published
      FROM (VALUES ('bar', '<i/>', true), ('alone', '<i/>', true), ('unpublished', '<i/>', false),
                   ('inner', '<i/>', true), ('secret', '<i/>', false),
                   ('outer', 'import I from "@robbieblocks/inner"; import S from ''@robbieblocks/secret'';', true)
           ) AS c (key, code, published);
    INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route, layout_template, status)
    SELECT key, app, key, '/' || key, 'single-column', status
      FROM (VALUES ('home', 'play', 'published'), ('desk', 'work', 'published'), ('about', 'shared', 'published'),
                   ('draft', 'play', 'draft'), ('gone', 'nobody', 'published')) AS p (key, app, status);
    INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone)
    SELECT p.id, c.id, b.block_order, 'main'
      FROM (VALUES ('home', 'bar', 1), ('home', 'bar', 2), ('desk', 'bar', 1), ('desk', 'outer', 2), ('about', 'unpublished', 1),
                   ('draft', 'bar', 1)) AS b (page_key, component_key, block_order)
      JOIN robbieblocks_pages p USING (page_key) JOIN robbieblocks_components c USING (component_key);
    DELETE FROM robbieblocks_change_triggers;
"""


def one(db: Db, query: LiteralString, *values: Any) -> Any:
    """The first column of the first row."""
    row = db.execute(query, values or None).fetchone()
    assert row is not None
    return row[0]
