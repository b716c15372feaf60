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
# The bytes that a row as JSON has the hash of, or where they lie: they were kept, or another row
# has them, too.
_KEPT: Final = SQL(
    " LEFT JOIN LATERAL (SELECT content,"
    " CASE WHEN content IS NULL THEN content_address END AS place"
    " FROM (SELECT content_hash, content, content_address FROM earlier_media"
    " UNION ALL SELECT content_hash, content, content_address FROM media_assets) AS held"
    " WHERE held.content_hash = old.content_hash ORDER BY content IS NULL LIMIT 1) AS kept ON true"
)
_NOTHING: Final = SQL("")


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

    def _update(
        self, columns: Sequence[str], values: Sequence[Composable], joined: SQL = _NOTHING
    ) -> Composed:
        return SQL(
            "UPDATE {table} SET ({names}) = (SELECT {values} FROM"
            " jsonb_populate_record(NULL::{table}, %s::jsonb) AS old{joined}) WHERE id = %s"
        ).format(
            table=SQL(self.name),
            joined=joined,
            names=SQL(", ").join(map(Identifier, columns)),
            values=SQL(", ").join(values),
        )


class MediaTable(Table):
    """The table of media: of their bytes the journal has the hash.

    A row whose bytes are not kept any more is refused: CheckViolation.
    """

    def read(self) -> Composed:
        """As `Table.read`."""
        return SQL("SELECT media_assets_side({})::text FROM {} WHERE id = %s FOR UPDATE").format(
            SQL(_MEDIA_COLUMNS), SQL(self.name)
        )

    def insert(self) -> Composed:
        """As `Table.insert`."""
        return SQL(
            "INSERT INTO {table} ({columns}, content, content_address)"
            " SELECT {columns}, kept.content, kept.place"
            " FROM jsonb_populate_record(NULL::{table}, %s::jsonb) AS old{kept}"
        ).format(table=SQL(self.name), columns=SQL(_MEDIA_COLUMNS), kept=_KEPT)

    def update(self, columns: Sequence[str]) -> Composed:
        """As `Table.update`."""
        values: list[Composable] = list(map(Identifier, columns))
        if "content_hash" not in columns:
            return self._update(columns, values)
        places = [SQL("kept.content"), SQL("kept.place")]
        return self._update([*columns, "content", "content_address"], [*values, *places], _KEPT)


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
