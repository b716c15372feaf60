"""Reads every row of content from a database, drafts included, exactly as it is stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Literal, LiteralString, TypeVar

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row

from robbieblocks.content.shape import (
    Component,
    Content,
    ContentRow,
    Media,
    Page,
    RowName,
)
from robbieblocks.content.storing import media_rows
from robbieblocks.content.storing.stored_rows import (
    Unreadable,
    component_of,
    media_of,
    node_of,
    page_of,
    token_of,
)
from robbieblocks.database import ALL_ROWS, translated
from robbieblocks.errors import Problem

# The statements of a transaction see one moment, and overwrite nothing that came after it.
ONE_MOMENT: LiteralString = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"

Row = TypeVar("Row", bound=ContentRow)

# All tokens.
_TOKENS: LiteralString = """
    SELECT token_key AS key, token_category AS category, default_value AS value, description,
           imported_hash
      FROM robbieblocks_style_tokens
"""
# All nodes. JSON is read as text, here and below: a number may be beyond what a float holds.
_NODES: LiteralString = """
    SELECT node_id AS key, node_name AS name, style_overrides::text AS overrides, enabled_apps,
           custom_css, custom_scripts, base_url, settings::text AS settings, imported_hash
      FROM robbieblocks_node_branding
"""
# All components, published or not.
_COMPONENTS: LiteralString = """
    SELECT component_key AS key, component_name AS name, component_type AS type,
           react_code AS code, css_styles AS css, props_schema::text AS props_schema,
           dependencies, version, is_published AS published, preview_url,
           metadata::text AS metadata, imported_hash
      FROM robbieblocks_components
"""
# All pages, drafts included. Python has no time before the year 1, after 9999, or infinite.
_PAGES: LiteralString = """
    SELECT page_key AS key, page_name AS name, app_namespace AS app, page_route AS route,
           layout_template AS layout, meta_title AS title, meta_description AS description, status,
           version, created_by, metadata::text AS metadata, imported_hash,
           CASE WHEN published_at BETWEEN '0001-01-02Z' AND '9999-12-30Z'
                THEN published_at AT TIME ZONE 'UTC' END AS published_at,
           published_at::text AS published_text
      FROM robbieblocks_pages
"""
# All blocks that are on a page.
_BLOCKS: LiteralString = """
    SELECT page_key, block_order AS order, zone, component_key AS component, props::text AS props,
           conditions::text AS conditions, block.imported_hash
      FROM robbieblocks_page_blocks AS block
      JOIN robbieblocks_pages AS page ON page.id = block.page_id
      LEFT JOIN robbieblocks_components AS component ON component.id = block.component_id
     ORDER BY page_key COLLATE "C", block_order
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """The content of a database.

    `imported` is the hash of each row as it was last imported, None for one that never was;
    `blocks` the same for the blocks of pages, by order. `unreadable` are rows that no file can
    hold, each with what is wrong with it. `placed` are the components on each page, by order.
    """

    content: Content
    imported: Mapping[RowName, str | None] = field(default_factory=dict[RowName, str | None])
    blocks: Mapping[str, Mapping[int, str | None]] = field(
        default_factory=dict[str, Mapping[int, str | None]]
    )
    unreadable: Mapping[RowName, Problem] = field(default_factory=dict[RowName, Problem])
    placed: Mapping[str, Mapping[int, str]] = field(default_factory=dict[str, Mapping[int, str]])

    def only(self, kind: Literal["token", "node"]) -> Stored:
        """The rows of one kind, as if there were no others."""
        content = self.content
        found = Content(tokens=content.tokens) if kind == "token" else Content(nodes=content.nodes)
        unreadable = {name: wrong for name, wrong in self.unreadable.items() if name.kind == kind}
        return replace(self, content=found, unreadable=unreadable)


def stored(connection: Connection, *, whole: bool = False) -> Stored:
    """Everything that the content tables hold, as it was at one moment.

    Rows that a policy hides are left out; with `whole` there may be none, for whoever takes what is
    not there for deleted. Raises SchemaOutdated, DatabaseUnavailable and RightsMissing.
    """
    with translated("read the content"), connection.transaction():
        connection.execute(ONE_MOMENT)
        if whole:
            connection.execute(ALL_ROWS)
        return read_rows(connection)


def read_rows(connection: Connection) -> Stored:
    """The same in the caller's transaction. Raises what the driver raises."""
    with connection.cursor(row_factory=dict_row) as cursor:
        reader = _Reader(cursor)
        content = Content(
            tokens=reader.read("token", _TOKENS, token_of),
            nodes=reader.read("node", _NODES, node_of),
            media=reader.media(),
            components=reader.read("component", _COMPONENTS, component_of),
            pages=reader.pages(),
        )
    return Stored(
        content=content,
        imported=reader.imported,
        blocks=reader.blocks,
        unreadable=reader.unreadable,
        placed=reader.placed,
    )


def stored_media(connection: Connection) -> tuple[Media, ...]:
    """The media that a file can hold, sorted by key. Raises DatabaseUnavailable."""
    with translated("read the media"), connection.cursor(row_factory=dict_row) as cursor:
        return _Reader(cursor).media()


def stored_components(
    connection: Connection, keys: Collection[str]
) -> list[tuple[Component, str | None]]:
    """The components with these keys that a file can hold, each with its `imported_hash`.

    Raises DatabaseUnavailable.
    """
    with (
        translated("read the components"),
        connection.cursor(row_factory=dict_row) as cursor,
    ):
        reader = _Reader(cursor)
        query = _COMPONENTS + " WHERE component_key = ANY(%s)"
        found = reader.read("component", query, component_of, [list(keys)])
    return [(row, reader.imported[RowName("component", row.key)]) for row in found]


class _Reader:
    """Reads the tables one by one, and keeps what belongs to rows of all of them."""

    def __init__(self, cursor: Cursor[DictRow]) -> None:
        self._cursor = cursor
        self.imported: dict[RowName, str | None] = {}
        self.blocks: dict[str, dict[int, str | None]] = {}
        self.unreadable: dict[RowName, Problem] = {}
        self.placed: dict[str, dict[int, str]] = {}

    def read(
        self,
        kind: Any,
        query: LiteralString,
        make: Callable[[DictRow], Row],
        parameters: Sequence[Any] = (),
    ) -> tuple[Row, ...]:
        """The rows of one table, sorted by key."""
        found: list[Row] = []
        rows = self._cursor.execute(query, parameters or None)
        for row in sorted(rows, key=lambda row: row["key"]):
            name = RowName(kind, row["key"])
            self.imported[name] = row.pop("imported_hash")
            try:
                found.append(make(row))
            except Unreadable as error:
                self.unreadable[name] = Problem(
                    entity=_ENTITIES.get(kind, kind),
                    key=name.key,
                    field=error.field,
                    block=error.block,
                    what=error.what,
                    remedy=error.remedy,
                )
        return tuple(found)

    def media(self) -> tuple[Media, ...]:
        """The media, sorted by key; none where the database has no table of them."""
        connection = self._cursor.connection
        if not media_rows.has_table(connection):
            return ()
        return self.read("media", media_rows.ALL, lambda row: media_of(connection, row))

    def pages(self) -> tuple[Page, ...]:
        """The pages with their blocks, sorted by key."""
        rows = self._cursor.execute(_BLOCKS).fetchall()
        blocks = {key: list(found) for key, found in groupby(rows, lambda row: row["page_key"])}
        for key, found in blocks.items():
            self.blocks[key] = {row["order"]: row["imported_hash"] for row in found}
            self.placed[key] = {row["order"]: row["component"] for row in found if row["component"]}
        return self.read("page", _PAGES, lambda row: page_of(row, blocks.get(row["key"], ())))


_ENTITIES: Mapping[str, str] = {"token": "style_token", "node": "node_branding"}
