"""The tables of the sync: what they tell, and that only the owner sees what waits."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import FILES, apply

pytestmark = pytest.mark.postgres

_WAITING = """
    INSERT INTO pending_sync (table_name, operation, data)
         SELECT name, 'INSERT', '{"secret": "of a town"}' FROM unnest(%s::text[]) AS name
"""


def _status(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT table_name, last_sync_at = now(), last_sync_record_count, last_error"
        " FROM sync_status ORDER BY table_name"
    ).fetchall()


def test_sync_status_answers_how_far_each_table_is(unified_database: str) -> None:
    """A statement that settles changes is counted, an error stands until the next success."""
    with psycopg.connect(unified_database) as connection:
        assert _status(connection) == []
        connection.execute(_WAITING, [["deals", "deals", "contacts"]])
        assert _status(connection) == []
        connection.execute("UPDATE pending_sync SET synced_at = now() WHERE table_name = 'deals'")
        connection.execute(
            "UPDATE pending_sync SET error = 'no answer', retry_count = 1"
            " WHERE table_name = 'contacts'"
        )
        assert _status(connection) == [
            ("contacts", None, 0, "no answer"),
            ("deals", True, 2, None),
        ]
        # What does not settle anything counts for nothing.
        connection.execute("UPDATE pending_sync SET priority = 1")
        connection.execute(
            "UPDATE pending_sync SET synced_at = now() WHERE table_name = 'contacts'"
        )
        assert _status(connection) == [("contacts", True, 1, None), ("deals", True, 2, None)]


def test_the_dashboard_shows_what_waits_failed_and_was_brought(unified_database: str) -> None:
    """A row a table, of those that only sync_status knows, too; always of now."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(_WAITING, [["deals", "deals", "deals"]])
        connection.execute(
            """
            UPDATE pending_sync SET synced_at = created_at + interval '3 seconds'
             WHERE id IN (SELECT id FROM pending_sync LIMIT 1);
            UPDATE pending_sync SET error = 'x'
             WHERE id IN (SELECT id FROM pending_sync WHERE synced_at IS NULL LIMIT 1);
            INSERT INTO sync_status (table_name) VALUES ('towns');
            SELECT refresh_sync_dashboard();
            """
        )
        assert connection.execute(
            "SELECT table_name, pending_count, error_count, synced_count,"
            " avg_sync_latency_seconds::float FROM sync_dashboard ORDER BY 1"
        ).fetchall() == [("deals", 2, 1, 1, 3.0), ("towns", 0, 0, 0, None)]


def test_health_is_what_one_computes_by_hand(unified_database: str) -> None:
    """40 for what did not fail, 30 for what waits under five minutes, 30 for nodes online."""
    health = "SELECT get_sync_health_score()"
    with psycopg.connect(unified_database) as connection:
        assert connection.execute(health.encode()).fetchone() == (100,)
        connection.execute(_WAITING, [["a", "b", "c", "d"]])
        connection.execute(
            """
            UPDATE pending_sync SET error = 'x' WHERE table_name = 'a';
            UPDATE pending_sync SET created_at = now() - interval '5 minutes'
             WHERE table_name IN ('a', 'b');
            INSERT INTO sync_nodes (node_id, node_name, node_type, is_online)
            VALUES ('m', 'm', 'master', true), ('e', 'e', 'edge', true),
                   ('r', 'r', 'replica', NULL);
            """
        )
        # 40 * 3/4 + 30 * 2/4 + 30 * 2/3
        assert connection.execute(health.encode()).fetchone() == (65,)


def test_what_was_brought_over_goes_after_a_week(unified_database: str) -> None:
    """What waits stays, however old."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(_WAITING, [["a", "b", "c"]])
        connection.execute(
            """
            UPDATE pending_sync SET synced_at = now() - interval '7 days 1 second'
             WHERE table_name = 'a';
            UPDATE pending_sync SET synced_at = now() - interval '6 days' WHERE table_name = 'b';
            UPDATE pending_sync SET created_at = '2020-01-01' WHERE table_name = 'c';
            """
        )
        assert connection.execute("SELECT cleanup_synced_records()").fetchone() == (1,)
        assert connection.execute("SELECT table_name FROM pending_sync ORDER BY 1").fetchall() == [
            ("b",),
            ("c",),
        ]


@pytest.mark.parametrize("role", ["test_fluenti", "test_application"])
def test_only_the_owner_sees_what_waits(role: str, towns: str) -> None:
    """A role with every right on the tables sees and writes no row but the status; it gets the
    health of all."""
    with psycopg.connect(towns) as connection:
        connection.execute(_WAITING, [["a"]])
        connection.execute(
            """
            UPDATE pending_sync SET error = 'x';
            INSERT INTO sync_nodes (node_id, node_name, node_type, connection_string)
            VALUES ('m', 'm', 'master', 'host=db');
            INSERT INTO sync_metrics (metric_name, metric_value, node_id) VALUES ('lag', 1, 'm');
            INSERT INTO sync_conflicts (table_name, record_id, source_node, master_data,
                                        replica_data, resolution)
            VALUES ('a', gen_random_uuid(), 'm', '{}', '{}', 'manual');
            """
        )
    closed = ("pending_sync", "sync_nodes", "sync_metrics", "sync_conflicts")
    conninfo = make_conninfo(towns, user=role, options="-c app.town=fluenti")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for table in closed:
            assert connection.execute(f"SELECT FROM {table}".encode()).fetchall() == [], table
            assert connection.execute(f"DELETE FROM {table}".encode()).rowcount == 0, table
        assert connection.execute("SELECT table_name FROM sync_status").fetchall() == [("a",)]
        assert connection.execute("UPDATE sync_status SET last_error = NULL").rowcount == 0
        assert connection.execute("SELECT pending_count FROM sync_dashboard").fetchall() == [(0,)]
        assert connection.execute("SELECT get_sync_health_score()").fetchone() == (30,)
        connection.execute("CREATE TEMPORARY TABLE mine (table_name text, synced_at timestamptz)")
        for statement in (
            "INSERT INTO pending_sync (table_name, operation, data) VALUES ('a', 'INSERT', '{}')",
            "CREATE TRIGGER forge AFTER UPDATE ON mine REFERENCING OLD TABLE AS before_rows"
            " NEW TABLE AS after_rows FOR EACH STATEMENT"
            " EXECUTE FUNCTION update_sync_status_trigger()",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


@pytest.mark.parametrize(
    "where",
    [
        "host=db password=hunter2",
        "host=db PASSWORD = 'hunter2'",
        "postgresql://robbie:hunter2@db/robbieverse",
        "postgresql://robbie@db/robbieverse?password=hunter2",
    ],
)
def test_a_node_is_named_without_its_password(where: str, unified_database: str) -> None:
    """An address with a password is refused, and the error shows none of it."""
    insert = (
        "INSERT INTO sync_nodes (node_id, node_name, node_type, connection_string)"
        " VALUES ('n', 'n', 'edge', %s)"
    )
    with psycopg.connect(unified_database, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.CheckViolation) as refused:
            connection.execute(insert.encode(), [where])
        assert "hunter2" not in str(refused.value)
        connection.execute(insert.encode(), ["postgresql://robbie@db:5432/robbieverse?passfile=/p"])


def test_the_earlier_trigger_and_dashboard_are_replaced(unified_database: str) -> None:
    """A trigger for statements in place of one for rows; a view in place of a snapshot."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute(
            """
            DROP TRIGGER trigger_update_sync_status ON pending_sync;
            CREATE TRIGGER trigger_update_sync_status AFTER UPDATE ON pending_sync
                   FOR EACH ROW EXECUTE FUNCTION update_sync_status_trigger();
            DROP VIEW sync_dashboard;
            CREATE MATERIALIZED VIEW sync_dashboard AS SELECT 1 AS table_name;
            """
        )
    apply(unified_database, *(file for file in FILES if file.name.startswith("20")))
    with psycopg.connect(unified_database) as connection:
        connection.execute(_WAITING, [["a"]])
        connection.execute("UPDATE pending_sync SET synced_at = now()")
        assert _status(connection) == [("a", True, 1, None)]
        assert connection.execute("SELECT synced_count FROM sync_dashboard").fetchall() == [(1,)]


_REFUSED = (
    "INSERT INTO sync_status (table_name, last_sync_record_count) VALUES ('a', -1)",
    "INSERT INTO pending_sync (table_name, operation, data) VALUES ('a', 'TRUNCATE', '{}')",
    "INSERT INTO sync_conflicts (table_name, record_id, source_node, master_data, replica_data,"
    " resolution, resolved_at)"
    " VALUES ('a', gen_random_uuid(), 'm', '{}', '{}', 'merge', now())",
)


def test_what_can_not_be_is_refused(unified_database: str) -> None:
    """Negative counts, an operation that no row has, a merge without what came of it."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute("SET app.town = '*'")
        for statement in _REFUSED:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())
