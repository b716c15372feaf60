"""`python -m tools.fill_schema`: rows for every table, which fit each other and keep to a town."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.sql import SQL, Composed, Identifier

from robbieblocks.settings import resource_dir
from tests.databases import Databases
from tools.fill_schema import NotEmptyError, catalogue, fill

pytestmark = pytest.mark.postgres

_RULES = resource_dir("schema") / "scripts" / "validate-schema.sql"
_ROWS = 10_000
# Every reference between two tables that each say of which town their rows are.
_ACROSS = """
    SELECT c.relname, a.attname, target.relname, f.attname
      FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_class target ON target.oid = k.confrelid AND target.relname <> 'towns'
      JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
      JOIN pg_attribute f ON f.attrelid = k.confrelid AND f.attnum = k.confkey[1]
     WHERE k.contype = 'f' AND 2 = (SELECT count(*) FROM pg_attribute t
                                     WHERE t.attrelid IN (c.oid, target.oid) AND c <> target
                                       AND t.attname = 'town_id' AND t.atttypid = 'uuid'::regtype)
"""


@pytest.fixture(scope="module")
def filled(databases: Databases, unified_template: str) -> Iterator[str]:
    """The conninfo of a database with about 10,000 rows of two towns."""
    with databases.copy(unified_template) as conninfo:
        with psycopg.connect(conninfo, autocommit=True) as connection:
            fill(connection, _ROWS, vectors=4)
        yield conninfo


@pytest.fixture
def owner(filled: str) -> Iterator[Connection]:
    """The owner's session, for all towns."""
    with psycopg.connect(filled, autocommit=True) as connection:
        connection.execute("SET app.town = '*'")
        yield connection


def _number(connection: Connection, query: Composed | str) -> int:
    row = connection.execute(query.encode() if isinstance(query, str) else query).fetchone()
    assert row is not None
    return int(row[0])


def test_every_table_has_rows_that_hold(owner: Connection) -> None:
    """No table is empty, and no constraint, reference or rule of the schema is broken."""
    counts = {
        table.name: _number(owner, f"SELECT count(*) FROM {table.name}")
        for table in catalogue.read(owner)
    }
    assert len(counts) > 100
    assert not [name for name, rows in counts.items() if rows < 2]
    assert _ROWS * 0.7 < sum(counts.values()) < _ROWS * 1.5
    assert _number(owner, "SELECT count(*) FROM audit_log") > 100
    assert owner.execute(_RULES.read_bytes()).fetchall() == []
    assert _number(owner, "SELECT count(*) FROM embeddings WHERE embedding IS NOT NULL") == 4


def test_a_towns_rows_lead_to_its_own_alone(owner: Connection) -> None:
    """No reference goes from one town to the other, and each has its half of a table."""
    across = owner.execute(_ACROSS).fetchall()
    assert len(across) > 10
    for table, column, target, key in across:
        query = SQL(
            "SELECT count(*) FROM {} a JOIN {} b ON a.{} = b.{} WHERE a.town_id <> b.town_id"
        )
        assert not _number(owner, query.format(*map(Identifier, (table, target, column, key)))), (
            table,
            column,
        )
    halves = owner.execute("SELECT count(*) FROM messages GROUP BY town_id").fetchall()
    assert len(halves) == 2
    assert halves[0] == halves[1]


def test_the_same_seed_makes_the_same_rows(databases: Databases, unified_template: str) -> None:
    """Over two databases; another seed makes others. A database with towns is refused."""
    said: list[object] = []
    for seed in (7, 7, 8):
        with (
            databases.copy(unified_template) as conninfo,
            psycopg.connect(conninfo, autocommit=True) as connection,
        ):
            fill(connection, 100, seed=seed, vectors=1)
            connection.execute("SET app.town = '*'")
            query = "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM interactions t"
            said.append(connection.execute(query).fetchone())
            with pytest.raises(NotEmptyError):
                fill(connection, 200, seed=9)
    assert said[0] == said[1] != said[2]


def test_the_command_says_what_it_made(databases: Databases, unified_template: str) -> None:
    """A line a table; without the tables, and with towns in them, one line that says so."""

    def run(conninfo: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "tools.fill_schema", "--rows", "200", "--vectors", "0"]
        return subprocess.run([*command, conninfo], capture_output=True, text=True, check=False)

    with databases.copy(unified_template) as conninfo:
        done = run(conninfo)
        assert (done.returncode, done.stderr) == (0, "")
        assert "  companies\n" in done.stdout
        done = run(conninfo)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == "the database has towns already: fill an empty one\n"
    with databases.copy() as conninfo:
        done = run(conninfo)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("no table towns: robbieblocks db init --unified")
