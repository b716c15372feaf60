"""Rows of content, as the tests of the sync write them."""

from __future__ import annotations

import uuid
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from tests.integration.sync.sites import Site


def key() -> str:
    """A name that no row has."""
    return f"k{uuid.uuid4().hex[:12]}"


def page(site: Site, named: str | None = None, title: str = "new") -> str:
    """Insert a published page; its id."""
    named = named or key()
    return str(
        site.value(
            "INSERT INTO robbieblocks_pages (page_key, app_namespace, page_name, page_route,"
            " layout_template, status, meta_title) VALUES (%s, 'play', %s, %s, 'default',"
            " 'published', %s) RETURNING id",
            named,
            named,
            f"/{named}",
            title,
        )
    )


def again(site: Site, gone: str, named: str, title: str) -> None:
    """Insert a published page that was deleted, with its id."""
    site.run(
        "INSERT INTO robbieblocks_pages (id, page_key, app_namespace, page_name, page_route,"
        " layout_template, status, meta_title) VALUES (%s, %s, 'play', %s, %s, 'default',"
        " 'published', %s)",
        gone,
        named,
        named,
        f"/{named}",
        title,
    )


def component(site: Site, named: str | None = None, code: str = "export default () => null") -> str:
    """Insert a published component; its id."""
    return str(
        site.value(
            "INSERT INTO robbieblocks_components (component_key, component_name, component_type,"
            " react_code, props_schema, is_published)"
            " VALUES (%s, 'C', 'widget', %s, '{}', true) RETURNING id",
            named or key(),
            code,
        )
    )


def block(site: Site, on_page: str, of_component: str, order: int, props: str = "{}") -> str:
    """Place a component on a page; the block's id."""
    return str(
        site.value(
            "INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)"
            " VALUES (%s, %s, %s, 'main', %s) RETURNING id",
            on_page,
            of_component,
            order,
            props,
        )
    )


def orders(site: Site, on_page: str) -> dict[str, int]:
    """The blocks of a page and their orders."""
    return {
        row["id"]: row["block_order"]
        for row in site.rows(
            "SELECT id::text, block_order FROM robbieblocks_page_blocks WHERE page_id = %s", on_page
        )
    }


def title(site: Site, of_page: str) -> Any:
    """A page's title; None where it is gone."""
    return site.value("SELECT meta_title FROM robbieblocks_pages WHERE id = %s", of_page)


def retitle(site: Site, of_page: str, text: str) -> None:
    """Change a page's title."""
    site.run("UPDATE robbieblocks_pages SET meta_title = %s WHERE id = %s", text, of_page)


def remove(site: Site, table: str, row: str) -> None:
    """Delete a row."""
    site.run(f"DELETE FROM robbieblocks_{table} WHERE id = %s", row)


@contextmanager
def apart(node: Site) -> Generator[None]:
    """Cut a node off: nothing comes down. What goes up, a test sends."""
    # Who asks for changes gets none that a test does not have it ask for.
    if node.way == "stream":
        node.admin.execute(f"ALTER SUBSCRIPTION {node.role} DISABLE".encode())
    yield
    if node.way == "stream":
        node.admin.execute(f"ALTER SUBSCRIPTION {node.role} ENABLE".encode())
