"""Each file of the unified schema: its tables, what it needs, what it leaves of earlier rows."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

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
_COUNTS = dict(
    enumerate((4, 3, 2, 8, 5, 4, 3, 12, 6, 0, 2, 5, 4, 7, 0, 1, 4, 3, 2, 3, 7, 1), start=1)
)
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


def test_an_earlier_policy_is_replaced(databases: Databases, unified_template: str) -> None:
    """A policy of another version, and tables without theirs, become those of this version."""
    with databases.copy(unified_template) as conninfo:
        before = _catalogue(conninfo, _CATALOGUE)
        with psycopg.connect(conninfo) as connection:
            connection.execute(
                """
                DROP POLICY own_rows ON sessions;
                CREATE POLICY own_rows ON sessions USING (true);
                DROP POLICY own_rows ON users;
                ALTER TABLE users DISABLE ROW LEVEL SECURITY;
                ALTER TABLE companies NO FORCE ROW LEVEL SECURITY;
                """
            )
        apply(conninfo, *FILES)
        assert _catalogue(conninfo, _CATALOGUE) == before


def test_applied_again_a_file_waits_for_no_session(unified_database: str) -> None:
    """A transaction that has read and written tables and views keeps no file from being applied;
    file 21 locks its own tables."""
    with (
        psycopg.connect(as_superuser(unified_database)) as busy,
        psycopg.connect(
            make_conninfo(unified_database, options="-c lock_timeout=2s")
        ) as connection,
    ):
        for (table,) in busy.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p', 'v')"
            " AND relnamespace = 'public'::regnamespace AND relname NOT LIKE 'robbieblocks%'"
        ).fetchall():
            busy.execute(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE".encode())
        connection.autocommit = True
        for file in FILES:
            if not file.name.startswith("21"):
                connection.execute(file.read_bytes())


_OWN_FILE = """
    BEGIN;
    SELECT set_config('search_path', schema_begin('22-notes.sql', 'users', 'towns'), true);
    CREATE TABLE IF NOT EXISTS notes (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), words text);
    COMMENT ON TABLE notes IS 'Notes.';
    SELECT schema_column('notes', 'town_id', 'uuid'),
           schema_default('notes', 'town_id', 'current_town_id()'),
           schema_reference('notes', 'town_id', 'towns (uid)'),
           schema_check('notes', 'notes_words_check', 'length(words) > 0'),
           schema_protect_town('notes'), schema_embedding('notes'),
           schema_view('long_notes', 'SELECT id, words FROM notes WHERE length(words) > 9');
    COMMIT;
"""


def test_a_file_of_ones_own_is_made_with_what_file_01_has(unified_database: str) -> None:
    """Over a table and a view that are there already, in another shape; a second time, too."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute(
            """
            CREATE TABLE notes (id uuid PRIMARY KEY, words text);
            INSERT INTO notes VALUES (gen_random_uuid(), '');
            CREATE VIEW long_notes AS SELECT words FROM notes;
            GRANT SELECT ON long_notes TO PUBLIC;
            """
        )
        for _ in range(2):
            connection.execute(_OWN_FILE.encode())
        found = connection.execute(_RULES.read_bytes()).fetchall()
        assert [(what, name) for what, name, _ in found] == [
            ("constraint that rows from before may break", "notes.notes_words_check")
        ]
        assert connection.execute("SELECT FROM long_notes").fetchall() == []
        connection.execute("SET app.town = '*'; UPDATE notes SET words = 'ten letters'")
        connection.execute(_OWN_FILE.encode())
        assert connection.execute(_RULES.read_bytes()).fetchall() == []
        assert connection.execute("SELECT embedding, words FROM notes").fetchall() == [
            (None, "ten letters")
        ]
        assert connection.execute(
            "SELECT has_table_privilege('public', 'long_notes', 'SELECT')"
        ).fetchone() == (True,)


def test_rights_beyond_row_level_security_are_named(unified_database: str) -> None:
    """Who may empty a town's table, or put a trigger on it, reaches other towns."""
    with psycopg.connect(unified_database) as connection:
        connection.execute("GRANT ALL ON companies, robbieblocks_pages TO PUBLIC")
        assert [row[:2] for row in connection.execute(_RULES.read_bytes()).fetchall()] == [
            ("right that row level security does not bind", "companies to PUBLIC")
        ]


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("unified_database", (0, "the schema is sound\n")),
        ("empty_database", (1, "no table: public")),
    ],
)
def test_the_script_says_whether_the_schema_is_sound(
    database: str, told: tuple[int, str], request: pytest.FixtureRequest
) -> None:
    """Nothing is found in a new database; one without tables is not called sound."""
    script = _SCHEMA / "scripts" / "validate-schema.sh"
    conninfo = request.getfixturevalue(database)
    done = subprocess.run([script, conninfo], capture_output=True, text=True, check=False)
    assert done.returncode == told[0], done
    assert done.stdout.startswith(told[1]), done


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
