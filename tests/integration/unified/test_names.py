"""The naming rules of docs/schema.md, in a database made from the files."""

from __future__ import annotations

import re

import psycopg
import pytest

from tests.integration.unified import earlier

pytestmark = pytest.mark.postgres

_NAMES = """
    WITH ours AS (
        SELECT *, oid::regclass::text AS name FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
           AND NOT relispartition
    )
    SELECT 'relation', name, '' FROM ours
    UNION ALL
    SELECT 'column', name || '.' || attname, format_type(atttypid, NULL)
      FROM ours JOIN pg_attribute ON attrelid = ours.oid AND attnum > 0 AND NOT attisdropped
     WHERE relkind IN ('r', 'p')
    UNION ALL
    SELECT 'constraint', name || '.' || conname, contype::text
      FROM ours JOIN pg_constraint ON conrelid = ours.oid
    UNION ALL
    SELECT 'index', name || '.' || indexrelid::regclass, CASE WHEN indisunique THEN 'u' ELSE '' END
      FROM ours JOIN pg_index ON indrelid = ours.oid
     WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f')
    UNION ALL
    SELECT 'trigger', name || '.' || tgname, '' FROM ours JOIN pg_trigger ON tgrelid = ours.oid
     WHERE NOT tgisinternal
    UNION ALL
    SELECT 'policy', name || '.' || polname, '' FROM ours JOIN pg_policy ON polrelid = ours.oid
    UNION ALL
    SELECT 'function', proname, '' FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace
       AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid
                          AND deptype = 'e')
"""
_SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*(\.[a-z][a-z0-9]*(_[a-z0-9]+)*)?")
_ENDINGS = {
    "constraint p": r"_pkey",
    "constraint u": r"_key",
    "constraint f": r"_fkey",
    "constraint c": r"_check\d*",
    "constraint n": r"_not_null\d*",
    "constraint x": r"_excl",
    "index": r"_idx",
    "index u": r"_(idx|key)",
    "column timestamp with time zone": r"_at",
    "column date": r"_(on|date)",
}
_YES_OR_NO = re.compile(r".*\.(is|has|can|may|was)_\w+")


def _names(conninfo: str) -> list[tuple[str, str, str]]:
    with psycopg.connect(conninfo) as connection:
        return connection.execute(_NAMES.encode()).fetchall()


def _fixed(found: earlier.Inventory) -> set[str]:
    """The columns that an earlier database has; they keep their names."""
    return {
        f"{name}.{column}"
        for name, table in earlier.tables(found, as_left=False).items()
        for column in earlier.column_types(table)
    }


def _wrong(names: list[tuple[str, str, str]]) -> list[str]:
    """The names that break a rule, with what they name."""
    fixed = _fixed(earlier.inventory())
    tables = {name.partition(".")[0] for name in fixed}
    wrong = []
    for kind, name, what in names:
        table, _, own = name.partition(".")
        ending = _ENDINGS.get(f"{kind} {what}".rstrip())
        good = _SNAKE_CASE.fullmatch(name) is not None
        if name not in fixed or kind != "column":
            good = good and (ending is None or re.search(f"{ending}$", name) is not None)
            if (kind, what) == ("column", "boolean"):
                good = good and _YES_OR_NO.fullmatch(name) is not None
        # So the earlier files named indexes, and databases have them by that name.
        if kind == "index" and table in tables and own.startswith("idx_"):
            good = True
        if not good:
            wrong.append(f"{kind} {name} {what}".rstrip())
    return wrong


def test_every_name_follows_the_rules(unified_database: str) -> None:
    """Small letters and underscores; endings that say what an index, a key, a time is."""
    assert _wrong(_names(unified_database)) == []


def test_names_that_break_the_rules_are_found(unified_database: str) -> None:
    """One for each rule, on a table that no earlier database has."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(
            """
            CREATE TABLE "Notes" (id integer);
            CREATE TABLE notes (
                id integer CONSTRAINT notes_primary PRIMARY KEY,
                seen timestamptz, done boolean, due date,
                words text CONSTRAINT words_there CHECK (words <> '') CONSTRAINT one UNIQUE,
                other integer CONSTRAINT to_other REFERENCES towns (id)
            );
            CREATE INDEX idx_notes_words ON notes (words);
            CREATE FUNCTION "noteCount"() RETURNS bigint LANGUAGE sql RETURN 0;
            CREATE POLICY "all" ON notes;
            CREATE POLICY "all rows" ON notes;
            """
        )
    assert set(_wrong(_names(unified_database))) == {
        'relation "Notes"',
        'column "Notes".id integer',
        "column notes.done boolean",
        "column notes.due date",
        "column notes.seen timestamp with time zone",
        "constraint notes.notes_primary p",
        "constraint notes.one u",
        "constraint notes.to_other f",
        "constraint notes.words_there c",
        "function noteCount",
        "index notes.idx_notes_words",
        "policy notes.all rows",
    }
