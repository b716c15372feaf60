"""What is synced from Slack, for companies of two towns; and which extensions are there."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.integration.unified import sessions
from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_TABLES = {
    "slack_workspaces": "name",
    "slack_channels": "name",
    "slack_users": "email",
    "slack_messages": "text",
}
# Both companies work in the same workspace.
_ROWS = """
    INSERT INTO slack_workspaces (company_id, team_id) SELECT uid, 'T1' FROM companies;
    INSERT INTO slack_channels (company_id, team_id, channel_id)
    SELECT uid, 'T1', 'C1' FROM companies;
    INSERT INTO slack_users (company_id, team_id, user_id, aurora_user_id)
    SELECT c.uid, 'T1', 'U1', u.id FROM companies c, users u WHERE u.username = 'ann';
    INSERT INTO slack_messages (company_id, team_id, channel_id, ts, text)
    SELECT uid, 'T1', 'C1', '1355517523.000005', name FROM companies;
"""


@pytest.fixture
def slack(unified_database: str) -> Iterator[str]:
    """A database in which a company of each of two towns has a row in each table."""
    with sessions.two_towns(unified_database) as conninfo:
        with psycopg.connect(as_superuser(conninfo)) as connection:
            connection.execute(_ROWS.encode())
        yield conninfo


def test_a_companys_slack_is_seen_where_the_company_is(slack: str) -> None:
    """Of the same workspace, each town has its own rows, and none is written for another's."""
    with sessions.session(slack, "fluenti") as connection:
        theirs = connection.execute("SELECT uid FROM companies").fetchone()
    assert theirs
    for role, connection in sessions.everyones(slack, "aurora", "ann"):
        assert sessions.seen(connection, _TABLES) == dict.fromkeys(_TABLES, 1), role
        assert connection.execute("SELECT text FROM slack_messages").fetchall() == [("aurora",)]
        for table in _TABLES:
            for company in (*theirs, None):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"UPDATE {table} SET company_id = %s".encode(), [company])
    with sessions.session(slack, "aurora") as connection:
        assert set(sessions.changed(connection, _TABLES).values()) == {1}
    for town in ("", "*"):
        with sessions.session(slack, town) as connection:
            assert sessions.seen(connection, _TABLES) == {}
    with sessions.session(slack, "fluenti") as connection:
        assert sessions.seen(connection, _TABLES) == dict.fromkeys(_TABLES, 1)


def test_slacks_ids_are_unique_in_a_company(slack: str) -> None:
    """A second row with the same ids is refused, for a company and for none; so is a time that is
    none of Slack's. A person's row outlives the user, and no row the company."""
    with psycopg.connect(as_superuser(slack), autocommit=True) as connection:
        for table, ids in {
            "slack_workspaces": "team_id",
            "slack_channels": "team_id, channel_id",
            "slack_users": "team_id, user_id",
            "slack_messages": "team_id, channel_id, ts",
        }.items():
            for company in ("company_id", "NULL::uuid"):
                with pytest.raises(psycopg.errors.UniqueViolation):
                    connection.execute(
                        f"INSERT INTO {table} (company_id, {ids})"
                        f" SELECT {company}, {ids} FROM {table}".encode()
                    )
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE slack_messages SET ts = '1355517523'")
        connection.execute("DELETE FROM users WHERE username = 'ann'")
        assert connection.execute("SELECT aurora_user_id FROM slack_users").fetchall() == [
            (None,),
            (None,),
        ]
        connection.execute("DELETE FROM companies")
        assert sessions.seen(connection, _TABLES) == {}


def test_a_channel_is_read_in_order_from_the_key(slack: str) -> None:
    """The latest messages of a channel come from an index, without a sort."""
    with psycopg.connect(as_superuser(slack)) as connection:
        connection.execute(
            "INSERT INTO slack_messages (company_id, team_id, channel_id, ts)"
            " SELECT uid, 'T1', 'C' || n % 9, 1400000000 + n || '.000000'"
            " FROM companies, generate_series(1, 2000) AS n; ANALYZE slack_messages"
        )
        plan = connection.execute(
            "EXPLAIN SELECT text FROM slack_messages WHERE company_id ="
            " '00000000-0000-0000-0000-000000000001' AND team_id = 'T1' AND channel_id = 'C1'"
            " ORDER BY ts DESC LIMIT 9"
        ).fetchall()
        assert "Index Scan Backward using slack_messages_" in str(plan)
        assert "Sort" not in str(plan)


def test_the_state_of_extensions_names_what_mends_it(unified_database: str) -> None:
    """What is installed needs nothing; what is not, is old or is used no more needs a statement."""
    query = "SELECT name, remedy FROM extension_status"
    with psycopg.connect(as_superuser(unified_database), autocommit=True) as connection:
        assert connection.execute(query).fetchall() == [
            ("pg_stat_statements", "CREATE EXTENSION pg_stat_statements"),
            ("vector", None),
        ]
        connection.execute("CREATE EXTENSION pg_stat_statements VERSION '1.9'")
        assert connection.execute(query).fetchall() == [
            ("pg_stat_statements", "ALTER EXTENSION pg_stat_statements UPDATE"),
            ("vector", None),
        ]
        connection.execute("ALTER EXTENSION pg_stat_statements UPDATE")
        assert connection.execute(query).fetchall() == [
            ("pg_stat_statements", None),
            ("vector", None),
        ]
