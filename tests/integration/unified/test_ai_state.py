"""The AI personalities: who they are, how they feel, and whose their memories are."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.integration.unified.conftest import FILES, apply, as_superuser
from tests.integration.unified.sessions import OWN_ROLES, USERS, everyones, session, two_towns

pytestmark = pytest.mark.postgres

_FOUR = ["bookkeeper", "gatekeeper", "robbie", "steve-jobs"]
# One row a town in each table that a town sees; the session's town is the row's.
_ROWS = """
    INSERT INTO ai_working_memory (personality_id, memory_type, content)
         VALUES ('robbie', 'fact', 'x');
    INSERT INTO ai_commitments (id, personality_id, commitment_text, deadline)
         VALUES (current_town(), 'robbie', 'x', now());
    INSERT INTO ai_commitment_reminders (commitment_id, remind_at) VALUES (current_town(), now());
    INSERT INTO ai_calendar_events (id, event_title, start_time)
         VALUES (current_town(), 'x', now());
    INSERT INTO ai_calendar_reminders (event_id, personality_id, interface_type, reminded_at)
         VALUES (current_town(), 'robbie', 'web', now());
    INSERT INTO ai_notifications (id, personality_id, notification_type, title, message)
         VALUES (current_town(), 'robbie', 'x', 'x', 'x');
    INSERT INTO ai_notification_delivery (notification_id, interface_type, interface_id)
         VALUES (current_town(), 'web', 'x');
    INSERT INTO ai_sync_queue (personality_id, source_interface, sync_type, payload)
         VALUES ('robbie', 'web', 'x', '{}');
    INSERT INTO ai_behavior_effectiveness (personality_id, behavior_type) VALUES ('robbie', 'x');
    INSERT INTO ai_activity_log (personality_id, interface_type, interface_id, activity_type)
         VALUES ('robbie', 'web', 'x', 'x');
    INSERT INTO ai_personality_instances (personality_id, interface_type, interface_id)
         VALUES ('robbie', 'web', 'x');
"""
_PARTS = {
    "ai_commitment_reminders": "commitment_id",
    "ai_calendar_reminders": "event_id",
    "ai_notification_delivery": "notification_id",
}
_TABLES = (
    "ai_working_memory",
    "ai_commitments",
    "ai_calendar_events",
    "ai_notifications",
    "ai_sync_queue",
    "ai_behavior_effectiveness",
    "ai_activity_log",
    "ai_personality_instances",
)


@pytest.fixture
def towns(unified_database: str) -> Iterator[str]:
    """The conninfo of a database with two towns and their users."""
    with two_towns(unified_database) as conninfo:
        yield conninfo


@pytest.fixture
def memories(towns: str) -> str:
    """The conninfo of a database in which each of two towns has a row in each table."""
    with psycopg.connect(as_superuser(towns)) as connection:
        for town in ("aurora", "fluenti"):
            connection.execute("SELECT set_config('app.town', %s, true)", [town])
            connection.execute(_ROWS)
    return towns


def _shown(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT personality_id FROM ai_personalities_current_state")
    return [name for (name,) in rows]


def test_four_personalities_are_there_from_the_start_and_come_back_never(
    unified_database: str,
) -> None:
    """One that was removed or put to rest stays so when the file is applied again; one without a
    state is shown as it starts."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        assert _shown(connection) == _FOUR
        connection.execute(
            """
            SET app.town = '*';
            DELETE FROM ai_personalities WHERE id = 'gatekeeper';
            UPDATE ai_personalities SET active = false WHERE id = 'bookkeeper';
            DELETE FROM ai_personality_state WHERE personality_id = 'robbie';
            """
        )
        apply(unified_database, *(file for file in FILES if file.name.startswith("08")))
        assert connection.execute(
            "SELECT personality_id, current_mood, energy_level, focus_state,"
            " last_state_change IS NULL FROM ai_personalities_current_state"
        ).fetchall() == [
            ("robbie", 4, "normal", "available", False),
            ("steve-jobs", 4, "normal", "available", False),
        ]


def test_each_change_of_a_state_is_noted(unified_database: str) -> None:
    """What changed, who said so, from where and why; nothing where nothing changed."""
    with psycopg.connect(unified_database) as connection:
        connection.execute(
            """
            SET app.town = '*'; SET app.change_reason = 'good news'; SET app.interface = 'slack';
            UPDATE ai_personality_state SET last_state_change = '2020-01-01';
            UPDATE ai_personality_state SET current_mood = 4, updated_at = '2020-01-01';
            UPDATE ai_personality_state SET current_mood = 6 WHERE personality_id = 'robbie';
            """
        )
        assert connection.execute(
            """
            SELECT personality_id, old_state ->> 'current_mood', new_state ->> 'current_mood',
                   change_reason, changed_by, interface_source, "timestamp" = now()
              FROM ai_state_history
            """
        ).fetchall() == [("robbie", "4", "6", "good news", "robbieblocks", "slack", True)]
        assert connection.execute(
            "SELECT personality_id, updated_at = now() FROM ai_personality_state"
            " WHERE last_state_change = now()"
        ).fetchall() == [("robbie", True)]


def test_a_town_reads_the_personalities_and_writes_none(towns: str) -> None:
    """Nor does it see who changed a state, or write such an entry."""
    with psycopg.connect(towns) as connection:
        connection.execute("SET app.town = '*'; UPDATE ai_personality_state SET current_mood = 6")
    with session(towns, "fluenti", role=OWN_ROLES["fluenti"]) as connection:
        assert _shown(connection) == _FOUR
        for table in ("ai_personalities", "ai_personality_state", "ai_state_history"):
            assert connection.execute(f"DELETE FROM {table}".encode()).rowcount == 0
        assert connection.execute("UPDATE ai_personality_state SET current_mood = 1").rowcount == 0
        assert connection.execute("SELECT FROM ai_state_history").fetchall() == []
        for statement in (
            "INSERT INTO ai_personalities (id, name, role) VALUES ('x', 'x', 'x')",
            "INSERT INTO ai_state_history (personality_id) VALUES ('robbie')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())


def test_what_a_personality_remembers_is_its_towns_own(memories: str) -> None:
    """Rows of another town are neither seen nor changed, and none is written into it, nor beside
    one of its rows."""
    with session(memories, "fluenti", role=OWN_ROLES["fluenti"]) as connection:
        for table in _TABLES:
            seen = connection.execute(
                f"SELECT DISTINCT town_id = current_town_id() FROM {table}".encode()
            )
            assert seen.fetchall() == [(True,)], table
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"UPDATE {table} SET town_id = gen_random_uuid()".encode())
            assert connection.execute(f"DELETE FROM {table} RETURNING 1".encode()).rowcount <= 1
        for table, column in _PARTS.items():
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(
                    f"INSERT INTO {table} SELECT (t).* FROM (SELECT jsonb_populate_record("
                    f'NULL::{table}, \'{{"id": 9, "{column}": "aurora"}}\') t)'.encode()
                )
    with psycopg.connect(as_superuser(memories)) as connection:
        for table in (*_TABLES, *_PARTS):
            left = connection.execute(f"SELECT FROM {table}".encode()).rowcount
            assert left == 1, table


def test_parts_are_seen_where_the_whole_is(memories: str) -> None:
    """A reminder, and what became of a notification, are seen by their town alone; they go with
    what they belong to."""
    with session(memories, "") as connection:
        for table in _PARTS:
            assert connection.execute(f"SELECT FROM {table}".encode()).rowcount == 0
    with session(memories, "aurora") as connection:
        for table, column in _PARTS.items():
            rows = connection.execute(f"SELECT {column} FROM {table}".encode()).fetchall()
            assert rows == [("aurora",)]
        connection.execute(
            "DELETE FROM ai_commitments; DELETE FROM ai_calendar_events;"
            "DELETE FROM ai_notifications"
        )
    with psycopg.connect(as_superuser(memories)) as connection:
        for table, column in _PARTS.items():
            rows = connection.execute(f"SELECT {column} FROM {table}".encode()).fetchall()
            assert rows == [("fluenti",)]


_OF_USERS = """
    INSERT INTO ai_activity_log
           (personality_id, user_id, interface_type, interface_id, activity_type)
    SELECT 'robbie', u, 'web', 'x', 'x' FROM unnest(%(users)s::text[]) AS u;
    INSERT INTO ai_personality_instances (personality_id, user_id, interface_type, interface_id)
    SELECT 'robbie', u, 'web', 'x' FROM unnest(%(users)s::text[]) AS u;
    INSERT INTO ai_conversation_contexts (personality_id, user_id, interface_type)
    SELECT 'robbie', coalesce(u, 'allan'), 'web' FROM unnest(%(users)s::text[]) AS u
"""


def test_what_is_said_of_a_user_is_seen_by_that_user_alone(towns: str) -> None:
    """Not by others of the town, not without a user; what is said of nobody is the whole town's,
    and nobody writes in another's name."""
    ann, bob = str(USERS["ann"]), str(USERS["bob"])
    with psycopg.connect(as_superuser(towns)) as connection:
        for town in ("aurora", "fluenti"):
            connection.execute("SELECT set_config('app.town', %s, true)", [town])
            for statement in _OF_USERS.split(";\n"):
                connection.execute(statement.encode(), {"users": [ann, bob, None]})
    tables = ("ai_activity_log", "ai_personality_instances", "ai_conversation_contexts")
    for user, own in (("ann", [ann]), ("", [])):
        for role, connection in everyones(towns, "aurora", user):
            for table in tables:
                rows = connection.execute(f"SELECT user_id FROM {table}".encode()).fetchall()
                said_of = [name for (name,) in rows]
                nobodys = [] if table == "ai_conversation_contexts" else [None]
                assert sorted(said_of, key=str) == sorted([*own, *nobodys], key=str), role
                changed = connection.execute(f"UPDATE {table} SET interface_type = 'x'".encode())
                assert changed.rowcount == len(said_of)
                if said_of:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(f"UPDATE {table} SET user_id = %s".encode(), [bob])


def test_workers_take_different_rows_of_the_queue(memories: str) -> None:
    """The most urgent first; what one has taken, another passes by, until the first one fails."""
    with psycopg.connect(as_superuser(memories)) as connection:
        connection.execute(
            "SET app.town = 'fluenti';"
            "INSERT INTO ai_sync_queue (personality_id, source_interface, sync_type, payload,"
            " priority, processed) VALUES ('robbie', 'web', 'urgent', '{}', 1, false),"
            " ('robbie', 'web', 'done', '{}', 1, true)"
        )
    take = "SELECT sync_type FROM ai_sync_queue_take()"
    with session(memories, "fluenti") as one, session(memories, "fluenti") as other:
        one.autocommit = other.autocommit = False
        assert one.execute(take).fetchall() == [("urgent",)]
        assert other.execute("SELECT sync_type FROM ai_sync_queue_take(9)").fetchall() == [("x",)]
        one.rollback()
        assert other.execute(take).fetchall() == [("urgent",)]
    with psycopg.connect(memories) as owner:
        assert owner.execute(take).fetchall() == []
        owner.execute("SET app.town = '*'")
        assert len(owner.execute("SELECT FROM ai_sync_queue_take(9)").fetchall()) == 3


def test_what_waits_is_found_without_reading_what_is_done(unified_database: str) -> None:
    """Among many rows that are done, the next one comes from an index of those that wait."""
    town = "00000000-0000-0000-0000-000000000001"
    with psycopg.connect(as_superuser(unified_database)) as connection:
        connection.execute(
            "INSERT INTO ai_sync_queue (personality_id, source_interface, sync_type, payload,"
            " processed) SELECT 'robbie', 'web', 'x', '{}', n % 100 > 0"
            " FROM generate_series(1, 3000) AS n; ANALYZE ai_sync_queue"
        )
        for condition, index in (
            ("", "ai_sync_queue_pending_idx"),
            (f"town_id = '{town}' AND", "ai_sync_queue_town_pending_idx"),
        ):
            plan = connection.execute(
                f"EXPLAIN SELECT * FROM ai_sync_queue WHERE {condition} NOT processed"
                " ORDER BY priority, id LIMIT 1 FOR UPDATE SKIP LOCKED".encode()
            ).fetchall()
            assert f"Index Scan using {index} " in str(plan)


_REFUSED = {
    "UPDATE ai_personality_state SET current_mood = 8": "ai_personality_state_mood_check",
    "UPDATE ai_working_memory SET priority = 0": "ai_working_memory_priority_check",
    "UPDATE ai_commitments SET priority = 11": "ai_commitments_priority_check",
    "UPDATE ai_notifications SET priority = 11": "ai_notifications_priority_check",
    "UPDATE ai_sync_queue SET priority = 11": "ai_sync_queue_priority_check",
    "UPDATE ai_sync_queue SET processed = NULL": "ai_sync_queue_processed_check",
    "UPDATE ai_sync_queue SET processed_at = now()": "ai_sync_queue_processed_check",
    "UPDATE ai_commitment_reminders SET sent = NULL": "ai_commitment_reminders_sent_check",
    "UPDATE ai_notification_delivery SET acknowledged_at = now()": (
        "ai_notification_delivery_acknowledged_check"
    ),
    "UPDATE ai_calendar_events SET end_time = start_time - interval '1 s'": (
        "ai_calendar_events_end_check"
    ),
    "UPDATE ai_calendar_reminders SET minutes_before = -1": "ai_calendar_reminders_minutes_check",
    "UPDATE ai_activity_log SET personality_id = 'x'": "ai_activity_log_personality_id_fkey",
    "UPDATE ai_commitments SET town_id = gen_random_uuid()": "ai_commitments_town_id_fkey",
}


def test_what_can_not_be_is_refused(memories: str) -> None:
    """Moods and urgencies beyond their scale, rows that nobody would find, ends before starts."""
    with psycopg.connect(as_superuser(memories)) as connection:
        for statement, constraint in _REFUSED.items():
            with (
                pytest.raises(psycopg.errors.IntegrityError) as refused,
                connection.transaction(),
            ):
                connection.execute(statement.encode())
            assert refused.value.diag.constraint_name == constraint
