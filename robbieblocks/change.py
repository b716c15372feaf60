"""Change: hearing that something was committed, and looking what waits.

A notification is a hint to look; what `waiting` finds is what counts. Rows with auto_deploy false
are left to a person's `robbieblocks build`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row

from robbieblocks.database import translated
from robbieblocks.model import SHARED_APP

CHANNEL: Final = "robbieblocks_change"
CANARY: Final = "robbieblocks_canary"

# Hear of committed changes, and of our own canaries.
_LISTEN: LiteralString = "LISTEN robbieblocks_change; LISTEN robbieblocks_canary"

# A server may end idle sessions; one that listens is idle by trade.
_NEVER_IDLE_OUT: LiteralString = "SET idle_session_timeout = 0"

# Sing to ourselves. Every worker of the database hears it: the payload says whose it is.
_SING: LiteralString = "SELECT pg_notify('robbieblocks_canary', %s)"

# What waits for a node, by the apps it affects; one row without counts where nothing does. No row
# at all: the node has no branding.
_WAITING: LiteralString = """
    SELECT node.enabled_apps, queued.affected_apps, queued.waits,
           queued.oldest AT TIME ZONE 'UTC', queued.kinds
      FROM robbieblocks_node_branding AS node
      LEFT JOIN (
           SELECT affected_apps, count(*) AS waits,
                  least(greatest(min(created_at), '0001-01-02Z'), '9999-12-30Z') AS oldest,
                  array_agg(DISTINCT trigger_type::text) AS kinds
             FROM robbieblocks_change_triggers
            WHERE processed_at IS NULL AND auto_deploy IS NOT FALSE
              AND (affected_nodes IS NULL OR %(node)s = ANY (affected_nodes))
              AND %(node)s <> ALL (handled_nodes)
              AND id <> ALL (%(except)s)
            GROUP BY affected_apps
           ) AS queued ON true
     WHERE node.node_id = %(node)s
"""

# Rows that concern a node by name but none of the apps that it carries.
_STRAYS: LiteralString = """
    SELECT id FROM robbieblocks_change_triggers
     WHERE processed_at IS NULL AND auto_deploy IS NOT FALSE
       AND (affected_nodes IS NULL OR %(node)s = ANY (affected_nodes))
       AND %(node)s <> ALL (handled_nodes)
       AND NOT affected_apps && %(apps)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Queue rows that affect the same apps of a node; `kinds` are their trigger types."""

    apps: frozenset[str]
    waits: int
    oldest: datetime
    kinds: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What waits for a node. `apps` are those it carries; None where it has no branding row.

    `strays` says that rows wait which affect none of them. `orphans` are apps that it carries no
    more, and that still show pages.
    """

    apps: tuple[str, ...] | None
    groups: tuple[Group, ...] = ()
    strays: bool = False
    orphans: tuple[str, ...] = ()

    @property
    def oldest(self) -> datetime | None:
        """When the oldest waiting row was written."""
        return min((group.oldest for group in self.groups), default=None)

    @property
    def count(self) -> int:
        """How many rows wait."""
        return sum(group.waits for group in self.groups)


def waiting(connection: Connection[Any], node: str, known: Collection[UUID] = ()) -> Waiting:
    """Look what waits for a node; `known` rows are passed over. Raises DatabaseUnavailable."""
    with translated(f"look what waits for {node}"), _cursor(connection) as cursor:
        found = cursor.execute(_WAITING, {"node": node, "except": list(known)}).fetchall()
    if not found:
        return Waiting(apps=None)
    carried = {*(app for app in found[0][0] or () if app), SHARED_APP}
    groups = []
    strays = False
    for _, affected, waits, oldest, kinds in found:
        if waits is None:
            continue
        apps = carried if affected is None else carried.intersection(affected)
        strays = strays or not apps
        if apps:
            groups.append(
                Group(
                    apps=frozenset(apps),
                    waits=waits,
                    oldest=oldest.replace(tzinfo=UTC) if oldest else datetime.now(UTC),
                    kinds=tuple(kinds),
                )
            )
    return Waiting(apps=tuple(sorted(carried)), groups=tuple(groups), strays=strays)


def strays(connection: Connection[Any], node: str, apps: Collection[str]) -> list[UUID]:
    """Rows that wait for a node and affect none of its apps. Raises DatabaseUnavailable."""
    with translated(f"look for changes that {node} does not show"), _cursor(connection) as cursor:
        cursor.execute(_STRAYS, {"node": node, "apps": list(apps)})
        return [row[0] for row in cursor]


def listen(connection: Connection[Any]) -> None:
    """Subscribe a connection that is used for nothing else. Raises DatabaseUnavailable."""
    with translated("listen for changes"):
        if not pooled(connection):
            connection.execute(_NEVER_IDLE_OUT)
        connection.execute(_LISTEN)


def hear(connection: Connection[Any], seconds: float) -> list[tuple[str, str]]:
    """Channel and payload of what arrives; returns with the first packet, or after `seconds`.

    The generator is always run to its end: leaving it early drops the rest of a packet (psycopg 3).
    Raises DatabaseUnavailable.
    """
    with translated("wait for notifications"):
        arrived = connection.notifies(timeout=seconds, stop_after=1)
        return [(notify.channel, notify.payload) for notify in arrived]


def sing(connection: Connection[Any], nonce: str) -> None:
    """Send a canary, on a connection other than the listening one. Raises DatabaseUnavailable."""
    with translated("send a canary"):
        connection.execute(_SING, (nonce,))


def pooled(connection: Connection[Any]) -> bool:
    """Whether a pooler stands in between: the backend is not the one that greeted us.

    Session locks and LISTEN can then not be relied on (PgBouncer, transaction pooling).
    """
    with translated("ask who answers"), _cursor(connection) as cursor:
        row = cursor.execute("SELECT pg_backend_pid()").fetchone()
    return row is None or row[0] != connection.info.backend_pid


def _cursor(connection: Connection[Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.cursor(row_factory=tuple_row)
