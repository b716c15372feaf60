"""Secrets from the command to the row: stored, read, rotated, and readable nowhere else."""

from __future__ import annotations

import io
import subprocess
import sys
import uuid
from collections.abc import Iterator

import psycopg
import pytest
import typer
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from robbieblocks import failpoints, sealed_secrets
from robbieblocks.cli.database import secrets as command
from robbieblocks.errors import ContentError, RightsMissing, SchemaOutdated, UsageError
from robbieblocks.sealed_secrets import VARIABLE, Keyring, SecretName, new_key
from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_VALUE = "hunter2-\u00e4\t-----"
_NAME = SecretName(service="mail", key_name="token")


def _keys(monkeypatch: pytest.MonkeyPatch, *entries: str) -> Keyring:
    monkeypatch.setenv(VARIABLE, " ".join(entries))
    return Keyring.from_environment()


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Keyring:
    """A keyring of one new key, in the environment too."""
    return _keys(monkeypatch, new_key())


@pytest.fixture
def connection(unified_database: str) -> Iterator[Connection]:
    """The owner's connection to a database with every file applied, in autocommit."""
    with psycopg.connect(unified_database, autocommit=True) as opened:
        yield opened


def test_a_command_stores_and_prints_a_value_that_nobody_else_reads(
    unified_database: str, keyring: Keyring
) -> None:
    """Through pipes, byte for byte; it stands in no row, log entry or message."""
    base = [sys.executable, "-m", "robbieblocks", "secrets"]
    where = ["mail", "token", "--database-url", unified_database]

    def run(what: str, given: str = "") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*base, what, *where], input=given.encode(), capture_output=True, check=True
        )

    with psycopg.connect(as_superuser(unified_database), autocommit=True) as watching:
        stored = run("set", _VALUE + "\n")
        got = run("get")
        assert got.stdout == _VALUE.encode()
        assert stored.stdout.startswith(b"stored mail/token, sealed by ")
        told = stored.stdout + stored.stderr + got.stderr
        assert b"hunter2" not in told
        rows = watching.execute(
            """
            SELECT to_jsonb(s)::text FROM secrets s
             UNION ALL SELECT to_jsonb(a)::text FROM audit_log a
            """
        ).fetchall()
    assert len(rows) == 2
    assert "hunter2" not in str(rows)


def test_what_a_session_sends_has_no_value(connection: Connection, keyring: Keyring) -> None:
    """The statement that the server shows as running has neither the value nor what is stored."""
    sealed_secrets.put(connection, _NAME, _VALUE, keyring)
    with psycopg.connect(as_superuser(connection.info.dsn)) as watching:
        (query,) = watching.execute(
            "SELECT query FROM pg_stat_activity WHERE pid = %s", [connection.info.backend_pid]
        ).fetchone() or ("",)
    assert "INSERT INTO secrets" in query
    assert "hunter2" not in query
    assert "rbs1" not in query


def test_a_secret_is_set_replaced_listed_and_removed(
    connection: Connection, keyring: Keyring
) -> None:
    """One of a town and a global one of the same name are two; without one it says so."""
    connection.execute("INSERT INTO towns (name, display_name) VALUES ('aurora', 'Aurora')")
    town = SecretName(service="mail", key_name="token", scope="town", scope_id="aurora")
    assert sealed_secrets.put(connection, _NAME, "one", keyring)
    assert not sealed_secrets.put(connection, _NAME, "two", keyring)
    assert sealed_secrets.put(connection, town, "three", keyring)
    assert sealed_secrets.get(connection, _NAME, keyring) == "two"
    assert sealed_secrets.get(connection, town, keyring) == "three"
    found = sealed_secrets.listed(connection)
    assert [(each.name, each.key_id) for each in found] == [
        (_NAME, keyring.first),
        (town, keyring.first),
    ]
    sealed_secrets.delete(connection, _NAME)
    for call in (
        lambda: sealed_secrets.get(connection, _NAME, keyring),
        lambda: sealed_secrets.delete(connection, _NAME),
    ):
        with pytest.raises(ContentError, match="secret mail/token: there is none"):
            call()
    for scope, scope_id in (("town", "nowhere"), ("user", str(uuid.uuid4()))):
        nobodys = SecretName(service="a", key_name="b", scope=scope, scope_id=scope_id)
        with pytest.raises(UsageError, match=f"there is no {scope} {scope_id}"):
            sealed_secrets.put(connection, nobodys, "x", keyring)


def test_a_value_that_was_moved_in_the_database_does_not_open(
    connection: Connection, keyring: Keyring
) -> None:
    """Who may write rows, but has no key, can't have another secret's value read as his."""
    other = SecretName(service="other", key_name="token")
    sealed_secrets.put(connection, _NAME, _VALUE, keyring)
    sealed_secrets.put(connection, other, "x", keyring)
    connection.execute(
        """
        UPDATE secrets SET key_value_encrypted = (SELECT key_value_encrypted FROM secrets
                                                   WHERE service = 'mail') WHERE service = 'other'
        """
    )
    with pytest.raises(ContentError, match="altered or moved"):
        sealed_secrets.get(connection, other, keyring)


def test_a_rotation_that_was_killed_is_done_by_the_next(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile both keys open, and what was set anew stays; in the end the old key can go."""
    old, new = new_key(), new_key()
    before = _keys(monkeypatch, old)
    names = [SecretName(service=f"s{number}", key_name="k") for number in range(4)]
    for name in names:
        sealed_secrets.put(connection, name, name.service, before)
    both = _keys(monkeypatch, new, old)

    def kill(_step: str) -> None:
        monkeypatch.setattr(failpoints, "hook", set_anew)
        raise KeyboardInterrupt

    def set_anew(_step: str) -> None:
        # With the old key still, by a program that was not restarted yet.
        monkeypatch.setattr(failpoints, "hook", lambda _step: None)
        sealed_secrets.put(connection, names[2], "anew", before)

    monkeypatch.setattr(failpoints, "hook", kill)
    with pytest.raises(KeyboardInterrupt):
        sealed_secrets.rotate(connection, both)
    assert [each.key_id for each in sealed_secrets.listed(connection)] == [
        both.first,
        *[before.first] * 3,
    ]
    values = [sealed_secrets.get(connection, name, both) for name in names]
    assert values == ["s0", "s1", "s2", "s3"]
    assert sealed_secrets.rotate(connection, both).rotated == 2
    assert sealed_secrets.get(connection, names[2], both) == "anew"
    assert sealed_secrets.rotate(connection, both).rotated == 1
    after = _keys(monkeypatch, new)
    values = [sealed_secrets.get(connection, name, after) for name in names]
    assert values == ["s0", "s1", "anew", "s3"]
    assert sealed_secrets.rotate(connection, after) == sealed_secrets.Rotation(0, ())


def test_what_can_not_be_rotated_stays_and_is_named(
    unified_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A row from before that is plain text, and one whose key is gone; the others are rotated."""
    lost, old, new = (new_key() for _ in range(3))
    with psycopg.connect(as_superuser(unified_database), autocommit=True) as administrator:
        administrator.execute(
            """
            ALTER TABLE secrets DISABLE TRIGGER secrets_refuse_plain;
            ALTER TABLE secrets DROP CONSTRAINT secrets_sealed_check;
            INSERT INTO secrets (service, key_name, key_value_encrypted)
            VALUES ('before', 'k', 'hunter2');
            """
        )
        for service, entry in {"lost": lost, "kept": old}.items():
            name = SecretName(service=service, key_name="k")
            sealed_secrets.put(administrator, name, _VALUE, _keys(monkeypatch, entry))
    _keys(monkeypatch, new, old)
    with pytest.raises(typer.Exit) as ended:
        command.rotate(database_url=unified_database)
    assert ended.value.exit_code == 1
    told = capsys.readouterr()
    assert told.out == f"1 secret sealed anew by {new.partition(':')[0]}\n"
    assert "secret before/k: it is not sealed" in told.err
    assert f"secret lost/k: the key {lost.partition(':')[0]} is not there" in told.err
    assert "hunter2" not in told.out + told.err


def test_a_town_sets_its_own_secret_and_no_others(
    towns: str, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own role: a global one is refused with what is missing, another town is not there."""
    url = make_conninfo(towns, user="test_fluenti")
    monkeypatch.setattr(sys, "stdin", io.StringIO("x"))
    command.put("mail", "token", town="fluenti", user=None, database_url=url)
    monkeypatch.setattr(sys, "stdin", io.StringIO("x"))
    with pytest.raises(RightsMissing, match="row-level security"):
        command.put("mail", "token", town=None, user=None, database_url=url)
    monkeypatch.setattr(sys, "stdin", io.StringIO("x"))
    with pytest.raises(UsageError, match="there is no town aurora"):
        command.put("mail", "token", town="aurora", user=None, database_url=url)


def test_the_next_town_of_a_name_has_no_secret_of_the_one_before(
    connection: Connection, keyring: Keyring
) -> None:
    """It goes with its town, and a town that is not there yet has none."""
    make = "INSERT INTO towns (name, display_name) VALUES ('aurora', 'Aurora')"
    town = SecretName(service="mail", key_name="token", scope="town", scope_id="aurora")
    connection.execute(make)
    sealed_secrets.put(connection, town, "x", keyring)
    connection.execute("DELETE FROM towns")
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        connection.execute(
            "INSERT INTO secrets (service, key_name, scope, scope_id, key_value_encrypted)"
            " VALUES ('mail', 'token', 'town', 'aurora', 'rbs1:a:' || repeat('x', 40))"
        )
    connection.execute(make)
    with pytest.raises(ContentError, match="there is none"):
        sealed_secrets.get(connection, town, keyring)


def test_a_row_from_before_in_a_secrets_place_is_told(
    connection: Connection, keyring: Keyring
) -> None:
    """Its scope is none, so it is not the secret, and yet nothing else can stand there."""
    connection.execute(
        """
        ALTER TABLE secrets DROP CONSTRAINT secrets_scope_check;
        INSERT INTO secrets (service, key_name, scope, key_value_encrypted)
        VALUES ('mail', 'token', NULL, 'rbs1:a:' || repeat('x', 40));
        """
    )
    with pytest.raises(ContentError, match="has its place"):
        sealed_secrets.put(connection, _NAME, _VALUE, keyring)


def test_wrong_use_is_told(
    keyring: Keyring, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing piped in, a user that is no uuid, two whose it is, a database without the table."""
    for given, service, town, user, said in (
        ("", "mail", None, None, "the value is empty"),
        ("\n", "mail", None, None, "the value is empty"),
        ("x", "", None, None, "neither may be empty"),
        ("x", "mail", None, "me", "is a uuid"),
        ("x", "mail", "aurora", str(uuid.uuid4()), "leave out --town or --user"),
    ):
        monkeypatch.setattr(sys, "stdin", io.StringIO(given))
        with pytest.raises(UsageError, match=said):
            command.put(service, "token", town=town, user=user, database_url=empty_database)
    monkeypatch.setattr(sys, "stdin", io.StringIO("x"))
    with pytest.raises(SchemaOutdated, match="db upgrade --unified"):
        command.put("mail", "token", town=None, user=None, database_url=empty_database)
