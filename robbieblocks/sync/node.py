"""The node's own database: its outbox, what it merges, and what it knows of itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, LiteralString, cast

from psycopg import Connection
from psycopg.types.json import Jsonb

from robbieblocks.database import sessions, translated
from robbieblocks.sync.hints import hinted
from robbieblocks.sync.master_values import Part, TableRule
from robbieblocks.sync.node_values import Batch, OutboxState, Repaired, Self

KEYS_CHANNEL = "sync_keys"

# Which database this is.
_SELF: LiteralString = "SELECT node_id, is_master, paused_at FROM sync_self"
# Whether file 23 was applied here.
_HAS_SYNC: LiteralString = "SELECT to_regclass('sync_self') IS NOT NULL"
# This database's clock, as versions are made of it.
_CLOCK: LiteralString = "SELECT sync_clock()"
# The next batch of the outbox, and how many entries it has.
_TAKE: LiteralString = """
    SELECT batch::text, jsonb_array_length(batch) FROM sync_outbox_take(%s) AS batch
"""
# Note what became of a batch.
_SETTLE: LiteralString = "SELECT sync_outbox_settle(%s::jsonb)"
# What became of a batch, by outcome.
_OUTCOMES: LiteralString = """
    SELECT answer ->> 'outcome', count(*), min(answer ->> 'reason')
      FROM jsonb_array_elements(%s::jsonb) AS answer GROUP BY 1
"""
# What waits in the outbox.
_OUTBOX: LiteralString = "SELECT waiting, refused, oldest_at FROM sync_outbox_state()"
# Merge what the master gave.
_RECEIVE: LiteralString = "SELECT sync_receive(%s::jsonb)"
# This database's hashes of the master's ranges.
_HASHES: LiteralString = "SELECT part, row_count, hash FROM sync_hashes_of(%s, %s, %s)"
# The key so many rows behind another one.
_STEP: LiteralString = "SELECT sync_step(%s, %s, %s)"
# Bring a range of keys to what the master has.
_REPAIR: LiteralString = "SELECT sync_repair(%s, %s, %s, %s::jsonb, %s, %s)"
# Columns and types of a table here.
_SCHEMA: LiteralString = "SELECT sync_schema(%s)"
# A hash over the columns of all tables that are kept in step, as the master makes it.
_SCHEMA_VERSION: LiteralString = """
    SELECT md5(string_agg(sync_schema(table_name)::text, ',' ORDER BY table_name COLLATE "C"))
      FROM sync_tables WHERE direction <> 'never'
"""
# How a table is kept in step, here.
_CONFIGURE: LiteralString = "SELECT sync_configure(%s, %s, %s, %s)"
# How tables are kept in step, here.
_RULES: LiteralString = """
    SELECT table_name, direction, rule, has_deletes FROM sync_tables
     WHERE direction <> 'never' AND to_regclass(quote_ident(table_name)) IS NOT NULL
"""
# What this node keeps of its own: the place in the master's log.
_NOTED: LiteralString = """
    SELECT metadata FROM sync_nodes WHERE node_id = (SELECT node_id FROM sync_self)
"""
# Note something of this node.
_NOTE: LiteralString = """
    UPDATE sync_nodes
       SET metadata = CASE WHEN jsonb_typeof(metadata) = 'object' THEN metadata ELSE '{}' END || %s
     WHERE node_id = (SELECT node_id FROM sync_self)
"""
# Note which databases are reached, for sync_nodes and the health score.
_SEEN: LiteralString = """
    INSERT INTO sync_nodes AS n (node_id, node_name, node_type, last_seen, is_online)
    SELECT %(master)s::text, %(master)s::text, 'master', now(), true
    UNION ALL
    SELECT node_id, node_id, 'edge', now(), true FROM sync_self
    ON CONFLICT (node_id) DO UPDATE SET last_seen = now(), is_online = true
"""
# Note that the master is not reached.
_CUT_OFF: LiteralString = """
    UPDATE sync_nodes SET is_online = false WHERE node_type = 'master' AND is_online
"""
# Note that a table was compared with the master.
_COMPARED: LiteralString = """
    INSERT INTO sync_status AS s (table_name, last_sync_at, last_sync_record_count,
                                  last_sync_duration_ms)
    VALUES (%s, now(), %s, %s)
    ON CONFLICT (table_name) DO UPDATE
       SET last_sync_at = now(), last_sync_record_count = EXCLUDED.last_sync_record_count,
           last_sync_duration_ms = EXCLUDED.last_sync_duration_ms,
           last_error = CASE WHEN %s AND s.last_error LIKE 'this node refused%%' THEN NULL
                             ELSE s.last_error END
"""
# Rows of the master that a constraint of this database does not let in, by table.
_REFUSED_HERE: LiteralString = """
    SELECT table_name, last_error FROM sync_status
     WHERE last_error LIKE 'this node refused%' ORDER BY table_name
"""
# Remove what is old: settled entries of the outbox, and what no longer is needed of the log.
_PRUNE: LiteralString = "SELECT sync_prune()"
# Be woken where the outbox gets a row, and where a node's key is another one than before.
_LISTEN: LiteralString = "LISTEN sync_pending; LISTEN sync_keys"
# Have this node send and receive nothing.
_PAUSE: LiteralString = "UPDATE sync_self SET paused_at = now() WHERE paused_at IS NULL"
# Have it go on.
_RESUME: LiteralString = "UPDATE sync_self SET paused_at = NULL WHERE paused_at IS NOT NULL"
# Wake whoever syncs this database.
_WAKE: LiteralString = "NOTIFY sync_pending"


class NodeDatabase:
    """The node's own database, over one connection. Methods raise DatabaseUnavailable."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def self(self) -> Self | None:
        """Which database this is; None where it takes no part in a sync."""
        with translated("find out which node this database is"):
            if not self.has_sync():
                return None
            found = self.connection.execute(_SELF).fetchone()
        return Self(*found) if found else None

    def lead(self, node: str) -> bool:
        """Become the one that syncs this database; whether it is."""
        with translated("become the one that syncs"):
            return sessions.take(self.connection, sync_lock(node))

    def clock(self) -> datetime:
        """The database's time."""
        with translated("ask the database for the time"):
            ((at,),) = self.connection.execute(_CLOCK).fetchall()
        found: datetime = at
        return found

    def take(self, limit: int) -> Batch:
        """The next entries of the outbox; what was taken and not settled comes again."""
        with translated("read the outbox"):
            row = self.connection.execute(_TAKE, (limit,)).fetchone()
        return Batch(*row) if row else Batch("[]", 0)

    def settle(self, answers: str) -> dict[str, tuple[int, str]]:
        """Note the master's answers; gives how many there are of each outcome, and a reason."""
        with translated("note what the master took"):
            self.connection.execute(_SETTLE, (answers,))
            rows = self.connection.execute(_OUTCOMES, (answers,)).fetchall()
        return {outcome: (count, reason or "") for outcome, count, reason in rows}

    def outbox(self) -> OutboxState:
        """What waits."""
        with translated("look at the outbox"):
            row = self.connection.execute(_OUTBOX).fetchone()
        return OutboxState(*row) if row else OutboxState()

    def receive(self, entries: str) -> int:
        """Merge what the master gave; how many rows changed."""
        with hinted("merge what the master sent"):
            row = self.connection.execute(_RECEIVE, (entries,)).fetchone()
        return int(row[0].get("changed", 0)) if row else 0

    def hashes_of(
        self, rule: TableRule, parts: Sequence[Part]
    ) -> dict[int, tuple[int, str | None]]:
        """Count and hash of each of the master's ranges, here: of the columns that it has."""
        asked = [{"part": p.number, "from_key": p.from_key, "to_key": p.to_key} for p in parts]
        values = rule.name, Jsonb(asked), list(rule.columns) or None
        with translated(f"compare {rule.name}"):
            rows = self.connection.execute(_HASHES, values).fetchall()
        return {part: (count, hash_) for part, count, hash_ in rows}

    def step(self, table: str, after: str | None, rows: int) -> str | None:
        """The key of the row so many rows behind another one; None where the table ends before."""
        with translated(f"compare {table}"):
            row = self.connection.execute(_STEP, (table, after, rows)).fetchone()
        return row[0] if row else None

    def repair(
        self,
        table: str,
        part: Part,
        entries: str,
        tombstones_from: datetime | None,
        *,
        sends_lost: bool,
    ) -> Repaired:
        """Bring a range to what the master has; `entries` is all that it has there.

        `sends_lost`: what the master has lost of others' changes goes up again, too.
        """
        place = table, part.from_key, part.to_key
        with hinted(f"repair {table}"):
            row = self.connection.execute(
                _REPAIR, (*place, entries, tombstones_from, sends_lost)
            ).fetchone()
        said: dict[str, Any] = row[0] if row else {}
        counts = {name: int(said.get(name, 0)) for name in _REPAIRED}
        return Repaired(**counts, alone=tuple(f"{table} {key}" for key in said.get("alone") or ()))

    def schema(self, table: str) -> dict[str, str]:
        """The columns of a table and their types; none where there is no such table."""
        with translated(f"read the columns of {table}"):
            row = self.connection.execute(_SCHEMA, (table,)).fetchone()
        return dict(row[0]) if row and row[0] else {}

    def schema_version(self) -> str:
        """A hash over the columns of all tables that are kept in step."""
        with translated("read the columns of tables"):
            row = self.connection.execute(_SCHEMA_VERSION).fetchone()
        return (row[0] or "") if row else ""

    def rules(self) -> dict[str, tuple[str, str, bool]]:
        """Direction, rule and whether deletes are told, by table."""
        with translated("read how tables are kept in step"):
            rows = self.connection.execute(_RULES).fetchall()
        return {table: (direction, rule, deletes) for table, direction, rule, deletes in rows}

    def configure(self, rule: TableRule) -> None:
        """Keep a table in step as the master does."""
        with hinted(f"set how {rule.name} is kept in step"):
            self.connection.execute(
                _CONFIGURE, (rule.name, rule.direction, rule.rule, rule.has_deletes)
            )

    def noted(self, name: str) -> str | None:
        """What was noted under a name, as JSON."""
        with translated("read what this node noted"):
            row = self.connection.execute(_NOTED).fetchone()
        noted: object = row[0] if row else None
        value = cast("dict[str, object]", noted).get(name) if isinstance(noted, dict) else None
        return None if value is None else json.dumps(value)

    def note(self, name: str, value: str) -> None:
        """Note a JSON value under a name."""
        with translated("note something of this node"):
            self.connection.execute(_NOTE, (Jsonb({name: json.loads(value)}),))

    def has_sync(self) -> bool:
        """Whether file 23 was applied here, whatever became of the sync."""
        return self.connection.execute(_HAS_SYNC).fetchone() == (True,)

    def seen(self, master: str) -> None:
        """Note that the master is reached."""
        with translated("note that the master is reached"):
            self.connection.execute(_SEEN, {"master": master})

    def cut_off(self) -> None:
        """Note that the master is not reached."""
        with suppress(Exception):
            self.connection.execute(_CUT_OFF)

    def compared(self, table: str, count: int, milliseconds: int, *, is_equal: bool) -> None:
        """Note that a table was compared, and whether it was equal."""
        with translated(f"note that {table} was compared"):
            self.connection.execute(_COMPARED, (table, count, milliseconds, is_equal))

    def refused_here(self) -> list[str]:
        """Of each table, a row of the master that this database does not let in, and why."""
        with translated("look for rows that were refused"):
            rows = self.connection.execute(_REFUSED_HERE).fetchall()
        return [f"{table}: {error}" for table, error in rows]

    def prune(self) -> None:
        """Remove what is old."""
        with translated("remove what is old of the sync"):
            self.connection.execute(_PRUNE)

    def listen(self) -> None:
        """Be woken where something is to be sent, or where the key of a node, which is named in the
        notification on `KEYS_CHANNEL`, is another one.
        """
        with translated("listen for changes"):
            self.connection.execute(_LISTEN)

    def set_paused(self, *, paused: bool) -> bool:
        """Pause, or go on; whether that changed anything."""
        with translated("pause the sync" if paused else "go on with the sync"):
            done = self.connection.execute(_PAUSE if paused else _RESUME).rowcount > 0
            self.connection.execute(_WAKE)
        return done

    def close(self) -> None:
        """Close the connection."""
        with suppress(Exception):
            self.connection.close()


_REPAIRED = ("changed", "removed", "sent", "unknown", "lost")


def sync_lock(node: str) -> int:
    """The advisory lock of whoever syncs a node's database."""
    return sessions.lock_key("robbieblocks sync", node)
