"""Compares the database with the stored catalogue, and says how to resolve a difference."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import LiteralString

from psycopg import Connection

from robbieblocks.database.catalogue import stored
from robbieblocks.database.errors import translated
from robbieblocks.database.schema.applying import apply, lock_for_transaction, sources
from robbieblocks.database.schema.describing import describe, home, use_schema
from robbieblocks.database.schema.equivalence import column_parts, satisfies
from robbieblocks.settings import resource_dir

UPGRADE = "robbieblocks db upgrade"

# The table that every database of ours has.
_TABLE = "robbieblocks_pages"

_VIEWS = ("robbieblocks_active_deploys", "robbieblocks_published_pages")

# The tables that a file makes.
_MADE_TABLE = re.compile(rb"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)

# Those of some tables that the schema lacks.
_MISSING: LiteralString = "SELECT name FROM unnest(%s::text[]) name WHERE to_regclass(name) IS NULL"

# A line of the file's list of columns that an earlier database lacks: table, column, definition.
_ADDED_COLUMN = re.compile(
    rb"^ +\('(robbieblocks_\w+|media_assets|earlier_media)', +'(\w+)', +'[a-z]", re.MULTILINE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One thing in a database that is not as the schema file makes it.

    `what` is a kind and a name: `column robbieblocks_pages.page_key`. `found` is None where it is
    missing. `remedy` is a command or statements.
    """

    what: str
    expected: str
    found: str | None
    remedy: str

    def __str__(self) -> str:
        if self.found is None:
            state = "is missing"
        elif "\n" in self.expected + self.found:
            state = "differs from the schema file"
        else:
            state = f"is {self.found!r}, should be {self.expected!r}"
        return f"{self.what} {state} -> {self.remedy}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upgraded:
    """What an upgrade did (`added|changed|removed <kind> <name>`), and what is left to be done."""

    changes: tuple[str, ...]
    remaining: tuple[Difference, ...]

    @property
    def created(self) -> bool:
        """Whether there was nothing of the schema before."""
        return f"added table {_TABLE}" in self.changes

    @property
    def summary(self) -> str:
        """How many things of each kind people look for were added: `7 tables, 2 views`."""
        counts = Counter(change.split(" ")[1] for change in self.changes)
        return ", ".join(
            f"{counts[kind]} {kind}s" for kind in ("table", "view", "function", "trigger")
        )


def verify(connection: Connection) -> tuple[Difference, ...]:
    """Return how the database differs from what the schema file makes; empty where it does not.

    Columns, indexes and other things that an operator added are no difference, nor is what means
    the same or is wider (schema.equivalence). It needs no right but to use the schema. Raises
    DatabaseUnavailable and RightsMissing.
    """
    with translated("verify the schema"), connection.transaction(force_rollback=True):
        found = _found(connection)
    return tuple(_compare(stored(), found, _added_columns(sources(None))))


def unsound(connection: Connection, *, vectors: bool = True) -> tuple[str, ...]:
    """Return what `schema/scripts/validate-schema.sh` finds, a line each; empty where all is well.

    A table that a file of the unified schema makes and the database lacks comes first; without
    `vectors` those of the file that needs pgvector may be missing.
    """
    texts = b"\n".join(sources(None, unified=True, vectors=vectors))
    names = [name.decode() for name in _MADE_TABLE.findall(texts)]
    rules = (resource_dir("schema") / "scripts" / "validate-schema.sql").read_bytes()
    with translated("verify the schema"), connection.transaction(force_rollback=True):
        use_schema(connection, home(connection))
        missing = connection.execute(_MISSING, [names]).fetchall()
        found = connection.execute(rules).fetchall()
    return (
        *(f"table {name} is missing -> {UPGRADE} --unified" for (name,) in missing),
        *(f"{what}: {where} -> {remedy}" for what, where, remedy in found),
    )


def upgrade(
    connection: Connection,
    folder: Path | None = None,
    *,
    unified: bool = False,
    vectors: bool = True,
) -> Upgraded:
    """Apply the schema; return what that changed, and the differences that it could not resolve.

    With `unified` every file is applied, but without `vectors` the one that needs pgvector; changes
    to tables beyond the program's own are not told.
    """
    with translated("read the schema"), connection.transaction(force_rollback=True):
        before = _found(connection)
    apply(connection, folder, unified=unified, vectors=vectors)
    with translated("read the schema"), connection.transaction(force_rollback=True):
        after = _found(connection)
    return Upgraded(changes=tuple(_changes(before, after)), remaining=verify(connection))


def _found(connection: Connection) -> dict[str, str]:
    """What the database holds, while no other session applies the schema.

    The lock comes first. Describing a table locks it, and applying needs all tables: the other way
    round the two would deadlock.
    """
    lock_for_transaction(connection)
    return describe(connection, home(connection))


def _compare(
    expected: Mapping[str, str], found: Mapping[str, str], added: Set[str]
) -> Iterator[Difference]:
    missing_tables = {
        what.removeprefix("table ")
        for what in expected.keys() - found.keys()
        if what.startswith("table ")
    }
    constraints = _constraints_by_table(found)
    for what, definition in sorted(expected.items()):
        kind, _, name = what.partition(" ")
        # A missing table is one difference; what belongs to it needs none of its own.
        if kind != "table" and name.partition(".")[0] in missing_tables:
            continue
        # A constraint is known by what it says: one made by hand may have another name.
        here = [found[what]] if what in found else []
        if kind == "constraint" and not here:
            here = constraints.get(name.partition(".")[0], [])
        if not any(satisfies(kind, each, definition) for each in here):
            yield Difference(
                what=what,
                expected=definition,
                found=found.get(what),
                remedy=_remedy(what, definition, found.get(what), added),
            )


def _constraints_by_table(found: Mapping[str, str]) -> dict[str, list[str]]:
    """The definitions of a table's constraints, by the table's name."""
    by_table: dict[str, list[str]] = {}
    for what, definition in found.items():
        kind, _, name = what.partition(" ")
        if kind == "constraint":
            by_table.setdefault(name.partition(".")[0], []).append(definition)
    return by_table


def _added_columns(texts: Iterable[bytes]) -> set[str]:
    """The columns, as `table.column`, that the files add to an earlier database by themselves."""
    return {
        f"{table.decode()}.{column.decode()}"
        for text in texts
        for table, column in _ADDED_COLUMN.findall(text)
    }


def _remedy(what: str, expected: str, found: str | None, added: Set[str]) -> str:
    """What resolves a difference: `db upgrade`, or statements where it might have to alter rows."""
    kind, _, name = what.partition(" ")
    table, _, part = name.partition(".")
    if kind == "column" and found is not None:
        return _column_remedy(table, part, expected, found)
    if kind == "constraint" and found is not None:
        return f"ALTER TABLE {table} DROP CONSTRAINT {part}; then {UPGRADE}"
    if kind == "constraint" and not part.endswith("_check"):
        return f"ALTER TABLE {table} ADD CONSTRAINT {part} {expected}"
    if kind == "column" and name not in added:
        return f"ALTER TABLE {table} ADD COLUMN {part} {expected}"
    if kind == "index" and found is not None:
        return f"DROP INDEX {name}; then {UPGRADE}"
    return UPGRADE


def _column_remedy(table: str, column: str, expected: str, found: str) -> str:
    alter = f"ALTER TABLE {table} ALTER COLUMN {column}"
    wanted, given = column_parts(expected), column_parts(found)
    steps: list[str] = []
    after = ""
    if wanted.type != given.type:
        # Postgres alters no type of a column that a view shows; an upgrade makes the views again.
        steps.append(f"DROP VIEW IF EXISTS {', '.join(_VIEWS)}")
        steps.append(f"{alter} TYPE {wanted.type}")
        after = f"; then {UPGRADE}"
    if wanted.not_null != given.not_null:
        steps.append(f"{alter} {'SET' if wanted.not_null else 'DROP'} NOT NULL")
    if wanted.default != given.default:
        steps.append(
            f"{alter} SET DEFAULT {wanted.default}" if wanted.default else f"{alter} DROP DEFAULT"
        )
    return "; ".join(steps) + after


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for what in sorted({*before, *after}):
        if what not in before:
            yield f"added {what}"
        elif what not in after:
            yield f"removed {what}"
        elif before[what] != after[what]:
            yield f"changed {what}"
