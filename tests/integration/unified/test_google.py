"""What is synced from Google: who reads whose mail, dates and files, and who may change that."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.integration.unified import sessions
from tests.integration.unified.conftest import FILES, apply, as_superuser

pytestmark = pytest.mark.postgres

# Sam has an account in aurora, and is no user here.
_ACCOUNTS = """
    INSERT INTO google_workspace_domains
           (domain, display_name, service_account_email, service_account_key_path, client_id,
            town_id)
    SELECT name || '.example', name, 'sync', '/etc/keys/' || name, '1', uid FROM towns;
    INSERT INTO google_workspace_users (id, domain_id, email)
    SELECT md5(p.name)::uuid, d.id, p.name
      FROM (VALUES ('Ann', 'aurora'), ('bob', 'aurora'), ('sam', 'aurora'), ('flo', 'fluenti'))
           AS p (name, town)
      JOIN google_workspace_domains d ON d.display_name = p.town;
    INSERT INTO gmail_messages (id, user_id, message_id, subject)
    SELECT id, id, 'm', lower(email) FROM google_workspace_users;
    INSERT INTO gmail_attachments (message_id, attachment_id, filename)
    SELECT id, 'a', lower(email) FROM google_workspace_users;
    INSERT INTO calendar_events (user_id, event_id, calendar_id, title, start_time, end_time,
                                 visibility)
    SELECT id, v, 'primary', v || lower(email), now() + interval '1 h', now() + interval '2 h', v
      FROM google_workspace_users, unnest('{default,private}'::text[]) AS v;
    INSERT INTO drive_files (user_id, file_id, name, size_bytes)
    SELECT id, 'f', lower(email), 10 FROM google_workspace_users;
    INSERT INTO google_tasks (user_id, task_id, task_list_id, title)
    SELECT id, 't', 'l', lower(email) FROM google_workspace_users;
    INSERT INTO google_contacts (user_id, contact_id, full_name)
    SELECT id, 'c', lower(email) FROM google_workspace_users;
    INSERT INTO gmail_messages (message_id, subject) VALUES ('m', 'of no account');
"""
_NAMED = {
    "gmail_messages": "subject",
    "gmail_attachments": "filename",
    "calendar_events": "title",
    "drive_files": "name",
    "google_tasks": "title",
    "google_contacts": "full_name",
}
_KINDS = ("gmail", "calendar", "drive", "tasks", "contacts")


@pytest.fixture
def accounts(unified_database: str) -> Iterator[str]:
    """A database with accounts in two towns, each with a row of every kind."""
    with sessions.two_towns(unified_database) as conninfo:
        with psycopg.connect(as_superuser(conninfo)) as connection:
            connection.execute(_ACCOUNTS)
        yield conninfo


def _read(connection: Connection) -> dict[str, list[str]]:
    """What the session reads, by table; tables of which it reads nothing are left out."""
    found = {
        table: sorted(
            name for (name,) in connection.execute(f"SELECT {column} FROM {table}".encode())
        )
        for table, column in _NAMED.items()
    }
    return {table: names for table, names in found.items() if names}


def _own(name: str) -> dict[str, list[str]]:
    return {table: [name] for table in _NAMED} | {
        "calendar_events": [f"default{name}", f"private{name}"]
    }


def _owner(conninfo: str, statement: str) -> int:
    with psycopg.connect(conninfo) as connection:
        connection.execute("SET app.town = '*'")
        return connection.execute(statement.encode()).rowcount


def test_what_is_in_an_account_is_its_persons(accounts: str) -> None:
    """Nobody else reads or changes it: not in the town, not in another, not without a user, and
    not a town's own role, whomever it names."""
    for town, user in (("aurora", "ann"), ("aurora", "bob"), ("fluenti", "flo")):
        with sessions.session(accounts, town, user) as connection:
            assert _read(connection) == _own(user)
            changed = connection.execute("UPDATE gmail_messages SET is_unread = false")
            assert changed.rowcount == 1
            for table in _NAMED:
                column = "message_id" if table == "gmail_attachments" else "user_id"
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"UPDATE {table} SET {column} = md5('sam')::uuid".encode())
        with sessions.session(accounts, town, user, role=sessions.OWN_ROLES[town]) as connection:
            assert _read(connection) == {}
    for town, user in (("aurora", ""), ("aurora", "flo"), ("fluenti", "ann"), ("", "ann")):
        with sessions.session(accounts, town, user) as connection:
            assert _read(connection) == {}
    _owner(accounts, "UPDATE users SET is_active = false")
    with sessions.session(accounts, "aurora", "ann") as connection:
        assert _read(connection) == {}


_TABLES_OF = {
    "gmail": ("gmail_messages", "gmail_attachments"),
    "calendar": ("calendar_events",),
    "drive": ("drive_files",),
    "tasks": ("google_tasks",),
    "contacts": ("google_contacts",),
}
# Of a rule for Bob: whose data, of which kind or all, and whom it lets him read.
_RULES = (
    *(("'ANN'", f"can_view_{kind}", "NULL", {"ann"}) for kind in _KINDS),
    ("NULL", "can_view_drive", "NULL", {"ann", "sam"}),
    ("'ann'", "is_admin_access", "now() + interval '1 h'", {"ann"}),
    ("'flo'", "is_admin_access", "NULL", set[str]()),
    ("NULL", "is_admin_access", "now()", set[str]()),
)


def test_a_rule_lets_somebody_read_what_it_names(accounts: str) -> None:
    """Of that kind, of those people of its domain, until it ends; private dates never; and what
    somebody may read, he may not change. The function that answers for two addresses agrees."""
    for target, right, until, whose in _RULES:
        _owner(
            accounts,
            "INSERT INTO google_data_access_rules"
            f" (domain_id, viewer_email, target_email, {right}, created_at, expires_at)"
            f" SELECT id, 'BOB', {target}, true, now() - interval '1 d', {until}"
            " FROM google_workspace_domains",
        )
        with sessions.session(accounts, "aurora", "bob") as connection:
            expected = _own("bob")
            for kind in _KINDS if right == "is_admin_access" else [right.removeprefix("can_view_")]:
                for table in _TABLES_OF[kind]:
                    prefix = "default" if table == "calendar_events" else ""
                    expected[table] = sorted(
                        [*expected[table], *(f"{prefix}{name}" for name in whose)]
                    )
                for target_name in ("ann", "sam", "flo"):
                    answer = connection.execute(
                        "SELECT can_access_google_data('bob', %s, %s)", [target_name, kind]
                    )
                    assert answer.fetchone() == (target_name in whose,)
            assert _read(connection) == expected, right
            assert connection.execute("DELETE FROM gmail_attachments").rowcount == 1
            assert connection.execute("UPDATE drive_files SET name = name").rowcount == 1
            connection.execute(
                "INSERT INTO gmail_attachments (message_id, attachment_id, filename)"
                " SELECT id, 'a', 'bob' FROM gmail_messages WHERE subject = 'bob'"
            )
        with sessions.session(accounts, "fluenti", "bob") as connection:
            assert not {name for names in _read(connection).values() for name in names} & whose
        _owner(accounts, "DELETE FROM google_data_access_rules")


def test_a_user_with_the_address_in_capitals_gets_nothing(accounts: str) -> None:
    """Of two users whose addresses differ in capitals alone, the first one reads the account."""
    with psycopg.connect(as_superuser(accounts)) as connection:
        connection.execute(
            "UPDATE users SET created_at = now() - interval '1 d' WHERE username = 'ann';"
            "UPDATE users SET email = 'ANN' WHERE username = 'flo'"
        )
    for user, found in (("flo", {}), ("ann", _own("ann"))):
        with sessions.session(accounts, "aurora", user) as connection:
            assert _read(connection) == found


def test_an_accounts_mail_is_found_among_all_others_by_an_index(accounts: str) -> None:
    """What a session may read is looked up, not sifted out of everybody's."""
    with psycopg.connect(as_superuser(accounts)) as connection:
        connection.execute(
            "INSERT INTO google_workspace_users (email) SELECT n FROM generate_series(1, 100) AS n;"
            "INSERT INTO gmail_messages (user_id, message_id)"
            " SELECT u.id, n FROM google_workspace_users u, generate_series(1, 50) AS n;"
            "ANALYZE gmail_messages"
        )
    with sessions.session(accounts, "aurora", "ann") as connection:
        plan = str(connection.execute("EXPLAIN SELECT * FROM gmail_messages").fetchall())
        assert "Seq Scan on gmail_messages" not in plan
        assert "Bitmap Index Scan on gmail_messages_" in plan


def test_rows_of_no_account_are_the_owners(accounts: str) -> None:
    """Rows from before, and accounts of no domain, are seen by the owner with every town alone."""
    assert _owner(accounts, "UPDATE gmail_messages SET user_id = NULL, message_id = id") == 5
    assert _owner(accounts, "UPDATE google_workspace_users SET domain_id = NULL") == 4
    assert _owner(accounts, "UPDATE drive_files SET name = name") == 4
    with sessions.session(accounts, "aurora", "ann") as connection:
        assert _read(connection) == {}


def test_a_person_may_be_open_to_addresses(accounts: str) -> None:
    """Whom data_visible_to names reads data of every kind; the own address is always there."""
    _owner(
        accounts,
        "UPDATE google_workspace_users SET data_visible_to = '{Bob}' WHERE email = 'sam'",
    )
    _owner(accounts, "UPDATE google_workspace_users SET data_visible_to = NULL WHERE email = 'Ann'")
    with sessions.session(accounts, "aurora", "bob") as connection:
        found = _read(connection)
        assert found.pop("calendar_events") == ["defaultbob", "defaultsam", "privatebob"]
        assert {tuple(names) for names in found.values()} == {("bob", "sam")}
        assert connection.execute(
            "SELECT email, data_visible_to FROM google_workspace_users ORDER BY email"
        ).fetchall() == [("Ann", ["Ann"]), ("bob", ["bob"]), ("sam", ["Bob", "sam"])]
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="photos is no kind"):
            connection.execute("SELECT can_access_google_data('bob', 'sam', 'photos')")


def test_nobody_lets_himself_in(accounts: str) -> None:
    """Domains, people and rules are seen by their town, and written by the owner alone; nobody is
    told a user's address for naming the user."""
    tables = {
        "google_workspace_domains": "display_name",
        "google_workspace_users": "email",
        "google_data_access_rules": "viewer_email",
    }
    _owner(
        accounts,
        "INSERT INTO google_data_access_rules (domain_id, viewer_email)"
        " SELECT id, display_name FROM google_workspace_domains",
    )
    for role, connection in sessions.everyones(accounts, "fluenti", "flo"):
        assert sessions.seen(connection, tables) == dict.fromkeys(tables, 1), role
        assert sessions.changed(connection, tables) == {}
        for statement in (
            "INSERT INTO google_data_access_rules (domain_id, viewer_email, can_view_gmail)"
            " SELECT id, 'flo', true FROM google_workspace_domains",
            "INSERT INTO google_workspace_users (domain_id, email)"
            " SELECT id, 'flo2' FROM google_workspace_domains",
            "INSERT INTO google_workspace_domains (domain, display_name, service_account_email,"
            " service_account_key_path, client_id) VALUES ('x', 'x', 'x', '/etc/keys/aurora', 'x')",
            "SELECT google_viewer()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_ids_of_google_are_unique_in_an_account(accounts: str) -> None:
    """All who attend have the same event; in one account, and in none, an id stands once."""
    with psycopg.connect(as_superuser(accounts), autocommit=True) as connection:
        for table in ("gmail_messages", "drive_files", "google_tasks", "google_contacts"):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(
                    f"UPDATE {table} SET user_id = md5('bob')::uuid"
                    " WHERE user_id = md5('sam')::uuid".encode()
                )
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO gmail_messages (message_id) VALUES ('m')")


_REFUSED = {
    """UPDATE google_workspace_domains SET service_account_key_path = '{"private_key": "x"}'""": (
        "google_workspace_domains_key_path_check"
    ),
    "UPDATE google_workspace_domains SET service_account_key_path = 'BEGIN PRIVATE KEY'": (
        "google_workspace_domains_key_path_check"
    ),
    "UPDATE google_workspace_domains SET domain = upper(domain)": (
        "google_workspace_domains_domain_check"
    ),
    "UPDATE gmail_messages SET attachment_count = -1": "gmail_messages_attachment_count_check",
    "UPDATE gmail_attachments SET size_bytes = -1": "gmail_attachments_size_bytes_check",
    "UPDATE drive_files SET size_bytes = -1": "drive_files_size_bytes_check",
    "UPDATE calendar_events SET end_time = start_time - interval '1 s'": (
        "calendar_events_end_check"
    ),
    "UPDATE calendar_events SET status = 'maybe'": "calendar_events_status_check",
    "UPDATE calendar_events SET visibility = 'secret'": "calendar_events_visibility_check",
    "UPDATE google_tasks SET status = 'done'": "google_tasks_status_check",
    "INSERT INTO google_sync_jobs (sync_type, items_new) VALUES ('gmail', -1)": (
        "google_sync_jobs_counts_check"
    ),
    "INSERT INTO google_sync_jobs (sync_type, started_at, completed_at)"
    " VALUES ('gmail', now(), now() - interval '1 s')": "google_sync_jobs_completed_check",
    "INSERT INTO google_data_access_rules (viewer_email, expires_at) VALUES ('x', now())": (
        "google_data_access_rules_expires_check"
    ),
}


def test_what_can_not_be_is_refused(accounts: str) -> None:
    """A key instead of its path, words that Google does not have, sizes below zero."""
    with psycopg.connect(as_superuser(accounts)) as connection:
        for statement, constraint in _REFUSED.items():
            with (
                pytest.raises(psycopg.errors.CheckViolation) as refused,
                connection.transaction(),
            ):
                connection.execute(statement.encode())
            assert refused.value.diag.constraint_name == constraint


def test_a_job_is_started_by_one_worker(accounts: str) -> None:
    """The oldest first; a job whose worker died is started again; a town asks for its own alone."""
    start = "SELECT sync_type, status, started_at = now() FROM google_sync_jobs_start()"
    with sessions.session(accounts, "fluenti") as connection:
        theirs = connection.execute("SELECT id FROM google_workspace_domains").fetchone()
    with sessions.session(accounts, "aurora") as connection:
        connection.execute(
            """
            INSERT INTO google_sync_jobs (domain_id, sync_type, status, started_at, created_at)
            SELECT id, given.*
              FROM google_workspace_domains,
                   (VALUES ('gmail', 'running', now() - interval '2 h', now() - interval '3 h'),
                           ('drive', 'running', now(), now() - interval '2 h'),
                           ('tasks', 'completed', now(), now() - interval '2 h'),
                           ('contacts', 'pending', NULL, now() - interval '1 h')) AS given
            """
        )
        for column, value in (
            ("domain_id", "%s"),
            ("user_id", "md5('flo')::uuid"),
            ("user_id", "NULL"),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    f"INSERT INTO google_sync_jobs (sync_type, {column})"
                    f" VALUES ('gmail', {value})".encode(),
                    theirs if "%" in value else None,
                )
    with sessions.session(accounts, "fluenti") as connection:
        assert connection.execute(start).fetchall() == []
    with (
        sessions.session(accounts, "aurora") as one,
        sessions.session(accounts, "aurora") as other_worker,
    ):
        one.autocommit = other_worker.autocommit = False
        assert one.execute(start).fetchall() == [("gmail", "running", True)]
        assert other_worker.execute(start).fetchall() == [("contacts", "running", True)]
        assert other_worker.execute(start).fetchall() == []


def test_the_summary_counts_what_its_reader_may_read(accounts: str) -> None:
    """Of everybody in the town the owner counts all, a person the own data alone."""
    query = (
        "SELECT email, email_count, unread_email_count, calendar_event_count,"
        " upcoming_event_count, drive_file_count, total_drive_bytes, task_count, open_task_count,"
        " contact_count FROM google_user_activity_summary ORDER BY email"
    )
    full, none = (1, 1, 2, 2, 1, 10, 1, 1, 1), (0,) * 9
    with sessions.session(accounts, "aurora", "ann") as connection:
        assert connection.execute(query).fetchall() == [
            ("Ann", *full),
            ("bob", *none),
            ("sam", *none),
        ]
    with psycopg.connect(accounts) as connection:
        connection.execute("SET app.town = '*'")
        connection.execute(
            "UPDATE calendar_events SET status = 'cancelled' WHERE visibility = 'private';"
            "UPDATE drive_files SET is_trashed = true; UPDATE google_tasks SET is_completed = true"
        )
        assert connection.execute(query).fetchall() == [
            (name, 1, 1, 2, 1, 0, 0, 1, 0, 1) for name in ("Ann", "bob", "flo", "sam")
        ]


def test_who_opened_what_is_in_the_log_and_each_sync_is_not(accounts: str) -> None:
    """Rules, addresses and keys' paths are; the time of the last sync is not."""
    logged = "SELECT FROM audit_log WHERE action = 'UPDATE' AND entity_type LIKE 'google%'"
    for statement in (
        "UPDATE google_workspace_users SET gmail_last_sync = now()",
        "UPDATE google_workspace_domains SET last_sync = now(), sync_status = 'ok'",
    ):
        assert _owner(accounts, statement)
    assert _owner(accounts, logged) == 0
    for statement in (
        "UPDATE google_workspace_users SET data_visible_to = '{bob}' WHERE email = 'sam'",
        "UPDATE google_workspace_domains SET service_account_key_path = 'x' WHERE domain LIKE 'a%'",
    ):
        assert _owner(accounts, statement)
    assert _owner(accounts, logged) == 2


def test_the_earlier_trigger_for_updated_at_goes(unified_database: str) -> None:
    """One trigger sets it, not two."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute(
            """
            CREATE FUNCTION update_google_updated_at() RETURNS trigger LANGUAGE plpgsql
                AS 'BEGIN RETURN NEW; END';
            CREATE TRIGGER trigger_gmail_messages_updated BEFORE UPDATE ON gmail_messages
                FOR EACH ROW EXECUTE FUNCTION update_google_updated_at();
            """
        )
        apply(unified_database, *(file for file in FILES if file.name.startswith("09")))
        assert connection.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'gmail_messages'::regclass"
            " AND NOT tgisinternal"
        ).fetchall() == [("update_gmail_messages_updated_at",)]
