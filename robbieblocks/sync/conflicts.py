"""Versions that lost: listed, shown, and brought back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, LiteralString, cast
from uuid import UUID

from psycopg import Connection

from robbieblocks.database import translated
from robbieblocks.errors import UsageError
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.sync.hints import hinted
from robbieblocks.sync.node import NodeDatabase

# Conflicts, the latest first; with %(all)s those that were put right, too.
_LIST: LiteralString = """
    SELECT id, table_name, coalesce(row_key, record_id::text), source_node, rule, resolution,
           created_at, resolved_at, resolved_by, master_data, replica_data
      FROM sync_conflicts
     WHERE (%(all)s OR resolved_at IS NULL)
       AND (%(table)s::text IS NULL OR table_name = %(table)s)
     ORDER BY created_at DESC, id LIMIT %(limit)s
"""
# One conflict.
_ONE: LiteralString = """
    SELECT id, table_name, coalesce(row_key, record_id::text), source_node, rule, resolution,
           created_at, resolved_at, resolved_by, master_data, replica_data
      FROM sync_conflicts WHERE id = %s
"""
# Tables of which a version may have lost.
_KNOWN: LiteralString = """
    SELECT table_name FROM sync_tables WHERE direction <> 'never'
     UNION SELECT table_name FROM sync_conflicts
"""
# Bring the version that lost back, as a new edit.
_RESTORE: LiteralString = "SELECT sync_conflicts_bring_back(%s, %s, %s)"
# How many rows of each table come back with it.
_WITH: LiteralString = "SELECT table_name, row_count FROM sync_conflicts_with(%s)"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two versions of a row, made apart. A side that was a delete is None."""

    id: UUID
    table: str
    key: str
    node: str
    rule: str | None
    resolution: str
    at: datetime | None
    resolved_at: datetime | None
    resolved_by: str | None
    master_data: dict[str, object] | None
    node_data: dict[str, object] | None

    @property
    def winner(self) -> str:
        """Whose version stays, in words."""
        words = {"master_wins": "the master's", "replica_wins": f"{self.node}'s"}
        return words.get(self.resolution, "of both")

    @property
    def differences(self) -> dict[str, tuple[object, object]]:
        """What each column has on the master's side and on the node's, where they differ."""
        ours, theirs = self.master_data or {}, self.node_data or {}
        return {
            name: (ours.get(name), theirs.get(name))
            for name in sorted({*ours, *theirs})
            if ours.get(name) != theirs.get(name)
        }

    def as_json(self) -> dict[str, object]:
        """The conflict as a JSON object. The keys are stable."""
        return {
            "id": str(self.id),
            "table": self.table,
            "key": self.key,
            "node": self.node,
            "rule": self.rule,
            "resolution": self.resolution,
            "at": self.at.isoformat() if self.at else None,
            "resolved_at": self.resolved_at.isoformat() if self.resolved_at else None,
            "resolved_by": self.resolved_by,
            "master": self.master_data,
            "node_version": self.node_data,
        }


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore, in rows beside the one of the conflict. `key` is the row that was
    written: another one, where that has the unique key.

    - `back`: came back with it.
    - `stayed`: are there again, and stay as they are.
    - `left_out`: refer to a row that is gone, and stay away.
    """

    conflict: Conflict
    key: str
    back: int
    stayed: int
    left_out: int


def listed(
    connection: Connection, *, all_: bool = False, table: str | None = None, limit: int = 100
) -> tuple[Conflict, ...]:
    """The latest conflicts.

    Raises DatabaseUnavailable, and UsageError where there is no sync, or no such table takes part.
    """
    _require(connection)
    with translated("list the conflicts"):
        if table is not None:
            _require_table(table, [name for (name,) in connection.execute(_KNOWN).fetchall()])
        rows = connection.execute(_LIST, {"all": all_, "table": table, "limit": limit}).fetchall()
    return tuple(map(_conflict, rows))


def one(connection: Connection, id_: str) -> Conflict:
    """A conflict by its id. Raises UsageError where there is none."""
    _require(connection)
    with translated("read the conflict"):
        row = connection.execute(_ONE, (_uuid(id_),)).fetchone()
    if row is None:
        raise UsageError(f"there is no conflict {id_}: `robbieblocks sync conflicts list`")
    return _conflict(row)


def _conflict(row: Sequence[Any]) -> Conflict:
    """A conflict whose sides are rows, whatever stands in the table."""
    found = Conflict(*row)
    return replace(found, master_data=_side(found.master_data), node_data=_side(found.node_data))


def _side(data: object) -> dict[str, object] | None:
    if data is None or isinstance(data, dict):
        return cast("dict[str, object] | None", data)
    # No row, or one that can't be read: then a text says why.
    return {"": data}


def together(connection: Connection, found: Conflict) -> dict[str, int]:
    """How many rows of each table come back with a conflict's row. Raises Permanent where there are
    more than are brought back together.
    """
    with hinted("see what comes back with the row"):
        rows = connection.execute(_WITH, (found.id,)).fetchall()
    return dict(rows)


def restore(
    connection: Connection, id_: str, *, force: bool = False, alone: bool = False
) -> Restored:
    """Bring the version that lost back as a new edit, which goes to every node; with it what it
    refers to and what went with it, all or nothing.

    `force` writes over what was made anew meanwhile; `alone` brings nothing with it. Raises
    UsageError where there is no such conflict, and Permanent where it was restored already, where
    what the row belongs to is gone for good, or where a key is taken.
    """
    found = one(connection, id_)
    with hinted("bring the version that lost back", "see `robbieblocks sync conflicts list --all`"):
        ((said,),) = connection.execute(_RESTORE, (found.id, force, alone)).fetchall()
    return Restored(found, said["key"], said["back"], said["stayed"], said["left_out"])


def _require(connection: Connection) -> None:
    if NodeDatabase(connection).self() is None:
        raise UsageError(
            "this database takes no part in a sync: name the master's with --database-url"
        )


def _require_table(table: str, known: Sequence[str]) -> None:
    if table not in known:
        raise UsageError(
            f"no table {printable(table)} is kept in step: {did_you_mean(table, known)}"
        )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(
            f"{text} is no id of a conflict: `robbieblocks sync conflicts list` has them"
        ) from None
