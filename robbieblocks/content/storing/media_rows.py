"""Media in a database, whose bytes are read and written by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, LiteralString

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, tuple_row

from robbieblocks.content.shape import Media
from robbieblocks.database import translated
from robbieblocks.errors import DatabaseUnavailable, SiteUnavailable
from robbieblocks.media_names import focal_point_problem, key_problem, path_problem
from robbieblocks.model import sha256

# All media, without their bytes.
ALL: LiteralString = """
    SELECT media_key AS key, file_name, media_type AS type, content_hash AS hash,
           size_bytes AS size, width, height, alt, is_decorative, focal_point, served_path,
           imported_hash
      FROM media_assets
"""

# Whether the database has file 22.
_HAS_TABLE: LiteralString = "SELECT to_regclass('media_assets') IS NOT NULL"

# The bytes of one file.
_BYTES: LiteralString = "SELECT content FROM media_assets WHERE media_key = %s"

# Insert one file, or bring it to this. Its bytes are no JSON: as JSON they would be twice as large.
_UPSERT: LiteralString = """
    INSERT INTO media_assets (media_key, file_name, media_type, width, height, alt, is_decorative,
                              focal_point, served_path, content)
    VALUES (%(media_key)s, %(file_name)s, %(media_type)s, %(width)s, %(height)s, %(alt)s,
            %(is_decorative)s, %(focal_point)s, %(served_path)s, %(content)b)
    ON CONFLICT (media_key) DO UPDATE
       SET file_name = excluded.file_name, media_type = excluded.media_type,
           width = excluded.width, height = excluded.height, alt = excluded.alt,
           is_decorative = excluded.is_decorative, focal_point = excluded.focal_point,
           served_path = excluded.served_path, content = excluded.content
"""


def has_table(connection: Connection[Any]) -> bool:
    """Whether the database can hold media. Raises what the driver raises."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_HAS_TABLE).fetchone() == (True,)


def media(connection: Connection[Any], row: DictRow) -> Media | tuple[str, str]:
    """A row as content; or the column that no file can hold, and what is wrong with it."""
    key, expected = row["key"], row["hash"]

    def read() -> bytes:
        with (
            translated(f"read the file media:{key}"),
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            held = cursor.execute(_BYTES, (key,)).fetchone()
        content = bytes(held[0]) if held else b""
        if sha256(content) != expected:
            raise DatabaseUnavailable(f"media:{key} was changed meanwhile: try again")
        return content

    for column, wrong in (
        ("media_key", key_problem(key)),
        ("focal_point", row["focal_point"] and focal_point_problem(row["focal_point"])),
        ("served_path", row["served_path"] and path_problem(row["served_path"])),
        (
            "alt",
            row["alt"] and row["is_decorative"] and "is there though the picture is decorative",
        ),
    ):
        if wrong:
            return column, wrong
    return Media(**row, read=read)


def write(cursor: Cursor[Any], row: Media, values: Mapping[str, object]) -> None:
    """Insert a file's row, or bring it to these values. Raises SiteUnavailable."""
    try:
        content = row.read()
    except OSError as error:
        raise SiteUnavailable(f"can't read {row.file}: {error.strerror or error}") from error
    cursor.execute(_UPSERT, {**values, "content": content})
