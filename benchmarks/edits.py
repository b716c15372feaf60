"""The edits that are measured: each changes one thing, and something else every time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final

import psycopg

from benchmarks.apps import component

Connection = psycopg.Connection
Edit = Callable[[Connection], None]
_numbers = itertools.count(1)


def of_component(connection: Connection) -> None:
    """A text in one component's code: it is compiled, and the pages that place it change."""
    part = component(1, note=f"edition {next(_numbers)}")
    connection.execute(
        "UPDATE robbieblocks_components SET react_code = %s WHERE component_key = %s",
        (part.code, part.key),
    )


def of_page(connection: Connection) -> None:
    """The props of one block of one page."""
    connection.execute(
        "UPDATE robbieblocks_page_blocks SET "
        "props = jsonb_set(props, '{title}', to_jsonb(%s::text)) "
        "WHERE block_order = 1 AND page_id = (SELECT id FROM robbieblocks_pages "
        "WHERE page_key = 'page-00003')",
        (f"Edition {next(_numbers)}",),
    )


def of_token(connection: Connection) -> None:
    """The value of one style token: every page of every node has other styles."""
    connection.execute(
        "UPDATE robbieblocks_style_tokens SET default_value = %s WHERE token_key = 'spacing.md'",
        (f"0.{next(_numbers) + 100}rem",),
    )


def of_branding(connection: Connection) -> None:
    """One node's name for a colour: all pages of that node."""
    connection.execute(
        "UPDATE robbieblocks_node_branding SET style_overrides = "
        "jsonb_set(style_overrides, '{color.primary}', to_jsonb(%s::text)) "
        "WHERE node_id = 'node-000'",
        (f"#1a{next(_numbers) % 65536:04x}",),
    )


def of_10_000_rows(connection: Connection) -> None:
    """All pages' names, and the props of blocks, 10,000 rows in all: one transaction."""
    edition = next(_numbers)
    pages = connection.execute(
        "UPDATE robbieblocks_pages SET page_name = page_name || %s", (f" {edition}",)
    ).rowcount
    connection.execute(
        "UPDATE robbieblocks_page_blocks SET "
        "props = jsonb_set(props, '{count}', to_jsonb(%s::int)) "
        "WHERE id IN (SELECT id FROM robbieblocks_page_blocks ORDER BY id LIMIT %s)",
        (edition, 10_000 - pages),
    )


EDITS: Final[Mapping[str, Edit]] = {
    "one component": of_component,
    "one page": of_page,
    "one token": of_token,
    "one branding": of_branding,
}
