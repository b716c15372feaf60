"""Reads the rows of media, and the bytes of one."""

from __future__ import annotations

from collections.abc import Mapping

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow, tuple_row

from robbieblocks.database import translated
from robbieblocks.model import MediaBytes, MediaObject, MediaRow, Snapshot
from robbieblocks.snapshot import queries, reading
from robbieblocks.snapshot.reading import Moment


def read(
    cursor: Cursor[TupleRow], moment: Moment, previous: Snapshot | None, *, changed: bool
) -> Mapping[str, MediaRow]:
    """All media by key, without their bytes; those of `previous` where they are the same."""
    known: Mapping[str, MediaRow] = previous.media if previous else {}
    if previous is not None and not changed:
        return known
    found: dict[str, MediaRow] = {}
    rows = reading.rows(cursor, queries.MEDIA) if moment.has_media else ()
    for key, name, kind, digest, size, alt, is_decorative, point, path in rows:
        found[key] = MediaRow(
            key=key,
            file_name=name,
            type=kind,
            hash=digest,
            size=size,
            alt=alt or "",
            is_decorative=bool(is_decorative),
            focal_point=point or "",
            served_path=path or "",
        )
    return known if found == known else found


def content(connection: Connection, key: str) -> MediaBytes:
    """The bytes of one file as they are now, or where they lie.

    Raises KeyError and DatabaseUnavailable.
    """
    with (
        translated(f"read the file media:{key}"),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        held = cursor.execute(queries.MEDIA_CONTENT, (key,)).fetchone()
    if held is None:
        raise KeyError(key)
    given, address, digest, size = held
    return MediaObject(address or "", digest, size) if given is None else bytes(given)
