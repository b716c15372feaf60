"""Conversations, messages and memories: who sees them, what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.integration.unified import sessions

pytestmark = pytest.mark.postgres

_TABLES = {
    "conversations": "title",
    "messages": "content",
    "conversation_context": "context_key",
    "conversation_analytics": "key_topics",
    "ai_memories": "subject",
}
_FILL = """
    INSERT INTO conversations (id, title) VALUES (md5(%(user)s)::uuid, %(user)s);
    INSERT INTO messages (conversation_id, role, content)
         VALUES (md5(%(user)s)::uuid, 'user', 'hello'), (md5(%(user)s)::uuid, 'robbie', 'hello!');
    INSERT INTO conversation_context (conversation_id, context_key, context_value)
         VALUES (md5(%(user)s)::uuid, 'mood', '1');
    INSERT INTO conversation_analytics (conversation_id) VALUES (md5(%(user)s)::uuid);
    INSERT INTO ai_memories (category, subject, content) VALUES ('fact', %(user)s, 'likes tea');
"""
_ONES_OWN = dict.fromkeys(_TABLES, 1) | {"messages": 2}


def _fill(connection: Connection, user: str) -> None:
    for statement in _FILL.split(";\n")[:-1]:
        connection.execute(statement.encode(), {"user": user})


@pytest.fixture
def conversations(unified_database: str) -> Iterator[str]:
    """A database in which each user of two towns, and nobody in aurora, has a conversation."""
    with sessions.two_towns(unified_database) as conninfo:
        for town, user in (("aurora", "ann"), ("aurora", "bob"), ("fluenti", "flo")):
            with sessions.session(conninfo, town, user) as connection:
                _fill(connection, user)
        yield conninfo


def test_a_conversation_and_what_belongs_to_it_is_its_users_in_its_town(
    conversations: str,
) -> None:
    """Nobody else reads, alters or deletes it: not in that town, not in another, not without one;
    the same user in another town neither."""
    for town, user in (("aurora", "ann"), ("aurora", "bob"), ("fluenti", "flo")):
        for role, connection in sessions.everyones(conversations, town, user):
            assert sessions.seen(connection, _TABLES) == _ONES_OWN, (role, user)
            titles = connection.execute("SELECT title FROM conversations").fetchall()
            assert titles == [(user,)], role
    for town, user in (("aurora", ""), ("fluenti", "ann"), ("", "ann"), ("*", "ann")):
        with sessions.session(conversations, town, user) as connection:
            assert sessions.seen(connection, _TABLES) == {}, (town, user)
            assert sessions.changed(connection, _TABLES) == {}, (town, user)


def test_what_is_of_no_user_is_the_towns(conversations: str) -> None:
    """Everybody in its town sees it, nobody in another; nobody writes in another's name."""
    with sessions.session(conversations, "aurora") as connection:
        _fill(connection, "aurora")
    for _, connection in sessions.everyones(conversations, "aurora", "ann"):
        titles = connection.execute("SELECT title FROM conversations ORDER BY title").fetchall()
        assert titles == [("ann",), ("aurora",)]
    for _, connection in sessions.everyones(conversations, "fluenti", "flo"):
        assert sessions.seen(connection, _TABLES) == _ONES_OWN
    with sessions.session(conversations, "aurora", "ann") as connection:
        for statement in (
            "INSERT INTO conversations (user_id) VALUES (%(bob)s)",
            "UPDATE conversations SET user_id = %(bob)s",
            "UPDATE ai_memories SET user_id = %(bob)s",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), sessions.USERS)


def test_nothing_is_hung_on_rows_of_another_town(conversations: str) -> None:
    """Knowing a key of another town's conversation or company does not help; its count stays."""
    with sessions.session(conversations, "aurora", "ann") as connection:
        key = connection.execute("SELECT id FROM conversations").fetchone()
        company = connection.execute("SELECT uid FROM companies").fetchone()
        assert key
        assert company
    attacks = (
        ("INSERT INTO messages (conversation_id, role, content) VALUES (%s, 'user', 'x')", key),
        ("UPDATE messages SET conversation_id = %s", key),
        ("INSERT INTO conversation_analytics (conversation_id) VALUES (%s)", key),
        ("UPDATE conversation_context SET conversation_id = %s", key),
        ("INSERT INTO conversations (company_id) VALUES (%s)", company),
        ("UPDATE messages SET company_id = %s", company),
        ("UPDATE conversations SET town_id = %s", (sessions.USERS["ann"],)),
    )
    for _, connection in sessions.everyones(conversations, "fluenti", "flo"):
        for statement, values in attacks:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), values)
    with sessions.session(conversations, "aurora", "ann") as connection:
        assert sessions.seen(connection, _TABLES) == _ONES_OWN


def test_messages_are_counted_once_a_statement(conversations: str) -> None:
    """Written, moved, marked as deleted and deleted ones: the number and the newest time hold."""

    def stats(connection: Connection) -> list[tuple[object, ...]]:
        return connection.execute(
            "SELECT message_count, last_message_at = (SELECT max(created_at) FROM messages m"
            " WHERE conversation_id = c.id AND deleted_at IS NULL) FROM conversations c"
            " ORDER BY title"
        ).fetchall()

    with sessions.session(conversations, "aurora", "ann") as connection:
        connection.execute("INSERT INTO conversations (title) VALUES ('second')")
        assert stats(connection) == [(2, True), (0, None)]
        second = "(SELECT id FROM conversations WHERE title = 'second')"
        connection.execute(
            f"""
            INSERT INTO messages (conversation_id, role, content, created_at)
                 SELECT {second}, 'user', n::text, now() - n * interval '1 day'
                   FROM generate_series(1, 100) n
            """.encode()
        )
        assert stats(connection) == [(2, True), (100, True)]
        for statement, expected in (
            ("UPDATE messages SET deleted_at = now() WHERE content = '1'", [(2, True), (99, True)]),
            (f"UPDATE messages SET conversation_id = {second}", [(0, None), (101, True)]),
            ("UPDATE messages SET is_pinned = true", [(0, None), (101, True)]),
            ("DELETE FROM messages WHERE content = '1'", [(0, None), (101, True)]),
            ("DELETE FROM messages WHERE role = 'user'", [(0, None), (1, True)]),
            ("DELETE FROM messages", [(0, None), (0, None)]),
        ):
            connection.execute(statement.encode())
            assert stats(connection) == expected, statement


def test_a_memory_that_is_written_counts_it(conversations: str) -> None:
    """access_count goes up by one and last_accessed is now, whatever the statement says."""
    with sessions.session(conversations, "aurora", "ann") as connection:
        assert connection.execute(
            "UPDATE ai_memories SET last_accessed = '2020-01-01', access_count = 9"
            " RETURNING last_accessed = now(), access_count"
        ).fetchone() == (True, 2)


def test_what_makes_no_sense_is_refused(conversations: str) -> None:
    """Messages of no conversation, an unknown role, numbers out of their range, another's name."""
    with sessions.session(conversations, "*", role="robbieblocks") as connection:
        for statement in (
            "INSERT INTO messages (role, content) VALUES ('user', 'x')",
            "UPDATE messages SET role = 'hacker'",
            "UPDATE messages SET token_count = -1",
            "UPDATE messages SET confidence_score = 1.1",
            "UPDATE messages SET parent_message_id = id",
            "UPDATE conversations SET message_count = -1",
            "UPDATE conversations SET importance_score = 11",
            "UPDATE conversations SET status = 'lost'",
            "UPDATE conversation_context SET conversation_id = NULL",
            "UPDATE conversation_analytics SET conversation_id = NULL",
            "UPDATE conversation_analytics SET user_satisfaction_score = 5.1",
            "UPDATE conversation_analytics SET total_cost_usd = -1",
            "UPDATE ai_memories SET decay_rate = 2",
            "UPDATE ai_memories SET importance_level = 0",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())


def test_mentors_are_the_owners(conversations: str) -> None:
    """Every session reads them, only the owner of the tables writes them."""
    with sessions.session(conversations, "*", role="robbieblocks") as connection:
        connection.execute("INSERT INTO ai_mentors (name) VALUES ('Ada')")
    with sessions.session(conversations, "aurora", "ann") as connection:
        assert connection.execute("SELECT name FROM ai_mentors").fetchall() == [("Ada",)]
        assert sessions.changed(connection, {"ai_mentors": "name"}) == {}
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("INSERT INTO ai_mentors (name) VALUES ('Eve')")


def test_a_users_conversations_go_with_the_user(conversations: str) -> None:
    """And with a conversation its messages; nobody inherits them."""
    with sessions.session(conversations, "*", role="robbieblocks") as connection:
        connection.execute("DELETE FROM users WHERE username = 'ann'")
        titles = connection.execute("SELECT title FROM conversations ORDER BY title").fetchall()
        assert titles == [("bob",), ("flo",)]
        assert sessions.seen(connection, _TABLES) == {
            table: 2 * count for table, count in _ONES_OWN.items()
        }


def test_a_conversations_messages_are_found_by_index(conversations: str) -> None:
    """In order, under row level security, without reading or sorting the others."""
    with sessions.session(conversations, "*", role="robbieblocks") as connection:
        connection.execute(
            """
            INSERT INTO messages (conversation_id, role, content, town_id)
                 SELECT c.id, 'user', n::text, c.town_id
                   FROM conversations c, generate_series(1, 500) n
            """
        )
        connection.execute("ANALYZE messages, conversations")
    with sessions.session(conversations, "aurora", "ann") as connection:
        plan = connection.execute(
            "EXPLAIN SELECT content FROM messages"
            " WHERE conversation_id = md5('ann')::uuid ORDER BY created_at DESC LIMIT 20"
        ).fetchall()
        assert "messages_conversation_created_idx" in str(plan)
        assert "Sort" not in str(plan)
