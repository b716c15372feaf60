"""`robbieblocks db analyze` and `analyze-performance.sh`: each fault provoked, and named."""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.database import embedded, maintenance
from robbieblocks.settings import resource_dir
from tests.commands import Installation
from tests.databases import Databases
from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_ROOT = Path(__file__).parents[3]
_SCRIPT = resource_dir("schema") / "scripts" / "analyze-performance.sh"
_OFF = "WITH (autovacuum_enabled = off)"
# A fault each; the tables' own settings keep autovacuum from mending them meanwhile.
_FAULTS = (
    f"CREATE TABLE scanned (id integer, word text) {_OFF}",
    "INSERT INTO scanned SELECT n, md5(n::text) FROM generate_series(1, 30000) n",
    "CREATE INDEX scanned_word_idx ON scanned (word)",
    "CREATE INDEX scanned_id_idx ON scanned (id)",
    "CREATE INDEX scanned_again_idx ON scanned (id)",
    "ANALYZE scanned",
    "DO $$ BEGIN FOR n IN 1 .. 60 LOOP PERFORM count(*) FROM scanned; END LOOP; END $$",
    f"CREATE TABLE parent (id integer PRIMARY KEY, other integer, UNIQUE (id, other)) {_OFF}",
    "CREATE TABLE child (parent_id integer REFERENCES parent, other integer,"
    f" FOREIGN KEY (parent_id, other) REFERENCES parent (id, other)) {_OFF}",
    "CREATE INDEX child_parent_idx ON child (parent_id)",
    f"CREATE TABLE emptied (id integer PRIMARY KEY) {_OFF}",
    "INSERT INTO emptied SELECT generate_series(1, 100000)",
    "DELETE FROM emptied WHERE id % 10 <> 0",
    "VACUUM (ANALYZE) emptied",
    f"CREATE TABLE neglected (id integer) {_OFF}",
    "INSERT INTO neglected SELECT generate_series(1, 1000)",
    "ANALYZE neglected",
    "UPDATE neglected SET id = id + 1",
    "CREATE TABLE aged (id integer)"
    " WITH (autovacuum_enabled = off, autovacuum_freeze_max_age = 100000)",
    "DO $$ BEGIN FOR n IN 1 .. 95000 LOOP"
    " BEGIN INSERT INTO aged VALUES (n); EXCEPTION WHEN OTHERS THEN NULL; END;"
    " END LOOP; END $$",
    "ANALYZE aged",
)
_EXPECTED = {
    ("missing index", "scanned"),
    ("foreign key without an index", "child.child_parent_id_other_fkey"),
    ("unused index", "scanned_word_idx"),
    ("duplicate index", "scanned_again_idx"),
    ("bloated table", "emptied"),
    ("bloated index", "emptied_pkey"),
    ("autovacuum behind", "neglected"),
    ("statistics out of date", "neglected"),
    ("near freeze age", "aged"),
    ("statements unknown", "pg_stat_statements"),
}


@pytest.fixture(scope="module")
def faulty(databases: Databases) -> Iterator[str]:
    """A database with one fault of each kind, of which the server's statistics tell."""
    with databases.copy() as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            for statement in _FAULTS:
                # What was counted before ANALYZE must not be added after it.
                connection.execute("SELECT pg_stat_force_next_flush()")
                connection.execute(statement.encode())
            connection.execute("SELECT pg_stat_force_next_flush()")
        yield conninfo


def _script(*arguments: str) -> str:
    done = subprocess.run(
        [_SCRIPT, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_each_fault_is_found_with_its_numbers_and_nothing_else(faulty: str) -> None:
    """One finding a fault; no other index, table or reference is named."""
    with psycopg.connect(faulty, autocommit=True) as connection:
        found = maintenance.analyze(connection)
    by_name = {(each.check, each.object): each for each in found.findings}
    assert by_name.keys() == _EXPECTED
    assert by_name["missing index", "scanned"].measures["sequential_scans"] >= 60
    assert by_name["missing index", "scanned"].measures["rows"] == 30000
    assert (
        by_name["foreign key without an index", "child.child_parent_id_other_fkey"].remedy
        == "CREATE INDEX CONCURRENTLY ON child (parent_id, other)"
    )
    assert by_name["unused index", "scanned_word_idx"].measures["bytes"] > 1024 * 1024
    assert by_name["duplicate index", "scanned_again_idx"].measures["same_as"] == "scanned_id_idx"
    bloat = by_name["bloated table", "emptied"].measures
    assert 0.05 < bloat["bytes_expected"] / bloat["bytes"] < 0.2
    bloat = by_name["bloated index", "emptied_pkey"].measures
    assert 0.05 < bloat["bytes_expected"] / bloat["bytes"] < 0.2
    neglected = by_name["autovacuum behind", "neglected"].measures
    assert (neglected["dead_rows"], neglected["allowed"]) == (1000, 250)
    assert neglected["autovacuum"] is False
    assert by_name["near freeze age", "aged"].measures["transactions"] >= 90000
    assert found.database.measures["large_tables_estimated"] == 3


def test_the_script_and_the_command_say_the_same_and_change_nothing(
    faulty: str, tmp_path: Path
) -> None:
    """As text and as JSON; a session that may only read is enough."""
    reading = make_conninfo(faulty, options="-c default_transaction_read_only=on")
    command = Installation(home=tmp_path, database_url=reading)
    text = command.run("db", "analyze")
    assert (text.code, text.err) == (0, "")
    assert text.out.startswith("database: test_")
    assert "\nmissing index: scanned: " in text.out
    assert "\n  -> REINDEX INDEX CONCURRENTLY emptied_pkey\n" in text.out
    assert _lines(_script(reading)) == _lines(text.out)
    document = json.loads(command.run("db", "analyze", "--format", "json").out)
    jsonschema_rs.validator_for(_document_schema()).validate(document)
    assert _stable(json.loads(_script("--format", "json", reading))) == _stable(document)
    assert {(each["check"], each["object"]) for each in document["findings"]} == _EXPECTED


def _document_schema() -> dict[str, Any]:
    """The JSON Schema that docs/output.md gives."""
    text = (_ROOT / "docs" / "output.md").read_text(encoding="utf-8")
    part = text.partition("## `robbieblocks db analyze --format json`")[2]
    schema: dict[str, Any] = json.loads(part.partition("```json\n")[2].partition("```")[0])
    return schema


def _lines(text: str) -> list[str]:
    """Without the first line, whose hit ratio changes with each look."""
    return text.splitlines()[1:]


def _stable(document: dict[str, Any]) -> dict[str, Any]:
    changing = ("table_hit_ratio", "index_hit_ratio", "bytes")
    document["database"] = {
        name: value for name, value in document["database"].items() if name not in changing
    }
    return document


def test_a_new_database_has_no_fault(unified_database: str) -> None:
    """The schema as the files make it: what is told is that statements are not known."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        found = maintenance.analyze(connection).findings
    assert [each.check for each in found] == ["statements unknown"]


def test_what_row_level_security_hides_is_said(databases: Databases) -> None:
    """Without statistics no bloat of a table is estimated; the first line says of how many."""
    with databases.copy() as conninfo, psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in (
            "CREATE TABLE notes (id integer PRIMARY KEY, words text)",
            "INSERT INTO notes SELECT n, repeat('x', 100) FROM generate_series(1, 20000) n",
            "DELETE FROM notes WHERE id % 10 <> 0",
            "VACUUM (ANALYZE) notes",
            "ALTER TABLE notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        ):
            connection.execute(statement.encode())
        found = maintenance.analyze(connection)
        assert "bloat estimated of 0 of 1 tables" in found.database.what
        assert "BYPASSRLS" in found.database.remedy
        with psycopg.connect(as_superuser(conninfo), autocommit=True) as superuser:
            found = maintenance.analyze(superuser)
        assert "bloated table" in {each.check for each in found.findings}
        assert found.database.remedy == ""


def test_slow_statements_are_told_where_the_extension_is(tmp_path: Path) -> None:
    """On a server that has loaded it: from another schema too, and without texts of others."""
    with embedded.server(tmp_path, progress=lambda _: None) as conninfo:
        _run(
            as_superuser(conninfo), "ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements"
        )
    # The server stops with the last that uses it, and has loaded the library when it is back.
    with (tmp_path / "postgres" / "keeper").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    with embedded.server(tmp_path, progress=lambda _: None) as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            (before,) = maintenance.analyze(connection).findings
        assert (before.what, before.remedy) == (
            "this database lacks the extension",
            "CREATE EXTENSION pg_stat_statements",
        )
        _run(
            as_superuser(conninfo),
            'CREATE SCHEMA "its own"',
            'CREATE EXTENSION pg_stat_statements SCHEMA "its own"',
            "SELECT pg_sleep(0.03)",
        )
        with psycopg.connect(as_superuser(conninfo), autocommit=True) as connection:
            found = maintenance.analyze(connection).findings
        slow = next(each for each in found if "pg_sleep" in each.what)
        assert slow.check == "slow statement"
        assert slow.measures["mean_ms"] >= 30
        assert "pg_sleep" in _script(as_superuser(conninfo))
        _run(as_superuser(conninfo), 'GRANT USAGE ON SCHEMA "its own" TO robbieblocks')
        with psycopg.connect(conninfo, autocommit=True) as connection:
            hidden = maintenance.analyze(connection).findings
        assert "GRANT pg_read_all_stats TO robbieblocks shows its text" in {
            each.remedy for each in hidden
        }


def _run(conninfo: str, *statements: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
