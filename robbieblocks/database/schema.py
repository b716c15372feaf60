"""The schema: applied from its SQL file, and compared with what that file makes.

What should be there is never written down a second time: `verify` runs the file in a schema of its
own, in a transaction that is rolled back, and compares the two catalogs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import Connection
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from robbieblocks.database.faults import translated
from robbieblocks.settings import resource_dir

_FILES = "unified-schema/*.sql"
_SCRATCH = "robbieblocks_verify"

# The file begins and ends its own transaction, for psql; here it runs in one of ours.
_OWN_TRANSACTION = re.compile(rb"^(BEGIN ISOLATION LEVEL READ COMMITTED|COMMIT);$", re.MULTILINE)

# The isolation level that the file asks for when psql runs it.
_READ_COMMITTED: LiteralString = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

# The lock that the schema file takes, as there: until the transaction ends.
_TAKE_TURN_FOR_TRANSACTION: LiteralString = "SELECT pg_advisory_xact_lock(7249104361285521)"
# The same lock, until it is left or the session ends.
_TAKE_TURN: LiteralString = "SELECT pg_advisory_lock(7249104361285521)"
# The end of a turn that a session took.
_LEAVE_TURN: LiteralString = "SELECT pg_advisory_unlock(7249104361285521)"

# The schema that holds our tables, else the one that this session creates things in.
_HOME: LiteralString = """
    SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                      WHERE c.oid = to_regclass('robbieblocks_pages')),
                    current_schema())
"""

# Everything of ours in the first schema of the path: what it is, and how Postgres would write it.
# Names come unqualified, because the path leads to them.
_DESCRIBE: LiteralString = """
    WITH ours AS (
        SELECT c.oid, c.relname::text AS name, c.relkind
          FROM pg_class c
         WHERE c.relnamespace = current_schema()::regnamespace AND c.relname LIKE 'robbieblocks\\_%'
    )
    SELECT 'table ' || name, 'table' FROM ours WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'column ' || name || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
      FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
     WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'constraint ' || name || '.' || k.conname,
           replace(pg_get_constraintdef(k.oid), ' NOT VALID', '')
      FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype IN ('p', 'u', 'f', 'c')
    UNION ALL
    SELECT 'index ' || name,
           regexp_replace(pg_get_indexdef(oid), ' ON \\S+ USING', ' ON table USING')
           || CASE WHEN (SELECT indisvalid FROM pg_index WHERE indexrelid = ours.oid)
                   THEN '' ELSE ' INVALID' END
      FROM ours WHERE relkind = 'i'
    UNION ALL
    SELECT 'view ' || name, pg_get_viewdef(oid) FROM ours WHERE relkind = 'v'
    UNION ALL
    SELECT 'trigger ' || name || '.' || t.tgname,
           pg_get_triggerdef(t.oid, true)
           || CASE t.tgenabled WHEN 'A' THEN ' ALWAYS' WHEN 'R' THEN ' REPLICA'
                               WHEN 'D' THEN ' DISABLED' ELSE '' END
      FROM ours JOIN pg_trigger t ON t.tgrelid = ours.oid AND NOT t.tgisinternal
    UNION ALL
    SELECT 'function ' || p.proname || '(' || pg_get_function_arguments(p.oid) || ')',
           concat_ws(E'\\n', pg_get_function_result(p.oid), l.lanname, p.provolatile,
                     CASE WHEN p.prosecdef THEN 'security definer' END, p.proconfig::text, p.prosrc)
      FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
     WHERE p.pronamespace = current_schema()::regnamespace
       AND (p.proname LIKE 'robbieblocks\\_%'
            OR p.proname IN ('get_page_config', 'get_node_styles', 'trigger_page_rebuild',
                             'trigger_component_rebuild', 'trigger_branding_rebuild'))
"""

# Leftovers of the first version, by the names that its script gave them. Anything else that is
# there besides ours is the operator's.
_SUPERSEDED = re.compile(
    r"^(function trigger_(page|component|branding)_rebuild\("
    r"|trigger \S+\.(page_update|component_update|branding_update)_trigger$"
    r"|trigger \S+\.update_robbieblocks_\w+_updated_at$)"
)

# Whether there is anything of ours.
_PRESENT: LiteralString = "SELECT to_regclass('robbieblocks_pages') IS NOT NULL"

UPGRADE = "robbieblocks db upgrade"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in a database that is not as the schema file makes it.

    `what` is a kind and a name: `column robbieblocks_pages.page_key`. `expected` None: it should
    not be there; `found` None: it is missing.
    """

    what: str
    expected: str | None
    found: str | None
    remedy: str

    def __str__(self) -> str:
        if self.found is None:
            state = "is missing"
        elif self.expected is None:
            state = "is left over from an earlier version"
        elif "\n" in self.expected + self.found:
            state = "differs from the schema file"
        else:
            state = f"is {self.found!r}, should be {self.expected!r}"
        return f"{self.what} {state} -> {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did (`added|changed|removed <kind> <name>`), and what is left to do."""

    changes: tuple[str, ...]
    remaining: tuple[Difference, ...]


def apply(connection: Connection, folder: Path | None = None) -> None:
    """Bring the database to this version's schema, in one transaction; rows are never changed.

    Does no harm where it is there already, nor beside a second session that does the same. `folder`
    is the schema folder, the installation's own by default. Raises DatabaseUnavailable, UsageError
    (rights).
    """
    with translated("apply the schema"), connection.transaction():
        connection.execute(_READ_COMMITTED)
        _run(connection, folder)


@contextmanager
def turn(connection: Connection) -> Iterator[None]:
    """Be the only one, of those who ask or who apply the schema, until the block is left."""
    with translated("wait for another command that applies the schema"):
        connection.execute(_TAKE_TURN)
    try:
        yield
    finally:
        # Where the connection is gone, the server has let the lock go by itself.
        with suppress(psycopg.OperationalError):
            connection.execute(_LEAVE_TURN)


def present(connection: Connection) -> bool:
    """Whether the database has our tables at all, of whatever version."""
    with translated("look for the schema"), connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_PRESENT).fetchone()
    return bool(row and row[0])


def verify(connection: Connection, folder: Path | None = None) -> tuple[Difference, ...]:
    """How the database differs from what the schema file makes; empty where it does not.

    Columns, indexes and the like that an operator added are no difference. Nothing is left behind,
    but the role must be allowed to create a schema for the moment. Raises DatabaseUnavailable,
    UsageError (rights).
    """
    with translated("verify the schema"), connection.transaction(force_rollback=True):
        found = _found(connection)
        expected = _expected(connection, folder)
    return tuple(_compare(expected, found))


def upgrade(connection: Connection, folder: Path | None = None) -> Upgraded:
    """Apply the schema, and tell what that changed and what it could not mend."""
    with translated("read the schema"), connection.transaction(force_rollback=True):
        before = _found(connection)
    apply(connection, folder)
    with translated("read the schema"), connection.transaction(force_rollback=True):
        after = _found(connection)
    return Upgraded(changes=tuple(_changes(before, after)), remaining=verify(connection, folder))


def _run(connection: Connection, folder: Path | None) -> None:
    for file in sorted((folder or resource_dir("schema")).glob(_FILES)):
        connection.execute(_OWN_TRANSACTION.sub(b"", file.read_bytes()))


def _found(connection: Connection) -> dict[str, str]:
    """The description of what is there, while nobody else applies the schema.

    The turn comes first: what describes a table holds it, and who applies needs all of them.
    """
    connection.execute(_TAKE_TURN_FOR_TRANSACTION)
    return _describe(connection, _home(connection))


def _home(connection: Connection) -> str:
    with connection.cursor(row_factory=tuple_row) as cursor:
        row = cursor.execute(_HOME).fetchone()
    return str(row[0]) if row and row[0] else "public"


def _expected(connection: Connection, folder: Path | None) -> dict[str, str]:
    """The description of what the file makes of nothing."""
    with connection.transaction(force_rollback=True):
        connection.execute(SQL("CREATE SCHEMA {}").format(Identifier(_SCRATCH)))
        _settle_in(connection, _SCRATCH)
        _run(connection, folder)
        return _describe(connection, _SCRATCH)


def _settle_in(connection: Connection, schema: str) -> None:
    """Create and look things up in one schema, for the rest of the transaction."""
    connection.execute(SQL("SET LOCAL search_path TO {}").format(Identifier(schema)))


def _describe(connection: Connection, schema: str) -> dict[str, str]:
    """Each thing of ours in a schema, and how Postgres would write it without the schema's name."""
    _settle_in(connection, schema)
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(_DESCRIBE).fetchall()
    named = re.compile(rf'(?<![\w"])"?{re.escape(schema)}"?(?=[.,])')
    return {what: named.sub("home", definition) for what, definition in rows}


def _compare(expected: Mapping[str, str], found: Mapping[str, str]) -> Iterator[Difference]:
    tables_missing = {
        what.partition(" ")[2]
        for what in expected
        if what.startswith("table ") and what not in found
    }
    for what, definition in sorted(expected.items()):
        if found.get(what) == definition:
            continue
        # A missing table says it all; its columns need no lines of their own.
        if what.partition(" ")[2].partition(".")[0] in tables_missing and not what.startswith(
            "table "
        ):
            continue
        yield Difference(
            what=what,
            expected=definition,
            found=found.get(what),
            remedy=_remedy(what, definition, found.get(what)),
        )
    for what, definition in sorted(found.items()):
        if what not in expected and _SUPERSEDED.match(what):
            yield Difference(what=what, expected=None, found=definition, remedy=UPGRADE)


def _remedy(what: str, expected: str, found: str | None) -> str:
    """What mends a difference: `db upgrade`, except where it would have to touch rows."""
    kind, _, name = what.partition(" ")
    table, _, part = name.partition(".")
    if kind == "column" and found is not None:
        return _column_remedy(table, part, expected, found)
    if kind == "constraint" and found is not None:
        return f"ALTER TABLE {table} DROP CONSTRAINT {part}; then {UPGRADE}"
    if kind == "constraint" and not part.endswith("_check"):
        return f"ALTER TABLE {table} ADD CONSTRAINT {part} {expected}"
    if kind == "column" and not _ADDED.search(name):
        return f"ALTER TABLE {table} ADD COLUMN {part} {expected}"
    if kind == "index" and found is not None:
        return f"DROP INDEX {name}; then {UPGRADE}"
    return UPGRADE


# The columns that the file adds to an earlier database by itself.
_ADDED = re.compile(
    r"\.(base_url|incarnation|worker|heartbeat_at|trigger_ids|details|handled_nodes|change_xid)$"
)


def _column_remedy(table: str, column: str, expected: str, found: str) -> str:
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    expected_type, expected_null, expected_default = _column(expected)
    found_type, found_null, found_default = _column(found)
    steps = []
    if expected_type != found_type:
        steps.append(f"{alter} TYPE {expected_type}")
    if expected_null != found_null:
        steps.append(f"{alter} {'SET' if expected_null else 'DROP'} NOT NULL")
    if expected_default != found_default:
        steps.append(
            f"{alter} SET DEFAULT {expected_default}"
            if expected_default
            else f"{alter} DROP DEFAULT"
        )
    return "; ".join(steps)


def _column(definition: str) -> tuple[str, bool, str]:
    """Type, whether it is not null, and default, of a column's description."""
    declared, _, default = definition.partition(" default ")
    return declared.removesuffix(" not null"), declared.endswith(" not null"), default


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for what in sorted({*before, *after}):
        if what not in before:
            yield f"added {what}"
        elif what not in after:
            yield f"removed {what}"
        elif before[what] != after[what]:
            yield f"changed {what}"
