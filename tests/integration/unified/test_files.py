"""Each file of the unified schema: its tables, what it needs, what it leaves of earlier rows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg
import pytest

from robbieblocks.database import schema
from robbieblocks.settings import resource_dir
from tests.databases import Databases
from tests.integration.unified import earlier
from tests.integration.unified.conftest import FILES, apply, as_superuser

pytestmark = pytest.mark.postgres

_SCHEMA = resource_dir("schema")
_RULES = _SCHEMA / "scripts" / "validate-schema.sql"
# Tables that another file makes than the one that made them first.
_MOVED = {"companies": "01-core", "towns": "01-core", "audit_log": "16-audit_log"}
_COUNTS = dict(enumerate((4, 3, 2, 8, 5, 4, 3, 12, 6, 0, 2, 5, 4, 7, 0, 1, 4, 3, 2, 3, 7), start=1))
_TABLE = re.compile(r"^CREATE TABLE IF NOT EXISTS (\w+)", re.MULTILINE)
_CATALOGUE = """
    WITH ours AS (
        SELECT *, oid::regclass::text AS name FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
           AND NOT relispartition
    )
    SELECT 'column', name || '.' || a.attname,
           format_type(a.atttypid, a.atttypmod) || a.attidentity::text || a.attnotnull
           || coalesce(pg_get_expr(d.adbin, d.adrelid), '')
      FROM ours JOIN pg_attribute a ON a.attrelid = ours.oid AND a.attnum > 0
      LEFT JOIN pg_attrdef d ON d.adrelid = ours.oid AND d.adnum = a.attnum
     WHERE NOT a.attisdropped
    UNION ALL
    SELECT 'foreign key', name, replace(pg_get_constraintdef(k.oid), ' NOT VALID', '')
      FROM ours JOIN pg_constraint k ON k.conrelid = ours.oid AND k.contype = 'f'
    UNION ALL
    SELECT 'policy', name || '.' || polname,
           concat(polcmd, polpermissive, pg_get_expr(polqual, polrelid),
                  pg_get_expr(polwithcheck, polrelid))
      FROM ours JOIN pg_policy ON polrelid = ours.oid
    UNION ALL
    SELECT 'security', name, concat(relrowsecurity, relforcerowsecurity, reloptions) FROM ours
    UNION ALL
    SELECT 'function', p.oid::regprocedure::text,
           concat(prosecdef, provolatile, proconfig, pg_get_function_result(p.oid), md5(prosrc))
      FROM pg_proc p
     WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'robbieblocks%'
       AND NOT EXISTS (SELECT FROM pg_depend
                        WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND deptype = 'e')
"""
_MORE = """
    SELECT 'index', indexrelid::regclass::text, pg_get_indexdef(indexrelid)
      FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
     WHERE relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
      FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid)
      FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'comment', classoid::regclass || ' ' || objoid || '.' || objsubid, description
      FROM pg_description
"""


def _catalogue(conninfo: str, *queries: str) -> set[tuple[str, str, str]]:
    with psycopg.connect(conninfo) as connection:
        return {
            (kind, name, text)
            for query in queries
            for kind, name, text in connection.execute(query.encode()).fetchall()
        }


def _refusal(conninfo: str, file: Path) -> str | None:
    """What a file says where it refuses; None where it applies."""
    try:
        apply(conninfo, file)
    except psycopg.errors.RaiseException as error:
        return error.diag.message_primary
    return None


def _ids(file: Path) -> str:
    return file.stem


@pytest.mark.parametrize("file", FILES, ids=_ids)
def test_alone_a_file_brings_or_names_what_it_needs(
    file: Path, databases: Databases, vector_template: str
) -> None:
    """Over nothing, a file applies, or its one error names the file to apply first."""
    with databases.copy(vector_template) as conninfo:
        if said := _refusal(conninfo, file):
            needed = re.fullmatch(rf"{file.name} needs .*?(\d\d-[\w-]+\.sql)", said)
            assert needed, said
            assert (file.parent / needed[1]).is_file()
            assert needed[1] < file.name
            assert not {kind for kind, _, _ in _catalogue(conninfo, _MORE)} & {"index", "trigger"}


@pytest.mark.parametrize("file", FILES, ids=_ids)
def test_a_file_makes_its_tables(file: Path, unified_database: str) -> None:
    """Each has its number of tables, and those of the earlier version with every column."""
    found = earlier.inventory()
    made = set(_TABLE.findall(file.read_text(encoding="utf-8")))
    assert len(made) >= _COUNTS.get(int(file.name[:2]), 0)
    expected = {
        name: table
        for home, tables in found["files"].items()
        for name, table in tables.items()
        if _MOVED.get(name, home) == file.stem
    }
    assert made >= expected.keys()
    columns = {
        name: text
        for kind, name, text in _catalogue(unified_database, _CATALOGUE)
        if kind == "column"
    }
    for name, table in expected.items():
        for column, kind in earlier.column_types(table).items():
            if kind.startswith("vector") and not any(f.name.startswith("03") for f in FILES):
                continue
            now = columns[f"{name}.{column}"]
            assert now.startswith(kind.replace("without time zone", "with time zone")), now


def test_applied_again_nothing_changes(databases: Databases, unified_template: str) -> None:
    """A second run leaves every column, key, policy, function, index and comment as it is."""
    with databases.copy(unified_template) as conninfo:
        before = _catalogue(conninfo, _CATALOGUE, _MORE)
        apply(conninfo, *FILES)
        assert _catalogue(conninfo, _CATALOGUE, _MORE) == before


def test_the_schema_is_sound(unified_database: str) -> None:
    """`validate-schema.sh` finds nothing, and says so with the code 0."""
    script = _SCHEMA / "scripts" / "validate-schema.sh"
    done = subprocess.run([script, unified_database], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "the schema is sound\n"), done


def test_an_earlier_database_keeps_every_row_and_becomes_as_a_new_one(
    upgraded: tuple[str, bool, dict[str, list[dict[str, object]]]], unified_database: str
) -> None:
    """Rows are whole; columns, references, policies and functions are those of a new database."""
    conninfo, as_left, before = upgraded
    with psycopg.connect(as_superuser(conninfo)) as connection:
        after = earlier.rows(connection, as_left=as_left)
    for name in before:
        assert after[name] == before[name], name
    new, old = (_catalogue(where, _CATALOGUE) for where in (unified_database, conninfo))
    # File 21 has a comparison of its own: `db verify`.
    assert not {thing for thing in new - old if not thing[1].startswith("robbieblocks")}


def test_an_upgraded_database_is_sound(
    upgraded: tuple[str, bool, dict[str, list[dict[str, object]]]],
) -> None:
    """What the script still finds are rows from before that name nothing, and tables not ours."""
    conninfo, _, _ = upgraded
    ours = {name for file in FILES for name in _TABLE.findall(file.read_text("utf-8"))}
    with psycopg.connect(conninfo) as connection:
        found = connection.execute(_RULES.read_bytes()).fetchall()
    assert not [
        (what, name)
        for what, name, _ in found
        if name.partition(".")[0] in ours and what != "constraint that rows from before may break"
    ]


def test_the_master_script_says_how_far_it_is_and_what_it_made(
    databases: Databases, vector_template: str
) -> None:
    """With psql alone: a line a file, the numbers at the end, and the code 0."""
    with databases.copy(vector_template) as conninfo:
        done = subprocess.run(
            ["psql", "-X", conninfo, "-f", _SCHEMA / "init-unified-schema.sql"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        for file in FILES:
            assert f"{file.name}\n" in done.stdout
        assert re.search(r"tables +\d+", done.stdout)


def test_the_program_applies_all_files_only_where_it_is_told_to(
    databases: Databases, vector_template: str
) -> None:
    """Its own file alone, then all in one transaction; what is missing is named before."""
    with (
        databases.copy(vector_template) as conninfo,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        assert schema.upgrade(connection).created
        assert "table users is missing -> robbieblocks db upgrade --unified" in schema.unsound(
            connection
        )
        assert schema.upgrade(connection, unified=True).remaining == ()
        assert schema.unsound(connection) == ()
        assert schema.verify(connection) == ()
