"""Changes that the master has refused: they wait, ever longer, until they are tried again."""

from __future__ import annotations

import json
from typing import Final, LiteralString

from robbieblocks.database import translated
from robbieblocks.sync.node import NodeDatabase

_THERE: Final = "master_schema"

# Have refused changes of a table, or of all, be due, and wake whoever sends them.
_TRY_AGAIN: LiteralString = """
    WITH due AS (
        UPDATE pending_sync SET last_retry = NULL
         WHERE synced_at IS NULL AND last_retry IS NOT NULL
           AND (%(table)s::text IS NULL OR table_name = %(table)s)
        RETURNING id
    )
    SELECT count(*), CASE WHEN count(*) > 0 THEN pg_notify('sync_pending', '') END FROM due
"""


def try_again(node: NodeDatabase, table: str | None = None) -> int:
    """Have what the master refused, of a table or of all, be tried again at once; how many changes.

    Raises DatabaseUnavailable.
    """
    with translated("try again what the master refused"):
        row = node.connection.execute(_TRY_AGAIN, {"table": table}).fetchone()
    return int(row[0]) if row else 0


def heed_schema(node: NodeDatabase, there: str) -> None:
    """Try again what was refused where the master has other columns than when it was last heard.

    `there` is the master's schema version. Raises DatabaseUnavailable.
    """
    said = json.dumps(there)
    if node.noted(_THERE) != said:
        try_again(node)
        node.note(_THERE, said)
