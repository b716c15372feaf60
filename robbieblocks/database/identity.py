"""Which database this is: by a random id that goes with it, wherever it is restored."""

from __future__ import annotations

from typing import LiteralString

from psycopg import Connection

from robbieblocks.database.errors import translated

# The id, out of the function that holds it: reading the catalog needs no right to the function.
_ID: LiteralString = """
    SELECT substring(prosrc FROM '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}')
      FROM pg_proc WHERE oid = to_regprocedure('robbieblocks_database_id()')
"""


def identity(connection: Connection) -> str | None:
    """The database's id, a UUID; None where its schema is of an earlier version.

    Raises DatabaseUnavailable.
    """
    with translated("find out which database this is"):
        row = connection.execute(_ID).fetchone()
    return row[0] if row else None
