"""The queue's rows: which wait for a node, which it has handled, which can be removed.

Rows with auto_deploy false are left to a person's `robbieblocks build`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.model import SHARED_APP

# What waits for a node, grouped by the apps it affects, and the ids of rows that affect none of the
# node's apps. The node's apps stand in each row: one row without counts where nothing waits, no row
# at all where the node has no branding. A change without a time counts as made now.
_WAITING: LiteralString = """
    SELECT node.enabled_apps, queued.affected_apps, queued.row_count,
           queued.oldest AT TIME ZONE 'UTC', queued.kinds, queued.irrelevant
      FROM robbieblocks_node_branding AS node
      LEFT JOIN LATERAL (
           SELECT affected_apps, count(*) AS row_count,
                  least(greatest(coalesce(min(created_at), now()), '0001-01-02Z'), '9999-12-30Z')
                      AS oldest,
                  array_agg(DISTINCT trigger_type::text) AS kinds,
                  array_agg(id)
                      FILTER (WHERE NOT affected_apps && (node.enabled_apps || %(shared)s::text))
                      AS irrelevant
             FROM robbieblocks_change_triggers
            WHERE processed_at IS NULL AND auto_deploy IS NOT FALSE
              AND (affected_nodes IS NULL OR node.node_id = ANY (affected_nodes))
              AND node.node_id <> ALL (handled_nodes)
              AND id <> ALL (%(except)s)
            GROUP BY affected_apps
           ) AS queued ON true
     WHERE node.node_id = %(node)s
"""

# Note that a node has handled rows. Locked in one order, so that two nodes never deadlock.
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

# Mark the rows that no node is left to handle. A statement of its own: it must see what other nodes
# acknowledged while the one above waited for their row locks.
_MARK_PROCESSED: LiteralString = "SELECT robbieblocks_settle()"

# Remove the rows that were processed longest ago, except those that another session has locked.
_REMOVE_PROCESSED: LiteralString = """
    DELETE FROM robbieblocks_change_triggers
     WHERE id IN (SELECT id FROM robbieblocks_change_triggers
                   WHERE processed_at < now() - interval '30 days'
                   ORDER BY processed_at
                   LIMIT %(limit)s
                     FOR UPDATE SKIP LOCKED)
"""

_REMOVED_AT_ONCE: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeGroup:
    """The waiting rows that affect the same apps of a node; `kinds` are their trigger types."""

    apps: frozenset[str]
    count: int
    oldest: datetime
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for a node. `apps` are those it enables; None where it has no branding row.

    `irrelevant` are rows that affect none of them. `disabled_apps` are apps whose pages are live
    though the node enables them no more: `waiting` leaves it to its caller to fill them in.
    """

    apps: tuple[str, ...] | None
    groups: tuple[ChangeGroup, ...] = ()
    irrelevant: tuple[UUID, ...] = ()
    disabled_apps: tuple[str, ...] = ()

    @property
    def oldest(self) -> datetime | None:
        """When the oldest waiting row was written."""
        return min((group.oldest for group in self.groups), default=None)

    @property
    def count(self) -> int:
        """How many rows wait."""
        return sum(group.count for group in self.groups)


def waiting(connection: Connection, node: str, known: Collection[UUID] = ()) -> Waiting:
    """Return what waits for a node, without the rows of `known`. Raises DatabaseUnavailable."""
    values = {"node": node, "except": list(known), "shared": SHARED_APP}
    with translated(f"look what waits for {node}"):
        rows = connection.execute(_WAITING, values).fetchall()
    if not rows:
        return Waiting(apps=None)
    enabled = {*(app for app in rows[0][0] or () if app), SHARED_APP}
    groups: list[ChangeGroup] = []
    irrelevant: list[UUID] = []
    for _, affected, count, oldest, kinds, none_affected in rows:
        irrelevant += none_affected or ()
        apps = frozenset(enabled if affected is None else enabled.intersection(affected))
        if count and apps:
            oldest = oldest.replace(tzinfo=UTC)
            groups.append(ChangeGroup(apps=apps, count=count, oldest=oldest, kinds=tuple(kinds)))
    return Waiting(apps=tuple(sorted(enabled)), groups=tuple(groups), irrelevant=tuple(irrelevant))


def acknowledge(connection: Connection, node: str, ids: Collection[UUID]) -> int:
    """Note that a node has handled these rows; return how many it had not handled before.

    Rows that are processed or removed are passed over, so that a repeated call does no harm. Rows
    that no node is left to handle are marked processed, also where none of them is named. Raises
    DatabaseUnavailable.
    """
    with translated(f"acknowledge {len(ids)} changes for {node}"), connection.transaction():
        acknowledged = connection.execute(_ACKNOWLEDGE, {"ids": list(ids), "node": node}).rowcount
        connection.execute(_MARK_PROCESSED)
        return acknowledged


def remove_processed(connection: Connection, *, limit: int = _REMOVED_AT_ONCE) -> int:
    """Remove up to `limit` rows that were processed more than 30 days ago; return how many.

    A reader that relies on seeing every row must read more often than that: snapshot.refresh relies
    on the queue for one day. Raises DatabaseUnavailable and UsageError (rights).
    """
    with translated("remove changes that were processed long ago"):
        return connection.execute(_REMOVE_PROCESSED, {"limit": limit}).rowcount
