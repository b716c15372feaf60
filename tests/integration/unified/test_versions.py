"""Every file on PostgreSQL 15, 16 and 17, as psql applies them; 18 is what all other tests use."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from robbieblocks.database import schema
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.settings import resource_dir
from tests import postgres_servers

pytestmark = pytest.mark.postgres

_SCHEMA = resource_dir("schema")
_MASTER = _SCHEMA / "init-unified-schema.sql"
_OWNER = "CREATE ROLE plain LOGIN; CREATE DATABASE plain OWNER plain"
_VECTOR = "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"


@pytest.fixture(params=postgres_servers.VERSIONS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[int, bool, str]]:
    """A version, whether its server has pgvector, and a plain role's empty database on it."""
    version = request.param
    with postgres_servers.running(version, tmp_path_factory.mktemp("pg")) as administrator:
        with psycopg.connect(administrator, autocommit=True) as connection:
            assert connection.info.server_version // 10000 == version
            for statement in _OWNER.split("; "):
                connection.execute(statement.encode())
        made = make_conninfo(administrator, dbname="plain")
        with psycopg.connect(made) as connection:
            vectors = connection.execute(_VECTOR).fetchone() == (1,)
            if vectors:
                connection.execute("CREATE EXTENSION vector")
        yield version, vectors, make_conninfo(made, user="plain")


def _psql(conninfo: str, file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["psql", "-X", "-A", "-t", *options, "-d", conninfo, "-f", file],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plain_role_applies_every_file_twice(server: tuple[int, bool, str]) -> None:
    """psql applies all; the program, after it, changes nothing; the rules find nothing."""
    _, vectors, plain = server
    described = _SCHEMA / "scripts" / "describe-schema.sql"
    options = () if vectors else ("-v", "without_vectors=1")
    with psycopg.connect(plain, autocommit=True) as connection:
        if not vectors:
            _refused(server, connection)
        done = _psql(plain, _MASTER, *options)
        assert (done.returncode, done.stderr) == (0, "")
        before = _psql(plain, described).stdout
        assert schema.upgrade(connection, unified=True, vectors=vectors).remaining == ()
        assert _psql(plain, described).stdout == before
        assert schema.unsound(connection, vectors=vectors) == ()
    assert len(before.splitlines()) > 1000
    found = _psql(plain, _SCHEMA / "scripts" / "validate-schema.sql")
    assert (found.stdout, found.stderr) == ("", "")


def _refused(server: tuple[int, bool, str], connection: psycopg.Connection) -> None:
    """File 03 stops the program, which leaves nothing, and psql: with its package and a way on."""
    version, _, plain = server
    with pytest.raises(RobbieBlocksError, match="needs the extension vector"):
        schema.upgrade(connection, unified=True)
    assert _psql(plain, _SCHEMA / "scripts" / "describe-schema.sql").stdout == ""
    done = _psql(plain, _MASTER)
    assert done.returncode == 3
    assert done.stderr.count("ERROR:") == 1
    assert "needs the extension vector, and this server does not have it" in done.stderr
    assert f"Install postgresql-{version}-pgvector" in done.stderr
    assert "-v without_vectors=1" in done.stderr
