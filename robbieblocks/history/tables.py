"""The tables that changes are written back to, each with the statements for one row of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, LiteralString

from psycopg.sql import SQL, Composable, Composed, Identifier

# What the journal has of a file, in the order of media_assets_side.
_MEDIA_COLUMNS: LiteralString = (
    "id, media_key, file_name, media_type, content_hash, size_bytes, width, height, alt,"
    " is_decorative, focal_point, served_path"
)
# The bytes that a row as JSON has the hash of: they were kept, or another row has them, too.
_BYTES: Final = SQL(
    "(SELECT coalesce((SELECT content FROM earlier_media AS e"
    " WHERE e.content_hash = old.content_hash),"
    " (SELECT content FROM media_assets AS m WHERE m.content_hash = old.content_hash LIMIT 1)))"
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of content. The journal keeps a row as JSON with its columns."""

    name: LiteralString

    def read(self) -> Composed:
        """The row of an id, locked, as the journal has it."""
        return SQL(
            "SELECT (to_jsonb(t) - '{{updated_at,imported_hash}}'::text[])::text FROM {} AS t"
            " WHERE id = %s FOR UPDATE"
        ).format(SQL(self.name))

    def insert(self) -> Composed:
        """A row from JSON, with its id."""
        return SQL(
            "INSERT INTO {table} SELECT (jsonb_populate_record(NULL::{table},"
            " %s::jsonb || jsonb_build_object('updated_at', now()))).*"
        ).format(table=SQL(self.name))

    def update(self, columns: Sequence[str]) -> Composed:
        """Some columns of the row of an id, from JSON."""
        return self._update(columns, list(map(Identifier, columns)))

    def delete(self) -> Composed:
        """The row of an id."""
        return SQL("DELETE FROM {} WHERE id = %s").format(SQL(self.name))

    def _update(self, columns: Sequence[str], values: Sequence[Composable]) -> Composed:
        return SQL(
            "UPDATE {table} SET ({names}) = (SELECT {values} FROM"
            " jsonb_populate_record(NULL::{table}, %s::jsonb) AS old) WHERE id = %s"
        ).format(
            table=SQL(self.name),
            names=SQL(", ").join(map(Identifier, columns)),
            values=SQL(", ").join(values),
        )


class MediaTable(Table):
    """The table of media: of their bytes the journal has the hash.

    A row whose bytes are not kept any more is refused: NotNullViolation.
    """

    def read(self) -> Composed:
        """As `Table.read`."""
        return SQL("SELECT media_assets_side({})::text FROM {} WHERE id = %s FOR UPDATE").format(
            SQL(_MEDIA_COLUMNS), SQL(self.name)
        )

    def insert(self) -> Composed:
        """As `Table.insert`."""
        return SQL(
            "INSERT INTO {table} ({columns}, content) SELECT {columns}, {bytes}"
            " FROM jsonb_populate_record(NULL::{table}, %s::jsonb) AS old"
        ).format(table=SQL(self.name), columns=SQL(_MEDIA_COLUMNS), bytes=_BYTES)

    def update(self, columns: Sequence[str]) -> Composed:
        """As `Table.update`."""
        values: list[Composable] = list(map(Identifier, columns))
        if "content_hash" not in columns:
            return self._update(columns, values)
        return self._update([*columns, "content"], [*values, _BYTES])


TABLES: Final = {
    "page": Table("robbieblocks_pages"),
    "component": Table("robbieblocks_components"),
    "style_token": Table("robbieblocks_style_tokens"),
    "node_branding": Table("robbieblocks_node_branding"),
    "media": MediaTable("media_assets"),
}
"""By the entity of queue rows."""

PLACED: Final = Table("robbieblocks_page_blocks")
"""The blocks of pages, which have no queue rows of their own."""
