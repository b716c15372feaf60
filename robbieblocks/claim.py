"""Claiming queue rows: which changes a node has seen to.

A node acknowledges exactly the rows that its snapshot held, after the swap. A row counts as
processed when every node that it concerns has done so; that rule stands in the schema, in
robbieblocks_settle(). Processed rows are kept for a month, for people to look back, and then go.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection
from psycopg.rows import tuple_row

from robbieblocks.database import translated

# Note that a node has handled rows. Locked in one order, so that two nodes never wait in a circle.
_ACKNOWLEDGE: LiteralString = """
    WITH mine AS (
        SELECT id FROM robbieblocks_change_triggers
         WHERE id = ANY (%(ids)s) AND processed_at IS NULL AND %(node)s <> ALL (handled_nodes)
         ORDER BY id
           FOR UPDATE
    )
    UPDATE robbieblocks_change_triggers AS queued
       SET handled_nodes = queued.handled_nodes || %(node)s::text
      FROM mine
     WHERE queued.id = mine.id AND %(node)s <> ALL (queued.handled_nodes)
"""

# Close the rows that no node is left to handle. A statement of its own: it must see what other
# nodes acknowledged while the one above waited for them.
_SETTLE: LiteralString = "SELECT robbieblocks_settle()"

# Remove the rows that were processed longest ago. What someone else holds is left for another time.
_FORGET: LiteralString = """
    DELETE FROM robbieblocks_change_triggers
     WHERE id IN (SELECT id FROM robbieblocks_change_triggers
                   WHERE processed_at < now() - interval '30 days'
                   ORDER BY processed_at
                   LIMIT %(most)s
                     FOR UPDATE SKIP LOCKED)
"""

_MOST: Final = 1000


def acknowledge(connection: Connection[Any], node: str, trigger_ids: Collection[UUID]) -> int:
    """Note that a node has handled these queue rows; how many were new to it.

    Rows that are processed, or gone, or acknowledged before are passed over, so that a repeated
    call is harmless. Rows that nobody is left to handle are closed, even where none is named.
    Raises DatabaseUnavailable.
    """
    with (
        translated(f"acknowledge {len(trigger_ids)} changes for {node}"),
        connection.transaction(),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        cursor.execute(_ACKNOWLEDGE, {"ids": list(trigger_ids), "node": node})
        acknowledged = cursor.rowcount
        cursor.execute(_SETTLE)
        return acknowledged


def forget(connection: Connection[Any], *, at_most: int = _MOST) -> int:
    """Remove rows that were processed more than 30 days ago, a bounded number; how many went.

    Whoever still waits to see a row must look more often than that: snapshot.refresh does, it
    trusts the queue for a day. Raises DatabaseUnavailable and UsageError (rights).
    """
    with (
        translated("remove changes that were handled long ago"),
        connection.cursor(row_factory=tuple_row) as cursor,
    ):
        return cursor.execute(_FORGET, {"most": at_most}).rowcount
