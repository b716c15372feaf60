"""The tables of a database with their columns, keys and references, parents before children."""

from __future__ import annotations

import re
from dataclasses import dataclass
from graphlib import TopologicalSorter

from psycopg import Connection

# Tables that the database writes by itself, as other tables are filled, or as a sync runs.
_WRITTEN_BY_ITSELF = (
    *("audit_log", "sync_self", "sync_tables", "sync_rows", "sync_log", "sync_received"),
    "sync_gone_rows",
)
_COLUMNS = """
    SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
           coalesce(pg_get_expr(d.adbin, d.adrelid), ''),
           coalesce(pg_get_serial_sequence(quote_ident(c.relname), a.attname), '')
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
     WHERE c.relnamespace = quote_ident(current_schema())::regnamespace
       AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND a.attgenerated = '' AND c.relname <> ALL (%s)
     ORDER BY c.relname, a.attnum
"""
_REFERENCES = """
    SELECT c.relname, a.attname, target.relname, f.attname
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_class target ON target.oid = k.confrelid
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
      JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
     WHERE k.contype = 'f' AND k.conparentid = 0
       AND c.relnamespace = quote_ident(current_schema())::regnamespace
"""
_CHECKS = """
    SELECT c.relname, pg_get_constraintdef(k.oid)
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
     WHERE k.contype = 'c' AND c.relnamespace = quote_ident(current_schema())::regnamespace
"""
# Partial ones need no look: rows that have a town have no other key than the whole one.
_UNIQUE = """
    SELECT c.relname, array_agg(a.attname::text ORDER BY a.attnum)
      FROM pg_index i
      JOIN pg_class c ON c.oid = i.indrelid
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
     WHERE i.indisunique AND i.indpred IS NULL
       AND c.relnamespace = quote_ident(current_schema())::regnamespace
     GROUP BY c.relname, i.indexrelid
"""
_WORDS = re.compile(r"\(?\(*(\w+)\)?(?:::text)?\)? = ANY \(.*?(?:ARRAY\[(.*?)\]|'\{(.*?)\}')")
_AT_LEAST = re.compile(r"\((\w+) >= \(?'?(-?[\d.]+)")
_AT_MOST = re.compile(r"\((\w+) <= \(?'?(-?[\d.]+)")


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is filled. `sequence` makes its numbers, `words` are what a check allows."""

    name: str
    type: str
    default: str
    sequence: str
    words: tuple[str, ...]
    least: float | None
    most: float | None
    # The table and column that it refers to.
    target: tuple[str, str] | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its columns by name, and the sets of columns that must differ from row to row."""

    name: str
    columns: dict[str, Column]
    keys: tuple[tuple[str, ...], ...]

    @property
    def parents(self) -> set[str]:
        """The tables that its rows refer to."""
        return {c.target[0] for c in self.columns.values() if c.target} - {self.name}


def read(connection: Connection) -> list[Table]:
    """Every table of the current schema, each after those that it refers to."""
    run = connection.execute
    targets = {(table, column): (to, key) for table, column, to, key in run(_REFERENCES)}
    keys: dict[str, list[tuple[str, ...]]] = {}
    for table, columns in run(_UNIQUE):
        keys.setdefault(table, []).append(tuple(columns))
    checks: dict[str, str] = {}
    for table, check in run(_CHECKS):
        checks[table] = f"{checks.get(table, '')}\n{check}"
    tables: dict[str, Table] = {}
    for name, column, kind, default, sequence in run(_COLUMNS, [list(_WRITTEN_BY_ITSELF)]):
        table = tables.setdefault(name, Table(name, {}, tuple(keys.get(name, ()))))
        check = checks.get(name, "")
        table.columns[column] = Column(
            name=column,
            type=kind,
            default=default,
            sequence=sequence,
            words=allowed_words(check).get(column, ()),
            least=_bound(_AT_LEAST, check, column),
            most=_bound(_AT_MOST, check, column),
            target=targets.get((name, column)),
        )
    order = TopologicalSorter({name: table.parents for name, table in tables.items()})
    return [tables[name] for name in order.static_order() if name in tables]


def allowed_words(checks: str) -> dict[str, tuple[str, ...]]:
    """The words that checks, as Postgres prints them, allow in a column."""
    return {
        column: tuple(re.findall(r"'([^']*)'", listed) if listed else braced.split(","))
        for column, listed, braced in _WORDS.findall(checks)
    }


def _bound(pattern: re.Pattern[str], checks: str, column: str) -> float | None:
    found = [float(number) for name, number in pattern.findall(checks) if name == column]
    return found[0] if found else None
