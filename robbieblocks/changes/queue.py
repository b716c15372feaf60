"""The queue's rows: which wait for a node, which it has handled, which can be removed.

Rows with auto_deploy false are left to a person's `robbieblocks build`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.errors import Problem
from robbieblocks.messages import counted, printable
from robbieblocks.model import SHARED_APP

# What waits for a node, grouped by the apps it affects, and the ids of rows that affect none of the
# node's apps. The node's apps stand in each row: one row without counts where nothing waits, no row
# at all where the node has no branding. A change without a time counts as made now. unnest: arrays
# of rows from elsewhere may have several dimensions, which neither || nor a set takes.
_WAITING: LiteralString = """
    SELECT ARRAY(SELECT unnest(node.enabled_apps)),
           CASE WHEN queued.affected_apps IS NOT NULL
                THEN ARRAY(SELECT unnest(queued.affected_apps)) END,
           queued.row_count,
           queued.oldest AT TIME ZONE 'UTC', queued.kinds, queued.irrelevant
      FROM robbieblocks_node_branding AS node
      LEFT JOIN LATERAL (
           SELECT affected_apps, count(*) AS row_count,
                  least(greatest(coalesce(min(created_at), now()), '0001-01-02Z'), '9999-12-30Z')
                      AS oldest,
                  array_agg(DISTINCT trigger_type::text) AS kinds,
                  array_agg(id)
                      FILTER (WHERE NOT affected_apps
                                        && (node.enabled_apps || ARRAY[%(shared)s::text]))
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

# Which of these rows a node has not handled.
_UNHANDLED: LiteralString = """
    SELECT id FROM robbieblocks_change_triggers
     WHERE id = ANY (%(ids)s) AND processed_at IS NULL AND %(node)s <> ALL (handled_nodes)
"""

# Mark the rows that no node is left to handle, or that a node has left for a week. A statement of
# its own: it must see what other nodes acknowledged while the one above waited for their row locks.
_MARK_PROCESSED: LiteralString = "SELECT robbieblocks_settle()"

# Remove the rows that were processed longest ago, except those that another session has locked, and
# those that a run of an app took along since when its history is needed. A run that names a row
# began before that was processed: of a busy month no run is read.
_REMOVE_PROCESSED: LiteralString = """
    WITH needed AS (
        SELECT unnest(run.trigger_ids) AS id
          FROM unnest(%(nodes)s::text[], %(apps)s::text[], %(since)s::timestamptz[])
                    AS kept (node, app, since)
          JOIN robbieblocks_deploys AS run
               ON run.node_id = kept.node AND run.app_namespace = kept.app
              AND run.started_at >= kept.since
              AND run.started_at < now() - interval '29 days'
    )
    DELETE FROM robbieblocks_change_triggers
     WHERE id IN (SELECT id FROM robbieblocks_change_triggers AS old
                   WHERE processed_at < now() - interval '30 days'
                     AND NOT EXISTS (SELECT FROM needed WHERE needed.id = old.id)
                   ORDER BY processed_at
                   LIMIT %(limit)s
                     FOR UPDATE SKIP LOCKED)
"""

# Whether this role may remove bytes of media that were kept for undoing changes: a database of an
# earlier version keeps none.
_FORGETS_MEDIA: LiteralString = """
    SELECT has_function_privilege(to_regprocedure('earlier_media_forget()'), 'EXECUTE')
"""
# Remove the bytes of media that undoing changes needs no longer.
_FORGET_MEDIA: LiteralString = "SELECT earlier_media_forget()"

_REMOVED_AT_ONCE: Final = 1000

# What a check or trigger of the installation's own raises when it refuses a row.
_REFUSALS: Final = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.RaiseException)

# After this many rows were refused one by one the others are not tried: each costs a few queries.
_REFUSED_MAX: Final = 100


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """How many rows a node had not handled before, and why others could not be acknowledged.

    A refused row goes on waiting. Its problem is a warning: what it asked for was built.
    """

    count: int = 0
    refused: Mapping[UUID, Problem] = field(default_factory=dict[UUID, Problem])


def acknowledge(connection: Connection, node: str, ids: Collection[UUID]) -> Acknowledged:
    """Note that a node has handled these rows.

    Rows that are processed or removed are passed over, so that a repeated call does no harm. Rows
    that no node is left to handle are marked processed, also where none of them is named. Where the
    database refuses a row, the others are acknowledged without it. Raises DatabaseUnavailable.
    """
    with translated(f"acknowledge {counted(len(ids), 'change')} for {node}"):
        try:
            with connection.transaction():
                count = _acknowledge(connection, node, ids)
                # Asked before they are marked, as some of them may be processed by then.
                dropped = _dropped(connection, node, ids) if count < len(ids) else {}
                connection.execute(_MARK_PROCESSED)
            return Acknowledged(count=count, refused=dropped)
        except _REFUSALS:
            with connection.transaction():
                return _acknowledge_apart(connection, node, sorted(ids))


def _acknowledge(connection: Connection, node: str, ids: Collection[UUID]) -> int:
    return connection.execute(_ACKNOWLEDGE, {"ids": list(ids), "node": node}).rowcount


def _acknowledge_apart(connection: Connection, node: str, ids: Sequence[UUID]) -> Acknowledged:
    """Acknowledge what the database accepts: rows that are refused together are halved."""
    count = 0
    refused: dict[UUID, Problem] = {}
    waiting = [ids]
    while waiting:
        part = waiting.pop()
        try:
            with connection.transaction():
                count += _acknowledge(connection, node, part)
            refused |= _dropped(connection, node, part)
        except _REFUSALS as error:
            if len(part) > 1 and len(refused) < _REFUSED_MAX:
                middle = len(part) // 2
                waiting += (part[:middle], part[middle:])
            else:
                refused |= {key: _refused(key, node, error) for key in part}
    connection.execute(_MARK_PROCESSED)
    return Acknowledged(count=count, refused=refused)


def _dropped(connection: Connection, node: str, ids: Collection[UUID]) -> dict[UUID, Problem]:
    """What is wrong with rows that wait on, though the statement that notes them did not fail."""
    left = connection.execute(_UNHANDLED, {"ids": list(ids), "node": node}).fetchall()
    why = "a trigger of the table drops the update, or a policy hides the row"
    return {key: _unacknowledged(key, node, why) for (key,) in left}


def _refused(key: UUID, node: str, error: psycopg.Error) -> Problem:
    why = printable(error.diag.message_primary or type(error).__name__)
    return _unacknowledged(key, node, why, error.diag.constraint_name or "")


def _unacknowledged(key: UUID, node: str, why: str, field: str = "") -> Problem:
    return Problem(
        entity="change_trigger",
        key=str(key),
        field=printable(field) if field else "",
        what=f"{node} can't acknowledge it: {why}",
        remedy="correct or delete the row, or the check or trigger that refuses it",
        severity="warning",
    )


def mark_processed(connection: Connection) -> None:
    """Mark the rows that no node is left to handle.

    `acknowledge` does that, too, but a node's row that is deleted at the same moment counts there
    still, and the delete does not see yet what is being acknowledged. Raises DatabaseUnavailable.
    """
    with translated("mark the changes that no node is left to handle"):
        connection.execute(_MARK_PROCESSED)


def remove_processed(
    connection: Connection,
    needed_since: Mapping[tuple[str, str], datetime],
    *,
    limit: int = _REMOVED_AT_ONCE,
) -> int:
    """Remove up to `limit` rows that were processed more than 30 days ago; return how many.

    Those stay that a run names which began since when the history of its app on its node is
    needed. Rows that a node has left for a week are marked processed, too. Bytes of media that were
    kept as long go as well. A reader that relies on
    seeing every row must read more often than that: snapshot.refresh relies on the queue for one
    day. Raises DatabaseUnavailable and RightsMissing.
    """
    with translated("remove changes that were processed long ago"):
        connection.execute(_MARK_PROCESSED)
        if connection.execute(_FORGETS_MEDIA).fetchone() == (True,):
            connection.execute(_FORGET_MEDIA)
        values = {
            "limit": limit,
            "nodes": [node for node, _ in needed_since],
            "apps": [app for _, app in needed_since],
            "since": list(needed_since.values()),
        }
        return connection.execute(_REMOVE_PROCESSED, values).rowcount
