"""Media in a database, whose bytes are read and written by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection, Cursor
from psycopg.rows import DictRow, tuple_row

from robbieblocks.content.shape import Media
from robbieblocks.database import ALL_ROWS, translated
from robbieblocks.errors import DatabaseUnavailable, SiteUnavailable
from robbieblocks.media_names import focal_point_problem, key_problem, path_problem
from robbieblocks.model import MediaBytes, MediaObject, sha256
from robbieblocks.objectstore import Originals
from robbieblocks.snapshot import media_content

# All media, without their bytes.
ALL: LiteralString = """
    SELECT media_key AS key, file_name, media_type AS type, content_hash AS hash,
           size_bytes AS size, width, height, alt, is_decorative, focal_point, served_path,
           imported_hash
      FROM media_assets
"""

# Whether the database has file 22.
_HAS_TABLE: LiteralString = "SELECT to_regclass('media_assets') IS NOT NULL"

# Bring a file of which the bytes are these already to this, and leave them where they are.
_UPDATE: LiteralString = """
    UPDATE media_assets
       SET file_name = %(file_name)s, media_type = %(media_type)s, width = %(width)s,
           height = %(height)s, alt = %(alt)s, is_decorative = %(is_decorative)s,
           focal_point = %(focal_point)s, served_path = %(served_path)s
     WHERE media_key = %(media_key)s AND content_hash = %(content_hash)s
"""

# A row where the table has a column for it.
_HAS_ADDRESSES: LiteralString = """
    SELECT 1 FROM pg_attribute
     WHERE attrelid = to_regclass('media_assets') AND attname = 'content_address'
       AND NOT attisdropped
"""

# Insert one file, or bring it to this. Its bytes are no JSON: as JSON they would be twice as large.
_UPSERT: LiteralString = """
    INSERT INTO media_assets (media_key, file_name, media_type, width, height, alt, is_decorative,
                              focal_point, served_path, content, content_hash, size_bytes)
    VALUES (%(media_key)s, %(file_name)s, %(media_type)s, %(width)s, %(height)s, %(alt)s,
            %(is_decorative)s, %(focal_point)s, %(served_path)s, %(content)b, %(content_hash)s,
            %(size_bytes)s)
    ON CONFLICT (media_key) DO UPDATE
       SET file_name = excluded.file_name, media_type = excluded.media_type,
           width = excluded.width, height = excluded.height, alt = excluded.alt,
           is_decorative = excluded.is_decorative, focal_point = excluded.focal_point,
           served_path = excluded.served_path, content = excluded.content,
           content_hash = excluded.content_hash, size_bytes = excluded.size_bytes
"""

# The same for a file in a bucket. A database of an earlier version can't say where.
_UPSERT_OBJECT: LiteralString = """
    INSERT INTO media_assets (media_key, file_name, media_type, width, height, alt, is_decorative,
                              focal_point, served_path, content_address, content_hash, size_bytes)
    VALUES (%(media_key)s, %(file_name)s, %(media_type)s, %(width)s, %(height)s, %(alt)s,
            %(is_decorative)s, %(focal_point)s, %(served_path)s, %(content_address)s,
            %(content_hash)s, %(size_bytes)s)
    ON CONFLICT (media_key) DO UPDATE
       SET file_name = excluded.file_name, media_type = excluded.media_type,
           width = excluded.width, height = excluded.height, alt = excluded.alt,
           is_decorative = excluded.is_decorative, focal_point = excluded.focal_point,
           served_path = excluded.served_path, content = NULL,
           content_address = excluded.content_address, content_hash = excluded.content_hash,
           size_bytes = excluded.size_bytes
"""

# The key and hash of each file.
_HASHES: LiteralString = "SELECT media_key, content_hash FROM media_assets"

# The files that lie in a bucket.
_OBJECTS: LiteralString = """
    SELECT media_key, content_address, content_hash, size_bytes
      FROM media_assets WHERE content_address IS NOT NULL ORDER BY media_key COLLATE "C"
"""

# The addresses of objects that a row names, or one that was replaced or deleted.
_NAMED: LiteralString = """
    SELECT content_address FROM media_assets WHERE content_address IS NOT NULL
    UNION SELECT content_address FROM earlier_media WHERE content_address IS NOT NULL
"""

# The hashes of files that the journal names, by which a change is taken back, where the database
# does not have the bytes itself. The journal goes back as far as kept releases do.
_IN_JOURNAL: LiteralString = """
    SELECT DISTINCT side.row ->> 'content_hash'
      FROM robbieblocks_change_triggers AS q, LATERAL (VALUES (q.before), (q.after)) AS side (row)
     WHERE q.entity_type = 'media' AND side.row ->> 'content_hash' IS NOT NULL
    EXCEPT SELECT content_hash FROM media_assets WHERE content IS NOT NULL
    EXCEPT SELECT content_hash FROM earlier_media WHERE content IS NOT NULL
"""

# Have the bytes of a file lie elsewhere, unless they are others by now.
_MOVE: LiteralString = """
    UPDATE media_assets SET content = %(content)b, content_address = %(content_address)s
     WHERE media_key = %(media_key)s AND content_hash = %(content_hash)s
"""


def has_table(connection: Connection[Any]) -> bool:
    """Whether the database can hold media. Raises what the driver raises."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        return cursor.execute(_HAS_TABLE).fetchone() == (True,)


def media(connection: Connection[Any], row: DictRow) -> Media | tuple[str, str]:
    """A row as content; or the column that no file can hold, and what is wrong with it."""
    key, expected = row["key"], row["hash"]

    def read() -> MediaBytes:
        try:
            given = media_content(connection, key)
        except KeyError:
            given = b""
        if (given.hash if isinstance(given, MediaObject) else sha256(given)) != expected:
            raise DatabaseUnavailable(f"media:{key} was changed meanwhile: try again")
        return given

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


def write(
    cursor: Cursor[Any],
    row: Media,
    values: Mapping[str, object],
    objects: Mapping[str, MediaObject],
) -> None:
    """Insert a file's row, or bring it to these values; its bytes are among `objects`, by their
    hash, or go into the row. Raises SiteUnavailable.
    """
    given = {**values, "content_hash": row.hash, "size_bytes": row.size}
    if cursor.execute(_UPDATE, given).rowcount:
        return
    lies = objects.get(row.hash)
    content = _read(row) if lies is None else lies
    if isinstance(content, MediaObject):
        address = {"content_address": content.address, "size_bytes": content.size}
        cursor.execute(_UPSERT_OBJECT, {**given, **address})
    else:
        cursor.execute(_UPSERT, {**given, "content": content})


def uploaded(
    connection: Connection[Any], rows: Iterable[Media], originals: Originals
) -> dict[str, MediaObject]:
    """The files that rows bring, by their hash, after they were put into the bucket.

    Raises BucketUnavailable, UsageError, SiteUnavailable, and what the driver raises.
    """
    if not has_table(connection):
        return {}
    with connection.cursor(row_factory=tuple_row) as cursor:
        held: dict[str, str] = dict(cursor.execute(_HASHES).fetchall())
    found: dict[str, MediaObject] = {}
    for row in rows:
        if held.get(row.key) == row.hash or row.hash in found:
            continue
        content = _read(row)
        found[row.hash] = originals.put(content) if isinstance(content, bytes) else content
    return found


def objects(connection: Connection) -> dict[str, MediaObject]:
    """The files that lie in a bucket, by key; none where the database knows of no bucket.

    Raises DatabaseUnavailable.
    """
    with (
        translated("read which media lie in a bucket"),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        if not cursor.execute(_HAS_ADDRESSES).fetchone():
            return {}
        return {key: MediaObject(*rest) for key, *rest in cursor.execute(_OBJECTS).fetchall()}


@dataclass(frozen=True, slots=True)
class NeededMedia:
    """What of a bucket is needed: objects by their address, and by the hash of their bytes."""

    addresses: frozenset[str]
    hashes: frozenset[str]


def needed(connection: Connection) -> NeededMedia:
    """What files of media, and changes that can be taken back, need of a bucket.

    Nothing where the database knows of no bucket. Raises DatabaseUnavailable, and RightsMissing
    where a policy would hide rows.
    """
    with (
        translated("read which media are needed"),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        # Objects of files that are not seen would be removed.
        cursor.execute(ALL_ROWS)
        if not cursor.execute(_HAS_ADDRESSES).fetchone():
            return NeededMedia(frozenset(), frozenset())
        return NeededMedia(
            *(
                frozenset(each for (each,) in cursor.execute(query).fetchall())
                for query in (_NAMED, _IN_JOURNAL)
            )
        )


def move(connection: Connection, row: Media, to: MediaBytes) -> bool:
    """Have the bytes of a row lie in the row or in a bucket; whether they were still the same.

    No page is made anew for it. Raises DatabaseUnavailable, SchemaOutdated and RightsMissing.
    """
    values = {
        "media_key": row.key,
        "content_hash": row.hash,
        "content": to if isinstance(to, bytes) else None,
        "content_address": to.address if isinstance(to, MediaObject) else None,
    }
    with translated(f"move the file media:{row.key}"), connection.cursor() as cursor:
        return bool(cursor.execute(_MOVE, values).rowcount)


def _read(row: Media) -> MediaBytes:
    try:
        return row.read()
    except OSError as error:
        raise SiteUnavailable(f"can't read {row.file}: {error.strerror or error}") from error
