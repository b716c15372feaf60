"""`robbieblocks db migrate-legacy`: what becomes of an archive's rows, and which are refused."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import Connection

from robbieblocks.settings import resource_dir
from tests.commands import Installation, Ran
from tests.integration.unified.conftest import as_superuser
from tests.workers import until

pytestmark = pytest.mark.postgres

_SCRIPT = resource_dir("schema") / "scripts" / "migrate-legacy-data.sql"
_UUID = "11111111-2222-3333-4444-555555555555"
_ARCHIVE = f"""
    SET app.town = '*';
    INSERT INTO towns (name, display_name) VALUES ('aurora', 'Aurora');
    INSERT INTO users (id, username, email, password_hash)
         VALUES (md5('here')::uuid, 'here', 'Here@x.example', 'h');
    CREATE SCHEMA legacy;
    CREATE TABLE legacy.users (id text, email text, name text, password text, hashed_password text,
                               role text, created_at timestamp);
    INSERT INTO legacy.users VALUES
        ('1', 'ann@x.example', 'Ann', 'geheim', NULL, 'Admin', '2023-01-02 03:04'),
        ('2', NULL, 'Bob', NULL, 'x', NULL, NULL),
        ('3', 'here@X.example', 'Else', NULL, 'other', 'admin', NULL),
        ('4', 'cy@x.example', 'Ann', NULL, NULL, NULL, NULL),
        ('{_UUID}', 'di@x.example', NULL, NULL, '$2b$hash', 'boss', NULL);
    CREATE TABLE legacy.conversations (id integer, user_id text, title text, status text);
    INSERT INTO legacy.conversations VALUES (1, '1', 'Talk', 'closed'), (2, '2', 'of Bob', NULL);
    CREATE TABLE legacy.chat_messages (id integer, conversation_id integer, sender text,
                                       message text, sent_at timestamptz);
    INSERT INTO legacy.chat_messages VALUES
        (1, 1, 'Human', 'hi', '2023-01-01Z'), (2, 1, 'bot', ' hello ', '2023-01-01 00:00:05Z'),
        (3, 2, 'bot', 'to Bob', NULL), (4, 1, 'alien', 'x', NULL), (5, 1, 'me', ' ', NULL);
    CREATE TABLE legacy.sticky_notes (id integer, username text, note text, color text,
                                      created_at text);
    INSERT INTO legacy.sticky_notes VALUES
        (1, 'di@x.example', E'milk\\nand eggs', 'yellow', '2023-02-03'),
        (2, 'nobody', 'private', NULL, NULL), (3, NULL, 'for all', NULL, NULL),
        (4, NULL, 'when', NULL, 'soon');
    CREATE TABLE legacy.mood_state (id integer, mood integer, updated_at timestamptz);
    INSERT INTO legacy.mood_state VALUES (1, 6, '2024-01-01Z'), (2, 9, NULL), (3, 2, '2023-01-01Z');
"""
_REFUSED = {
    ("users", "2", "it has no email"),
    ("conversations", "2", "it belongs to the user 2, who is not there"),
    ("chat_messages", "3", "its conversation 2 was not taken"),
    ("chat_messages", "4", "its author is alien, and nobody that messages know"),
    ("chat_messages", "5", "it has no content"),
    ("sticky_notes", "2", "it belongs to the user nobody, who is not there"),
    ("mood_state", "2", "its mood is 9, and not one of 1 to 7"),
}
_IN_AND_OUT = {
    # rows in, added, already there, refused
    "users": (5, 2, 1, 2),
    "conversations": (2, 1, 0, 1),
    "chat_messages": (5, 2, 0, 3),
    "sticky_notes": (4, 2, 0, 2),
    "mood_state": (3, 2, 0, 1),
}


@pytest.fixture
def archive(unified_database: str) -> Iterator[Connection]:
    """A connection of the owner to a database with an archive in the schema legacy."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute(_ARCHIVE.encode())
        yield connection


@pytest.fixture
def command(unified_database: str, tmp_path: Path) -> Installation:
    """The command line with that database."""
    return Installation(home=tmp_path, database_url=unified_database)


def _numbers(ran: Ran) -> dict[str, tuple[int, ...]]:
    lines = re.findall(r"^ \w+ +\| (\w+) +\|([ \d|]+)$", ran.out, re.MULTILINE)
    return {name: tuple(map(int, numbers.split("|"))) for name, numbers in lines}


def _rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return connection.execute(query.encode()).fetchall()


def _everything(connection: Connection) -> list[tuple[object, ...]]:
    return _rows(
        connection,
        " UNION ALL ".join(
            f"SELECT '{name}', to_jsonb(t)::text FROM {name} t"
            for name in (
                "users",
                "conversations",
                "messages",
                "ai_memories",
                "ai_personality_state",
                "ai_state_history",
                "audit_log",
            )
        )
        + " ORDER BY 1, 2",
    )


def test_what_can_be_taken_is_taken_and_the_rest_is_named(
    archive: Connection, command: Installation
) -> None:
    """Rows in and out of each table; each refused row with its reason; code 3 for those."""
    ran = command.run("db", "migrate-legacy", "--town", "aurora")
    assert ran.code == 3
    assert _numbers(ran) == _IN_AND_OUT
    told = re.findall(r"^ (\w+) +\| (\S+) *\| (.*)$", ran.out, re.MULTILINE)
    assert {tuple(map(str.strip, row)) for row in told} >= _REFUSED
    assert "users_username_key" in ran.out
    assert '"soon"' in ran.out
    assert "9 rows were refused" in ran.err
    assert _rows(archive, "SELECT username, password_hash, role FROM users ORDER BY 1") == [
        ("Ann", "!", "admin"),
        ("di", "$2b$hash", "user"),
        ("here", "h", "user"),
    ]
    assert _rows(archive, "SELECT id::text FROM users WHERE username = 'di'") == [(_UUID,)]
    assert _rows(archive, "SELECT created_at::text FROM users WHERE username = 'Ann'") == [
        ("2023-01-02 03:04:00+00",)
    ]
    owned = "SELECT u.username, {} FROM {} t LEFT JOIN users u ON u.id = t.user_id ORDER BY 2"
    assert _rows(archive, owned.format("title, status, message_count", "conversations")) == [
        ("Ann", "Talk", "archived", 2)
    ]
    assert _rows(archive, "SELECT role, content FROM messages ORDER BY created_at") == [
        ("user", "hi"),
        ("assistant", " hello "),
    ]
    assert _rows(archive, owned.format("content, subject, contextual_tags", "ai_memories")) == [
        (None, "for all", "for all", ["sticky-note"]),
        ("di", "milk\nand eggs", "milk", ["sticky-note", "yellow"]),
    ]
    assert _rows(
        archive, "SELECT current_mood FROM ai_personality_state WHERE personality_id = 'robbie'"
    ) == [(6,)]
    assert not [row for row in _everything(archive) if "geheim" in str(row)]
    of_town = "SELECT DISTINCT t.name FROM {} r LEFT JOIN towns t ON t.uid = r.town_id"
    for table in ("conversations", "messages", "ai_memories"):
        assert _rows(archive, of_town.format(table)) == [("aurora",)]


def test_again_it_takes_what_was_mended_and_nothing_twice(
    archive: Connection, command: Installation
) -> None:
    """What was taken is there already; a user who got an address brings his conversation."""
    command.run("db", "migrate-legacy")
    before = _everything(archive)
    ran = command.run("db", "migrate-legacy")
    assert {name: (n[1], n[1] + n[2]) for name, n in _numbers(ran).items()} == {
        name: (0, n[1] + n[2]) for name, n in _IN_AND_OUT.items()
    }
    assert _everything(archive) == before
    archive.execute("UPDATE legacy.users SET email = 'bob@x.example' WHERE id = '2'")
    ran = command.run("db", "migrate-legacy")
    assert {name: numbers[1] for name, numbers in _numbers(ran).items()} == {
        "users": 1,
        "conversations": 1,
        "chat_messages": 1,
        "sticky_notes": 0,
        "mood_state": 0,
    }


def test_a_dry_run_says_the_same_and_changes_nothing(
    archive: Connection, command: Installation
) -> None:
    """Neither a row nor a table of the archive."""
    before = _everything(archive)
    ran = command.run("db", "migrate-legacy", "--dry-run")
    assert ran.code == 0
    assert _numbers(ran) == _IN_AND_OUT
    assert "a dry run: nothing was changed" in ran.out
    assert _everything(archive) == before
    assert _rows(archive, "SELECT to_regclass('legacy.robbieblocks_migrated')") == [(None,)]


def test_killed_in_the_middle_the_next_run_goes_on(
    archive: Connection, command: Installation, unified_database: str
) -> None:
    """What was taken a thousand rows at a time stays, and is not taken again."""
    archive.execute(
        "TRUNCATE legacy.users; INSERT INTO legacy.users (id, email)"
        " SELECT lpad(n::text, 5, '0'), n || '@x.example' FROM generate_series(1, 1500) n"
    )
    with psycopg.connect(unified_database) as other:
        # The run waits for this user, whose name it wants.
        other.execute("INSERT INTO users VALUES (md5('1200')::uuid, '1200', 'y', 'h')")
        with subprocess.Popen(
            ["psql", "-X", unified_database, "-f", _SCRIPT],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PGAPPNAME": "migration"},
        ) as process:
            waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = 'migration'"
            until(lambda: _rows(archive, f"{waiting} AND wait_event_type = 'Lock'"))
            process.send_signal(signal.SIGKILL)
            archive.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS p".encode())
            until(lambda: not _rows(archive, waiting))
        other.rollback()
    assert _rows(archive, "SELECT count(*) FROM users") == [(1001,)]
    ran = command.run("db", "migrate-legacy")
    assert _numbers(ran)["users"] == (1500, 500, 1000, 0)


def test_the_work_grows_with_the_rows_alone(archive: Connection, unified_database: str) -> None:
    """A user's address is read from the row once, not again for each user who is there."""
    archive.execute(
        "TRUNCATE legacy.users, legacy.conversations, legacy.chat_messages, legacy.sticky_notes,"
        " legacy.mood_state; INSERT INTO legacy.users (id, email)"
        " SELECT n::text, n || '@x.example' FROM generate_series(1, 200) n"
    )
    calls = "SELECT 'calls', calls FROM pg_stat_user_functions WHERE funcname = 'told'"
    queries = ("-c", "SELECT pg_stat_force_next_flush()", "-c", calls)
    done = subprocess.run(
        ["psql", "-X", "-A", "-t", as_superuser(unified_database), "-f", _SCRIPT, *queries],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PGOPTIONS": "-c track_functions=all"},
    )
    (counted,) = re.findall(r"^calls\|(\d+)$", done.stdout, re.MULTILINE)
    assert 200 <= int(counted) < 20 * 200


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        ("", ("--archive", "no'where"), "there is no schema no'where"),
        ("", ("--town", "nowhere"), "there is no town nowhere"),
        ("", ("--archive", "public"), "the unified schema's table users is missing"),
        ("DROP TABLE messages", (), "the unified schema's table messages is missing"),
        (
            "CREATE TABLE legacy.app_users (id integer)",
            (),
            "the archive has several tables of users: users, app_users",
        ),
        (
            "SELECT pg_advisory_lock(hashtext('migrate-legacy-data'))",
            (),
            "another session takes rows",
        ),
    ],
)
def test_what_it_can_not_begin_with_is_said(
    change: str, options: tuple[str, ...], told: str, archive: Connection, command: Installation
) -> None:
    """One error with a hint, and no row."""
    if change:
        archive.execute(change.encode())
    ran = command.run("db", "migrate-legacy", *options)
    assert ran.code == 3
    assert told in ran.err
    assert ran.err.count("ERROR:") == ran.err.count("HINT:") == 1
    assert _rows(archive, "SELECT count(*) FROM users") == [(1,)]
