"""Reads from Postgres' statistics what may make the database slow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, LiteralString

from psycopg import Connection

from robbieblocks.database.errors import translated
from robbieblocks.settings import resource_dir

# The schema of pg_stat_statements, where the server has loaded it and the database has it.
_STATEMENTS_SCHEMA: LiteralString = """
    SELECT quote_ident(n.nspname)
      FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
     WHERE e.extname = 'pg_stat_statements'
       AND current_setting('pg_stat_statements.max', true) IS NOT NULL
"""

# Look up things in one more schema, for the rest of the transaction.
_ADD_SCHEMA: LiteralString = """
    SELECT set_config('search_path',
                      concat_ws(', ', nullif(current_setting('search_path'), ''), %s::text), true)
"""

# A session that may write nothing, for the rest of the transaction.
_READ_ONLY: LiteralString = "SET TRANSACTION READ ONLY"

_SELECT = b'SELECT "check", object, what, remedy, measures FROM ('
_ORDER = b") AS found ORDER BY place, size DESC, object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that may make the database slow.

    `check` is one of those of docs/maintenance.md, `object` a table, index or statement, `measures`
    the numbers: rows, bytes, milliseconds, transactions.
    """

    check: str
    object: str
    what: str
    remedy: str
    measures: Mapping[str, Any]

    def __str__(self) -> str:
        told = f"{self.check}: {self.object}: {self.what}"
        return f"{told}\n  -> {self.remedy}" if self.remedy else told


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Figures of the database as a whole, and what was found, in the order of the checks."""

    database: Finding
    findings: tuple[Finding, ...]

    def as_json(self) -> dict[str, Any]:
        """The document of `robbieblocks db analyze --format json`."""
        return {
            "version": 1,
            "database": {"name": self.database.object, **self.database.measures},
            "findings": [
                {name: getattr(found, name) for name in Finding.__dataclass_fields__}
                for found in self.findings
            ],
        }


def analyze(connection: Connection) -> Analysis:
    """Analyze all schemas of the database but Postgres' own, in a read-only transaction.

    Any role may; what is hidden from it is not told. Raises DatabaseUnavailable.
    """
    with translated("analyze the database"), connection.transaction():
        connection.execute(_READ_ONLY)
        row = connection.execute(_STATEMENTS_SCHEMA).fetchone()
        if row is not None:
            connection.execute(_ADD_SCHEMA, row)
        found = [
            Finding(check=check, object=name, what=what, remedy=remedy, measures=measures)
            for check, name, what, remedy, measures in connection.execute(_text(row is not None))
        ]
    # The figures of the whole come first, always.
    return Analysis(database=found[0], findings=tuple(found[1:]))


def _text(has_statements: bool) -> bytes:
    """The query of the scripts, with the statements where they are to be had."""
    folder = resource_dir("schema") / "scripts"
    parts = [(folder / "analyze-performance.sql").read_bytes()]
    if has_statements:
        parts.append((folder / "slow-statements.sql").read_bytes())
    return _SELECT + b" UNION ALL ".join(parts) + _ORDER
