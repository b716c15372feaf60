"""What `sync status` shows: what this database is in its sync, what waits, and what is wrong."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import Connection

from robbieblocks.database import sessions, translated
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.settings import Settings
from robbieblocks.sync import master_slots, master_watch, subscription, way_down
from robbieblocks.sync.health import SKEW_MAX_MS
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import NodeDatabase, sync_lock
from robbieblocks.sync.node_values import OutboxState, Self
from robbieblocks.sync.telling import told

# Each table: how it is kept in step, and what waits of it.
_TABLES: LiteralString = """
    SELECT t.table_name, t.direction, t.rule,
           count(p.id) FILTER (WHERE p.synced_at IS NULL),
           count(p.id) FILTER (WHERE p.synced_at IS NULL AND p.error IS NOT NULL),
           greatest(max(p.synced_at), s.last_sync_at), min(p.error)
      FROM sync_tables t
      LEFT JOIN pending_sync p ON p.table_name = t.table_name
      LEFT JOIN sync_status s ON s.table_name = t.table_name
     GROUP BY t.table_name, t.direction, t.rule, s.last_sync_at
    HAVING t.direction <> 'never' OR count(p.id) FILTER (WHERE p.synced_at IS NULL) > 0
     ORDER BY t.table_name
"""
# Conflicts that nobody has looked at.
_CONFLICTS: LiteralString = "SELECT count(*) FROM sync_conflicts WHERE resolved_at IS NULL"


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A table that is kept in step."""

    table: str
    direction: str
    rule: str
    waiting: int
    refused: int
    last_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncStatus:
    """A database's part in its sync, and everything that is not as it should be."""

    me: Self
    is_running: bool
    outbox: OutboxState
    tables: tuple[TableStatus, ...]
    conflicts: int
    transport: str
    transport_why: str
    nodes: tuple[master_watch.NodeSeen, ...]
    findings: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The status as a JSON object. The keys are stable."""
        return {
            "node": self.me.node,
            "is_master": self.me.is_master,
            "paused_at": self.me.paused_at,
            "is_running": self.is_running,
            "transport": self.transport,
            "transport_why": self.transport_why,
            "waiting": self.outbox.waiting,
            "refused": self.outbox.refused,
            "oldest_at": self.outbox.oldest_at,
            "conflicts": self.conflicts,
            "tables": [asdict(each) for each in self.tables],
            "nodes": [asdict(each) for each in self.nodes],
            "findings": list(self.findings),
        }


def status(settings: Settings, connection: Connection) -> SyncStatus:
    """Look at this database, and at the master where it can be reached.

    Raises DatabaseUnavailable, and UsageError where the database takes no part in a sync.
    """
    own = NodeDatabase(connection)
    me = own.self()
    if me is None:
        raise UsageError(
            "this database takes no part in a sync\n"
            "  -> `robbieblocks sync join --node NODE` makes it a node, `sync init-master` a master"
        )
    with translated("look at the sync"):
        tables = tuple(TableStatus(*row) for row in connection.execute(_TABLES).fetchall())
        ((conflicts,),) = connection.execute(_CONFLICTS).fetchall()
        is_running = bool(sessions.holders(connection, sync_lock(me.node)))
    found: list[str] = []
    if me.paused_at is not None:
        found.append(f"paused since {me.paused_at:%Y-%m-%d %H:%M}: `robbieblocks sync resume`")
    if not is_running:
        found.append(f"nothing syncs it: start `robbieblocks sync run --node {me.node}`")
    nodes: tuple[master_watch.NodeSeen, ...] = ()
    transport, why = "", ""
    outbox = OutboxState()
    if me.is_master:
        nodes = master_watch.nodes(own)
        found += [*master_watch.findings(nodes).values(), *master_watch.advice(own)]
    else:
        outbox = own.outbox()
        transport = "stream" if subscription.state(own) is not None else "poll"
        found += [f"{each.table}: {each.error}" for each in tables if each.error and each.refused]
        found += own.refused_here()
        of_the_master, why = _of_the_master(settings, own, me, transport)
        found += of_the_master
        if is_running:
            found += [each for each in told(own) if each not in found]
    return SyncStatus(
        me=me,
        is_running=is_running,
        outbox=outbox,
        tables=tables,
        conflicts=conflicts,
        transport=transport,
        transport_why=why,
        nodes=nodes,
        findings=tuple(found),
    )


def _of_the_master(
    settings: Settings, own: NodeDatabase, me: Self, transport: str
) -> tuple[list[str], str]:
    """What is wrong between a node and its master, and why it has to ask for changes."""
    why = "sync.transport is poll" if settings.sync.transport == "poll" else ""
    given_up = way_down.given_up(own) if transport == "poll" and not why else None
    found: list[str] = []
    if given_up is not None:
        # Not as it was meant: unlike a role or a server that may not subscribe, it may pass.
        why = given_up.said(me.node)
        found.append(f"changes are asked for: {why}")
    try:
        link = MasterLink.open(settings, me.node)
    except RobbieBlocksError as error:
        return [*found, str(error)], why
    try:
        skew_s = (own.clock() - link.clock()).total_seconds()
        if abs(skew_s) * 1000 > SKEW_MAX_MS:
            found.append(f"the clock is {skew_s:+.0f} s off the master's: set it")
        state = subscription.state(own)
        slot = master_slots.state(link, subscription.slot_name(me.node))
        if transport == "stream" and (slot is None or slot.is_lost):
            found.append(
                "the master has discarded the slot: `sync run` makes the subscription anew"
            )
        elif state is not None and state.error_count and not state.is_running:
            found.append("the subscription fails: see this server's log")
        if transport == "poll":
            why = why or subscription.why_not(own, link)
    except RobbieBlocksError as error:
        found.append(str(error))
    finally:
        link.close()
    return found, why
