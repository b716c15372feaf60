"""`test-schema-init.sh`: what it says of these files, and of files with a fault each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.database import embedded
from robbieblocks.settings import resource_dir
from tests.commands import Installation
from tests.databases import Databases
from tests.integration.unified import earlier
from tests.integration.unified.conftest import FILES, as_superuser

pytestmark = pytest.mark.postgres

_SCHEMA = resource_dir("schema")
_LINE = re.compile(r"^(ok|FAIL) +\d+ ms  (.*)$", re.MULTILINE)


@pytest.fixture(scope="session")
def dump(
    databases: Databases, vector_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The dump of an earlier database."""
    file = tmp_path_factory.mktemp("dump") / "earlier.sql"
    with databases.copy(vector_template) as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            earlier.create(connection, as_left=False)
        program = embedded.program("pg_dump")
        assert program is not None
        options = ("--no-owner", "--no-privileges", "--no-comments")
        subprocess.run([program, *options, "-f", file, conninfo], check=True)
    return file


@pytest.fixture
def schema(tmp_path: Path) -> Path:
    """A folder with the scripts, a master script and no file."""
    folder = tmp_path / "schema"
    (folder / "unified-schema").mkdir(parents=True)
    shutil.copytree(_SCHEMA / "scripts", folder / "scripts")
    (folder / "init-unified-schema.sql").write_text("\\set ON_ERROR_STOP on\n")
    return folder


@pytest.fixture
def nothing_left(postgres: str) -> Iterator[None]:
    """The server has the databases afterwards that it had before."""

    def names() -> list[tuple[str]]:
        with psycopg.connect(postgres) as connection:
            return connection.execute("SELECT datname FROM pg_database ORDER BY 1").fetchall()

    before = names()
    yield
    assert names() == before


def _add(schema: Path, name: str, text: str, *, listed: bool = True) -> None:
    (schema / "unified-schema" / name).write_text(text)
    if listed:
        with (schema / "init-unified-schema.sql").open("a") as master:
            master.write(f"\\ir unified-schema/{name}\n")


def _run(schema: Path, *arguments: str | Path) -> tuple[int, dict[str, str], str]:
    """Its code, each line's outcome by what it says, and all that it printed."""
    done = subprocess.run(
        [schema / "scripts" / "test-schema-init.sh", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = {what: outcome for outcome, what in _LINE.findall(done.stdout)}
    return done.returncode, lines, done.stdout + done.stderr


def test_every_file_holds_over_nothing_alone_again_and_over_an_earlier_database(
    postgres: str, vector_template: str, dump: Path, tmp_path: Path, nothing_left: None
) -> None:
    """The command has a line for each, none of which fails, and drops what it made."""
    done = Installation(home=tmp_path, database_url=postgres).run(
        "db", "test", "--earlier", dump, "--template", vector_template
    )
    lines = {what: outcome for outcome, what in _LINE.findall(done.out)}
    assert (done.code, done.err, set(lines.values())) == (0, "", {"ok"}), done
    for file in FILES:
        assert any(what.startswith(f"{file.name} alone") for what in lines)
    assert lines.keys() >= {
        "a new database: again, and nothing changes",
        "the earlier database: every row is there",
        "the earlier database: again, and nothing changes",
    }
    assert re.search(r"\d+ steps in \d+ ms, 0 failed; a new database has .*\d+ tables", done.out)


def test_a_file_that_changes_something_each_time_is_found(
    postgres: str, schema: Path, nothing_left: None
) -> None:
    """What a second run adds is shown, and so is what validate-schema.sh finds."""
    _add(
        schema,
        "22-notes.sql",
        """
        CREATE TABLE IF NOT EXISTS notes (id integer, seen timestamp);
        CREATE INDEX ON notes (id);
        """,
    )
    code, lines, said = _run(schema, postgres)
    assert code == 1
    assert lines["a new database: again, and nothing changes"] == "FAIL"
    assert "> index|notes_id_idx1|" in said
    assert lines["a new database: validate-schema.sh"] == "FAIL"
    assert "time without a zone: notes.seen" in said
    assert lines["22-notes.sql alone"] == "ok"


def test_a_file_that_fails_the_second_time_is_found(
    postgres: str, schema: Path, nothing_left: None
) -> None:
    """A second run that changes nothing because it fails is no success."""
    _add(schema, "22-notes.sql", "CREATE TABLE notes (id integer);")
    _, lines, said = _run(schema, postgres)
    assert lines["a new database: again, and nothing changes"] == "FAIL"
    assert 'relation "notes" already exists' in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SELECT 1 / 0;", "the error has no hint"),
        (
            "CREATE TABLE half (id integer); DO $$ BEGIN "
            "RAISE EXCEPTION 'no' USING HINT = 'Apply 01.'; END $$;",
            "it left these things behind",
        ),
        ("\\set ON_ERROR_STOP off\nSELECT 1 / 0; SELECT 2 / 0;", "this is not one error"),
    ],
)
def test_a_file_that_refuses_badly_alone_is_found(
    text: str, told: str, postgres: str, schema: Path, nothing_left: None
) -> None:
    """It must have one error with a hint, and leave nothing."""
    _add(schema, "22-notes.sql", text, listed=False)
    code, lines, said = _run(schema, postgres)
    assert code == 1
    assert lines["init-unified-schema.sql names every file"] == "FAIL"
    assert lines["22-notes.sql alone"] == "FAIL"
    assert told in said


def test_rows_that_are_lost_or_changed_are_found(
    postgres: str, schema: Path, tmp_path: Path, nothing_left: None
) -> None:
    """A deleted row, a changed value, a table that is gone; a time that gets a zone is none."""
    dump = tmp_path / "dump.sql"
    dump.write_text(
        """
        CREATE TABLE gone (id integer);
        CREATE TABLE fewer (id integer);
        INSERT INTO fewer VALUES (1), (2);
        CREATE TABLE other (id integer, word text);
        INSERT INTO other VALUES (1, 'a'), (2, NULL);
        CREATE TABLE same (id integer, seen timestamp);
        INSERT INTO same VALUES (1, '2024-01-01 12:00');
        """
    )
    _add(
        schema,
        "22-all.sql",
        """
        ALTER TABLE IF EXISTS same ALTER seen TYPE timestamptz USING seen AT TIME ZONE 'UTC';
        ALTER TABLE IF EXISTS same ADD IF NOT EXISTS more integer DEFAULT 7;
        SELECT to_regclass('other') IS NOT NULL AS earlier \\gset
        \\if :earlier
        DELETE FROM fewer WHERE id = 1;
        UPDATE other SET word = 'b' WHERE id = 2;
        \\endif
        """,
    )
    _, lines, said = _run(schema, postgres, "--earlier", dump)
    assert lines["the earlier database: every row is there"] == "FAIL"
    assert set(re.findall(r"[<>] (\w+\|\d+)\|", said)) == {"fewer|2", "fewer|1", "other|2"}
    _add(schema, "22-all.sql", "DROP TABLE IF EXISTS gone;", listed=False)
    _, lines, said = _run(schema, postgres, "--earlier", dump)
    assert lines["the earlier database: every row is there"] == "FAIL"
    assert 'relation "gone" does not exist' in said


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"PGDMP\x01\x0e", "pg_restore --no-owner"),
        (b"--\nDROP DATABASE robbieverse;\n", "names a database of its own in line 2"),
        (b"\\connect robbieverse\n", "names a database of its own in line 1"),
        (b"SELECT 1 / 0;", "write the dump with pg_dump --no-owner"),
        (None, "there is no such file"),
    ],
)
def test_a_dump_that_can_not_be_tried_is_refused(
    text: bytes | None, told: str, postgres: str, schema: Path, tmp_path: Path, nothing_left: None
) -> None:
    """It says how to write one that can; nothing that the dump names is touched."""
    if text is not None:
        (tmp_path / "dump.sql").write_bytes(text)
    code, _, said = _run(schema, postgres, "--earlier", tmp_path / "dump.sql")
    assert code == (1 if text == b"SELECT 1 / 0;" else 2)
    assert told in said


def test_without_the_right_to_make_databases_it_names_it(
    empty_database: str, schema: Path, nothing_left: None
) -> None:
    """One error with the statement that gives the right; the same where no server answers."""
    with psycopg.connect(as_superuser(empty_database), autocommit=True) as connection:
        connection.execute("CREATE ROLE test_init LOGIN")
        try:
            code, lines, said = _run(schema, make_conninfo(empty_database, user="test_init"))
        finally:
            connection.execute("DROP ROLE test_init")
    assert (code, lines) == (2, {})
    assert "ALTER ROLE test_init CREATEDB" in said
    code, lines, said = _run(schema, "-h", "/nowhere")
    assert (code, lines) == (2, {})
    assert "no database can be reached" in said
