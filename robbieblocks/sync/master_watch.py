"""What is done regularly on the master: which nodes are there, what their slots hold back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString, cast

from robbieblocks.database import translated
from robbieblocks.sync.node import NodeDatabase
from robbieblocks.sync.subscription import slot_name

# A node that has said nothing for so many intervals is not online.
_MISSED: Final = 3
# How long it is told that another database spoke as a node. While two do, it is noted again.
_OTHER_TOLD: Final = timedelta(minutes=15)

# Note which nodes have said nothing for so long.
_OFFLINE: LiteralString = """
    UPDATE sync_nodes SET is_online = false
     WHERE node_type <> 'master' AND is_online AND last_seen < now() - %s * interval '1 second'
"""
# Note that the master itself is there.
_SEEN: LiteralString = """
    UPDATE sync_nodes SET last_seen = now(), is_online = true
     WHERE node_id = (SELECT node_id FROM sync_self)
"""
# The nodes, and what they said last.
_NODES: LiteralString = """
    SELECT node_id, coalesce(is_online, false), last_seen, clock_skew_ms, locked_out_at,
           metadata -> 'report', metadata ->> 'other_at', let_in_at IS NOT NULL, now()
      FROM sync_nodes WHERE node_type <> 'master' ORDER BY node_id
"""
# The slots of subscriptions, and what each holds back.
_SLOTS: LiteralString = """
    SELECT slot_name, active, coalesce(wal_status, 'lost'),
           coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint
      FROM pg_replication_slots WHERE slot_type = 'logical' AND database = current_database()
"""
# What bounds the disk that a slot may take.
_KEPT: LiteralString = (
    "SELECT current_setting('wal_level'), current_setting('max_slot_wal_keep_size')"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeSeen:
    """A node as the master knows it."""

    node: str
    is_online: bool
    last_seen: datetime | None
    skew_ms: int | None
    locked_out_at: datetime | None
    report: dict[str, object]
    wal_status: str = ""
    is_streaming: bool = False
    held_bytes: int = 0
    # When another database than before spoke as this node, where that was not long ago.
    other_at: datetime | None = None
    # Whether it was let in again, and what waits there was made while it was locked out.
    is_held: bool = False

    @property
    def has_left(self) -> bool:
        """Whether it said that it leaves the sync."""
        return bool(self.report.get("has_left"))


def tend(node: NodeDatabase, interval_s: float) -> None:
    """Note who is there, and remove what is old. Raises DatabaseUnavailable."""
    with translated("note which nodes are there"):
        node.connection.execute(_OFFLINE, (_MISSED * interval_s,))
        node.connection.execute(_SEEN)
    node.prune()


def nodes(node: NodeDatabase) -> tuple[NodeSeen, ...]:
    """The nodes, with their slots. Raises DatabaseUnavailable."""
    with translated("look at the nodes"):
        rows = node.connection.execute(_NODES).fetchall()
        slots = {row[0]: row[1:] for row in node.connection.execute(_SLOTS).fetchall()}
    found: list[NodeSeen] = []
    for name, online, seen, skew, locked, report, other_at, is_held, at in rows:
        active, status, held = slots.get(slot_name(name), (False, "", 0))
        found.append(
            NodeSeen(
                node=name,
                is_online=online,
                last_seen=seen,
                skew_ms=skew,
                locked_out_at=locked,
                report=_believable(report),
                wal_status=status,
                is_streaming=active,
                held_bytes=held,
                other_at=_lately(other_at, at),
                is_held=is_held,
            )
        )
    return tuple(found)


def _believable(report: object) -> dict[str, object]:
    """Of what a node said of itself, values as our nodes say them: texts, numbers, and lists of
    texts. What another one says is not of the others' concern.
    """
    if not isinstance(report, dict):
        return {}
    said = cast("dict[str, object]", report)
    return {name: value for name, value in said.items() if _is_plain(value)}


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(each, str) for each in cast("list[object]", value))
    return value is None or isinstance(value, str | int | float)


def _lately(other_at: str | None, now: datetime) -> datetime | None:
    """An instant that was noted, where it was not long ago."""
    try:
        at = datetime.fromisoformat(other_at or "")
        return at if now - at < _OTHER_TOLD else None
    except (ValueError, TypeError, OverflowError):
        # None, or no instant: nothing of ours wrote it.
        return None


def advice(node: NodeDatabase) -> tuple[str, ...]:
    """What should be set otherwise on the master. Raises DatabaseUnavailable."""
    with translated("look at the master's settings"):
        ((wal_level, kept),) = node.connection.execute(_KEPT).fetchall()
    found: list[str] = []
    if wal_level != "logical":
        found.append(
            f"wal_level is {wal_level}, so nodes have to ask for changes: ALTER SYSTEM SET "
            "wal_level = 'logical', then restart the server"
        )
    elif kept == "-1":
        found.append(
            "a node that stays away fills the disk: ALTER SYSTEM SET max_slot_wal_keep_size = "
            "'4GB' (or a part of the free space), then SELECT pg_reload_conf()"
        )
    return tuple(found)


def findings(nodes_: tuple[NodeSeen, ...]) -> dict[str, str]:
    """What is not as it should be, by topic."""
    found: dict[str, str] = {}
    for each in nodes_:
        if each.locked_out_at is not None or each.has_left:
            continue
        if not each.is_online:
            found[f"{each.node} away"] = (
                f"{each.node} has not been seen since {each.last_seen:%Y-%m-%d %H:%M}"
                if each.last_seen
                else f"{each.node} was admitted, and has not joined"
            )
        if each.other_at is not None:
            found[f"{each.node} twin"] = (
                f"two databases sync as {each.node}, noticed {each.other_at:%Y-%m-%d %H:%M}: a "
                "copy is at work, or one was restored from a backup, and then this passes"
            )
        if each.is_held:
            found[f"{each.node} let-in"] = (
                f"{each.node} was locked out, and let in again: what was edited there meanwhile is "
                "kept and not taken: `robbieblocks sync conflicts list`; `robbieblocks sync admit "
                f"{each.node} --take-edits` takes what still waits"
            )
        if each.wal_status in ("unreserved", "lost"):
            found[f"{each.node} slot"] = (
                f"the slot of {each.node} is {each.wal_status}: its subscription will be made anew "
                "when the node is back, and all its tables compared"
            )
    return found
