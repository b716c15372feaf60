"""Rows of the package's components that an import made, and that this version has anew."""

from __future__ import annotations

from pathlib import Path

from psycopg import Connection

from robbieblocks.content.packaged import PACKAGED, is_packaged
from robbieblocks.content.reading.folder import load_sound
from robbieblocks.content.storing.merging import row_hash
from robbieblocks.content.storing.stored import stored_components


def outdated(connection: Connection, folder: Path, branding: Path) -> tuple[str, ...]:
    """The keys of the components that an import of this content folder would bring up to date.

    Not those with a folder of their own, and none whose row somebody has changed: that is the
    site's own by now. Raises DatabaseUnavailable.
    """
    found = [
        row.key
        for row, imported in stored_components(connection, PACKAGED)
        if imported == row_hash(row) != row_hash(PACKAGED[row.key])
    ]
    if not found:
        return ()  # the folder's files need not be read
    content, _ = load_sound(folder, branding)
    ours = {row.key for row in content.components if is_packaged(row)}
    return tuple(key for key in found if key in ours)
