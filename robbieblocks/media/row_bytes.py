"""The bytes of a row: from the database, a file or a bucket."""

from __future__ import annotations

from robbieblocks.errors import BucketUnavailable, Problem
from robbieblocks.media.judging import problem
from robbieblocks.model import MediaBytes, MediaRow
from robbieblocks.objectstore import Originals, Unreadable


def bytes_of(row: MediaRow, given: MediaBytes, originals: Originals) -> bytes | Problem:
    """The bytes that were given, or that lie where they say; or why there are none."""
    if isinstance(given, bytes):
        return given
    try:
        found = originals.read(given)
    except BucketUnavailable as error:
        why, _, remedy = str(error).partition("\n  -> ")
        found = Unreadable(
            f"lies in a bucket: {why}", remedy or "nothing: it is read when the bucket is back"
        )
    if isinstance(found, Unreadable):
        return problem(row, found.what, found.remedy, "content_address")
    return found
