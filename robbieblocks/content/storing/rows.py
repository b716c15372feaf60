"""Writes rows of content where they differ.

Change capture queues a build for every row that is written, so a second import must write nothing.
The rows of a table are given as one JSON array, so that an import is a few statements for each
table. In the SQL, `held` is the row in the table, `excluded` the one that was to be inserted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, cast

from psycopg import Cursor
from psycopg.sql import SQL, Composed

from robbieblocks.content.shape import ContentRow, Media, Page, RowName
from robbieblocks.content.storing import media_rows
from robbieblocks.content.storing.merging import RowMerge, row_hash
from robbieblocks.model import Json, MediaObject
from robbieblocks.source_files import exact_json

NO_OBJECTS: Final[Mapping[str, MediaObject]] = {}


@dataclass(frozen=True, slots=True)
class _Table:
    """A table: for each column its SQL type and the attribute that fills it; the key comes first.

    `blank` are the columns in which an empty text or object and none are the same: no difference.
    """

    name: LiteralString
    columns: Mapping[LiteralString, tuple[LiteralString, str]]
    blank: tuple[LiteralString, ...] = ()

    def upsert(self) -> Composed:
        """The statement that inserts rows by key, and updates those that differ."""
        key, *others = self.columns
        return SQL("""
            INSERT INTO {table} AS held ({columns})
            SELECT {given}
              FROM jsonb_to_recordset(%s) AS given ({typed})
             ORDER BY {key}
            ON CONFLICT ({key}) DO UPDATE SET {updates}
             WHERE ({held}) IS DISTINCT FROM ({new})
        """).format(
            table=SQL(self.name),
            key=SQL(key),
            columns=_listed("{}", self.columns),
            given=SQL(", ").join(self._value("{}", name) for name in self.columns),
            typed=SQL(", ").join(
                SQL("{} {}").format(SQL(name), SQL(kind))
                for name, (kind, _) in self.columns.items()
            ),
            updates=_listed("{0} = excluded.{0}", others),
            held=SQL(", ").join(self._value("held.{}", name) for name in others),
            new=_listed("excluded.{}", others),
        )

    def delete(self) -> Composed:
        """The statement that deletes rows by key."""
        return SQL("DELETE FROM {} WHERE {} = ANY(%s)").format(SQL(self.name), SQL(self.key))

    def remember(self) -> Composed:
        """The statement that keeps the hash of each row as it was imported."""
        return SQL("""
            UPDATE {table} AS held SET imported_hash = given.hash
              FROM jsonb_to_recordset(%s) AS given ({key} text, hash text)
             WHERE held.{key} = given.{key}
               AND held.imported_hash IS DISTINCT FROM given.hash
        """).format(table=SQL(self.name), key=SQL(self.key))

    def values(self, row: ContentRow) -> dict[str, object]:
        """The columns of a row, as JSON holds them."""
        found = {name: getattr(row, attribute) for name, (_, attribute) in self.columns.items()}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in found.items()
        }

    @property
    def key(self) -> LiteralString:
        """The column by which rows are told apart."""
        return next(iter(self.columns))

    def _value(self, form: LiteralString, name: LiteralString) -> Composed:
        value = SQL(form).format(SQL(name))
        if name not in self.blank:
            return value
        kind, _ = self.columns[name]
        return SQL("nullif({}, {})").format(value, SQL("'{}'" if kind == "jsonb" else "''"))


def _listed(form: LiteralString, names: Iterable[LiteralString]) -> Composed:
    return SQL(", ").join(SQL(form).format(SQL(name)) for name in names)


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
        "settings": ("jsonb", "settings"),
    },
    blank=("custom_css", "custom_scripts", "base_url", "settings"),
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

_MEDIA: Final = _Table(
    "media_assets",
    {
        "media_key": ("text", "key"),
        "file_name": ("text", "file_name"),
        "media_type": ("text", "type"),
        "width": ("integer", "width"),
        "height": ("integer", "height"),
        "alt": ("text", "alt"),
        "is_decorative": ("boolean", "is_decorative"),
        "focal_point": ("text", "focal_point"),
        "served_path": ("text", "served_path"),
    },
)

_TABLES: Final = {
    "token": _TOKENS,
    "node": _NODES,
    "media": _MEDIA,
    "component": _COMPONENTS,
    "page": _PAGES,
}

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
"""


# Which page a block is on is known by its page's key here.
_REMEMBER_BLOCKS: LiteralString = """
    UPDATE robbieblocks_page_blocks AS held SET imported_hash = given.hash
      FROM jsonb_to_recordset(%s) AS given (page_key text, block_order integer, hash text)
      JOIN robbieblocks_pages AS page USING (page_key)
     WHERE held.page_id = page.id AND held.block_order = given.block_order
       AND held.imported_hash IS DISTINCT FROM given.hash
"""


def write(
    cursor: Cursor[Any],
    merged: Iterable[RowMerge],
    source: str = "",
    objects: Mapping[str, MediaObject] = NO_OBJECTS,
) -> None:
    """Do what a merge says, in the caller's transaction, and remember what was imported.

    `source` is that of `row_hash`, `objects` are the media that lie in a bucket, by their hash.
    Components are written before the pages that place them, and removed after them.
    """
    rows = tuple(merged)
    for kind, table in _TABLES.items():
        written = [row.merged for row in rows if row.name.kind == kind and row.merged is not None]
        if kind == "media":
            for row in written:
                if isinstance(row, Media):
                    media_rows.write(cursor, row, _MEDIA.values(row), objects)
        elif written:
            cursor.execute(table.upsert(), (_as_jsonb(map(table.values, written)),))
        if kind == "page":
            _replace_blocks(cursor, [row for row in written if isinstance(row, Page)])
    for kind, table in reversed(_TABLES.items()):
        keys = [row.name.key for row in rows if row.name.kind == kind and row.action == "remove"]
        if keys:
            cursor.execute(table.delete(), (keys,))
    settled = {row.name: row.theirs for row in rows if row.theirs is not None and row.settled}
    remember(cursor, settled, source)


def remember(cursor: Cursor[Any], files: Mapping[RowName, ContentRow], source: str = "") -> None:
    """Remember what files say as what was imported last. No other column is touched."""
    for kind, table in reversed(_TABLES.items()):
        hashes = [
            {table.key: name.key, "hash": row_hash(row, source)}
            for name, row in files.items()
            if name.kind == kind
        ]
        if hashes or kind != "media":
            cursor.execute(table.remember(), (_as_jsonb(hashes),))
    blocks = [
        {"page_key": row.key, "block_order": block.order, "hash": row_hash(block)}
        for row in files.values()
        if isinstance(row, Page)
        for block in row.blocks
    ]
    cursor.execute(_REMEMBER_BLOCKS, (_as_jsonb(blocks),))


def _as_jsonb(rows: Iterable[Mapping[str, object]]) -> str:
    return "[" + ",".join(exact_json.dumps(cast("Json", row)) for row in rows) + "]"


def _replace_blocks(cursor: Cursor[Any], pages: Iterable[Page]) -> None:
    rows = _as_jsonb(
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
    )
    cursor.execute(_DELETE_BLOCKS, ([page.key for page in pages], rows))
    cursor.execute(_UPSERT_BLOCKS, (rows,))
