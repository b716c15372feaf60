"""Fills the tables, parents first, with one INSERT each; all in one transaction."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from math import prod

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from tools.fill_schema import catalogue
from tools.fill_schema.catalogue import Table
from tools.fill_schema.values import Values, sequential
from tools.fill_schema.words import COMPUTED

# Tables that grow with every hour of work.
_MANY = frozenset(
    ("activities", "ai_activity_log", "crm_emails", "embeddings", "gmail_messages", "interactions")
) | {"messages", "slack_messages", "website_activity"}
# Tables that have as many rows as there are kinds of a thing, however much is done.
_FEW = frozenset(
    ("ai_mentors", "ai_personalities", "deal_stages", "engagement_rules", "permissions", "roles")
) | {"google_workspace_domains", "simulation_templates", "sync_nodes", "sync_status"}
_FEW_ROWS = 12
_WEIGHTS = {"many": 12, "children": 3, "parents": 1}


class NotEmptyError(Exception):
    """The database has towns already: what is made would be mixed with what people wrote."""


def fill(
    connection: Connection, rows: int, *, seed: int = 1, towns: int = 2, vectors: int = 200
) -> dict[str, int]:
    """Fill every table of the current schema, about `rows` in all; rows made, by table.

    The role owns the tables. `vectors` is how many rows of each table have an embedding. What is
    made depends on the arguments and the day alone. Raises NotEmptyError, and psycopg.Error where
    the database refuses: then nothing was written.
    """
    with connection.transaction():
        connection.execute("SET LOCAL app.town = '*'")
        if connection.execute("SELECT 1 FROM towns LIMIT 1").fetchone():
            raise NotEmptyError
        tables = catalogue.read(connection)
        counts = _counts(tables, rows, towns)
        offsets: dict[str, int] = {}
        values = Values(
            seed=seed,
            towns=towns,
            vectors=vectors,
            tables={table.name: table for table in tables},
            counts=counts,
            offsets=offsets,
        )
        for table in tables:
            offsets[table.name] = _largest(connection, table)
            _fill(connection, table, values)
    connection.execute("ANALYZE")
    return counts


def _fill(connection: Connection, table: Table, values: Values) -> None:
    columns = [c for c in table.columns.values() if not COMPUTED.search(c.name)]
    made = ", ".join(f"{values.of(table, column)} AS {column.name}" for column in columns)
    # What is made of the catalogue's names and of words of this package; no text of a row is in it.
    connection.execute(
        SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT ")
        .format(
            Identifier(table.name),
            SQL(", ").join(Identifier(column.name) for column in columns),
        )
        .as_string()
        .encode()
        + f"{made} FROM generate_series(1, {values.counts[table.name]}) AS i".encode()
    )
    for column in columns:
        if column.sequence:
            connection.execute(
                "SELECT setval(%s, %s)",
                [column.sequence, values.offsets[table.name] + values.counts[table.name]],
            )


def _largest(connection: Connection, table: Table) -> int:
    """The largest number of the table's key: triggers may have made rows of it already."""
    for column in table.columns.values():
        if column.sequence:
            query = SQL("SELECT coalesce(max({}), 0) FROM {}").format(
                Identifier(column.name), Identifier(table.name)
            )
            row = connection.execute(query).fetchone()
            return row[0] if row else 0
    return 0


def _counts(tables: Sequence[Table], rows: int, towns: int) -> dict[str, int]:
    """How many rows each table gets: a multiple of the towns, and no more than its keys allow."""
    parents = {parent for table in tables for parent in table.parents}
    weights = {table.name: _weight(table.name, parents) for table in tables}
    counts: dict[str, int] = {}
    for table in tables:
        share = rows * weights[table.name] // sum(weights.values())
        turns = max(1, share // towns)
        if table.name == "towns":
            turns = 1
        elif table.name in _FEW or table.name.startswith("robbieblocks"):
            turns = min(turns, _FEW_ROWS)
        counts[table.name] = min(turns, _most(table, counts, towns)) * towns
    return counts


def _weight(name: str, parents: set[str]) -> int:
    if name in _MANY:
        return _WEIGHTS["many"]
    return _WEIGHTS["parents" if name in parents else "children"]


def _most(table: Table, counts: Mapping[str, int], towns: int) -> int:
    """How many rows of one town the references of a key can tell apart."""
    names = sequential(table)
    if not names or any(sequential(table, column) for column in table.columns.values()):
        return sys.maxsize
    targets = [table.columns[name].target for name in names]
    return prod(counts[target[0]] // towns for target in targets if target)
