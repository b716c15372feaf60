"""Interactions and the scores that are made of them."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

_ANN, _BOB, _FIRM = (uuid.UUID(int=number) for number in (1, 2, 3))
_PEOPLE = f"""
    INSERT INTO crm_companies (id, company_id) SELECT '{_FIRM}', uid FROM companies;
    INSERT INTO crm_contacts (id, company_id)
         SELECT who, uid FROM companies, unnest('{{{_ANN}, {_BOB}}}'::uuid[]) AS who;
"""
_RULES = """
    INSERT INTO engagement_rules (rule_name, rule_type, conditions, base_score, multiplier,
                                  max_score, decay_hours, decay_factor, priority, active) VALUES
        ('any mail', 'email', '{}', 0.5, 1, 1, 24, 0.9, 0, true),
        ('answered', 'email', '{"replied": true}', 0.8, 2, 1, 24, 0.5, 1, true),
        ('resting', 'email', '{}', 9, 1, 9, 24, 1, 9, false),
        ('bought', 'website_visit', '{"converted": true}', 2, 1.5, 9, 0, 0, 0, true);
"""
_EVENTS = f"""
    INSERT INTO interactions (interaction_type, direction, person_id, company_id, replied_at,
                              engagement_score, created_at) VALUES
        -- 0.5 * 0.9 ^ 2, after 49 hours.
        ('email', 'outbound', '{_ANN}', '{_FIRM}', NULL, 9, now() - interval '49 hours'),
        -- min(1, 0.8 * 2) * 0.5 ^ 1, after a day.
        ('email', 'outbound', '{_ANN}', '{_FIRM}', now(), 9, now() - interval '24 hours'),
        -- No rule: its own, however old.
        ('meeting', 'inbound', '{_ANN}', NULL, NULL, 0.25, now() - interval '45 days'),
        ('note', 'inbound', '{_BOB}', '{_FIRM}', NULL, 0.10, now());
    INSERT INTO website_activity (person_id, company_id, page_url, converted, visited_at) VALUES
        -- 2 * 1.5, and never less.
        ('{_ANN}', '{_FIRM}', '/', true, now() - interval '90 days'),
        ('{_ANN}', '{_FIRM}', '/', false, now());
"""


@pytest.fixture
def town(towns: str) -> Iterator[Connection]:
    """A connection of the owner, in a town with a firm, two people, rules and events."""
    with psycopg.connect(towns) as connection:
        connection.execute(_RULES)
    with psycopg.connect(make_conninfo(towns, options="-c app.town=aurora")) as connection:
        connection.execute(_PEOPLE.encode())
        connection.execute(_EVENTS.encode())
        yield connection


def test_a_score_is_what_one_computes_by_hand(town: Connection) -> None:
    """By the rule that fits best, less for each whole period; in all, by channel and by count."""
    scores = town.execute(
        "SELECT event_type, rule_name, score::float FROM engagement_event_scores"
        " ORDER BY event_type, rule_name, score"
    ).fetchall()
    assert scores == [
        ("email", "answered", 0.5),
        ("email", "any mail", 0.405),
        ("meeting", None, 0.25),
        ("note", None, 0.1),
        ("website_visit", "bought", 3.0),
        ("website_visit", None, 0.0),
    ]
    columns = "total_score, email_score, website_score, social_score, meeting_score"
    counts = "total_interactions, email_interactions, website_visits, social_interactions, meetings"
    people = town.execute(
        f"SELECT {columns}, {counts}, activity_trend, last_meeting_at = now() - interval '45 days',"
        " last_interaction_at = now() FROM person_engagement ORDER BY person_id".encode()
    ).fetchall()
    numbers = [*map(Decimal, ("4.16", "0.91", "3.00", "0.00", "0.25")), 5, 2, 2, 0, 1]
    assert people == [
        (*numbers, "rising", True, True),
        (*map(Decimal, ("0.10", "0", "0", "0", "0")), 1, 0, 0, 0, 0, "rising", None, True),
    ]
    firm = town.execute(
        f"SELECT {columns}, {counts}, unique_people_interacted FROM company_engagement".encode()
    ).fetchall()
    assert firm == [(*map(Decimal, ("4.01", "0.91", "3.00", "0", "0")), 5, 2, 2, 0, 0, 2)]


def test_a_mail_that_its_engagement_says_was_answered_counts_as_answered(town: Connection) -> None:
    """So in its score, and in the month's rates of mails that were sent."""
    town.execute(
        """
        INSERT INTO email_engagement (interaction_id, email_id, open_count, reply_count)
             SELECT id, 'm', 2, 1 FROM interactions
              WHERE replied_at IS NULL AND direction = 'outbound'
        """
    )
    town.execute("UPDATE interactions SET created_at = '2026-03-31 23:30+00' WHERE true")
    assert town.execute(
        "SELECT count(*) FROM engagement_event_scores WHERE rule_name = 'answered'"
    ).fetchone() == (2,)
    assert town.execute(
        "SELECT month = '2026-03-01 00:00+00', sent, opened, clicked, replied, open_rate,"
        " click_rate, reply_rate FROM email_engagement_rates"
    ).fetchall() == [(True, 2, 1, 0, 2, Decimal("0.5"), Decimal(0), Decimal(1))]


def test_scores_are_kept_with_where_they_go(town: Connection) -> None:
    """Calculated again, a row says whether the total rose, fell or stayed."""
    assert town.execute("SELECT refresh_engagement_scores()").fetchone() == (3,)
    kept = "SELECT total_score, score_trend FROM person_engagement_scores ORDER BY person_id"
    assert town.execute(kept.encode()).fetchall() == [
        (Decimal("4.16"), None),
        (Decimal("0.10"), None),
    ]
    town.execute(
        """
        UPDATE engagement_rules SET base_score = 1 WHERE rule_name = 'bought';
        UPDATE interactions SET engagement_score = 0.3 WHERE interaction_type = 'note';
        SELECT refresh_engagement_scores();
        """
    )
    assert town.execute(kept.encode()).fetchall() == [
        (Decimal("2.66"), "falling"),
        (Decimal("0.30"), "rising"),
    ]
    town.execute("SELECT refresh_engagement_scores()")
    assert [trend for _, trend in town.execute(kept.encode()).fetchall()] == ["steady", "steady"]
    assert town.execute(
        "SELECT total_score, unique_people_interacted, score_trend FROM company_engagement_scores"
    ).fetchall() == [(Decimal("2.71"), 2, "steady")]


def test_what_is_private_is_read_by_who_may_and_counts_for_the_town(
    town: Connection, towns: str
) -> None:
    """Without the permission a user does not see, open or remove it; the kept score has it."""
    user = uuid.UUID(int=9)
    town.execute(
        "UPDATE interactions SET privacy_level = 'private' WHERE interaction_type = 'note'"
    )
    town.commit()
    conninfo = make_conninfo(
        towns, user="test_application", options=f"-c app.town=aurora -c app.user_id={user}"
    )
    note = "SELECT FROM interactions WHERE interaction_type = 'note'"
    with psycopg.connect(conninfo, autocommit=True) as connection:
        # Neither statement reads a column: policies for reading alone would not bind them.
        connection.execute("UPDATE interactions SET privacy_level = 'public'")
        connection.execute("DELETE FROM interactions")
        assert connection.execute(note.encode()).fetchall() == []
        connection.execute(
            "INSERT INTO interactions (interaction_type, direction, privacy_level)"
            " VALUES ('call', 'inbound', 'private')"
        )
        assert connection.execute(
            "SELECT total_score FROM person_engagement WHERE person_id = %s", [_BOB]
        ).fetchone() == (0,)
        connection.execute("SELECT refresh_engagement_scores()")
        assert connection.execute(
            "SELECT total_score FROM person_engagement_scores WHERE person_id = %s", [_BOB]
        ).fetchone() == (Decimal("0.10"),)
        with psycopg.connect(as_superuser(towns)) as administrator:
            administrator.execute(
                """
                INSERT INTO users (id, username, email, password_hash)
                VALUES (%(u)s, 'u', 'u', 'h');
                INSERT INTO roles (name) VALUES ('reader');
                INSERT INTO permissions (name) VALUES ('interactions.read_private');
                INSERT INTO role_permissions SELECT r.id, p.id FROM roles r, permissions p;
                INSERT INTO user_roles (user_id, role_id, town_id)
                     SELECT %(u)s, r.id, t.uid FROM roles r, towns t WHERE t.name = 'aurora';
                """.replace("%(u)s", f"'{user}'").encode()
            )
        assert len(connection.execute(note.encode()).fetchall()) == 1


_VIEWS = (
    "interactions",
    "email_engagement",
    "website_activity",
    "person_engagement_scores",
    "company_engagement_scores",
    "engagement_events",
    "engagement_event_scores",
    "person_engagement",
    "company_engagement",
    "email_engagement_rates",
)


def test_no_town_sees_or_touches_what_another_has(town: Connection, towns: str) -> None:
    """Through every table and view: nothing seen, written, removed, or tied to another's people."""
    town.execute(
        "INSERT INTO email_engagement (interaction_id, email_id) SELECT id, 'm' FROM interactions"
    )
    town.execute("SELECT refresh_engagement_scores()")
    town.commit()
    for name in _VIEWS:
        assert town.execute(f"SELECT FROM {name}".encode()).fetchall(), name
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        for name in _VIEWS:
            assert connection.execute(f"SELECT FROM {name}".encode()).fetchall() == [], name
        for name in _VIEWS[:5]:
            assert connection.execute(f"DELETE FROM {name}".encode()).rowcount == 0, name
            assert connection.execute(f"UPDATE {name} SET id = id".encode()).rowcount == 0, name
        assert connection.execute("UPDATE engagement_rules SET base_score = 9").rowcount == 0
        assert connection.execute("SELECT refresh_engagement_scores()").fetchone() == (0,)
        connection.execute(
            "INSERT INTO interactions (interaction_type, direction) VALUES ('call', 'inbound')"
        )
        for statement in (
            "INSERT INTO interactions (interaction_type, direction, person_id)"
            " VALUES ('x', 'x', %s)",
            "UPDATE interactions SET person_id = %s",
            "INSERT INTO website_activity (page_url, person_id) VALUES ('/', %s)",
            "INSERT INTO person_engagement_scores (person_id) VALUES (%s)",
            "INSERT INTO email_engagement (email_id, interaction_id)"
            " VALUES ('m', coalesce((SELECT id FROM interactions WHERE person_id = %s),"
            " gen_random_uuid()))",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), [_ANN])
    with psycopg.connect(as_superuser(towns)) as connection:
        deal = connection.execute(
            "INSERT INTO crm_deals (company_id) SELECT company_id FROM crm_contacts LIMIT 1"
            " RETURNING id"
        ).fetchone()
    assert deal
    with psycopg.connect(make_conninfo(towns, user="test_fluenti"), autocommit=True) as connection:
        for statement in (
            "UPDATE interactions SET deal_id = %s",
            "INSERT INTO interactions (interaction_type, direction, deal_id) VALUES ('x', 'x', %s)",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), deal)


def test_what_passed_stays_where_the_person_goes(town: Connection) -> None:
    """Interactions and visits lose the contact that is removed; its score goes with it."""
    town.execute("SELECT refresh_engagement_scores()")
    town.execute("DELETE FROM crm_contacts WHERE id = %s", [_ANN])
    assert town.execute("SELECT count(*), count(person_id) FROM interactions").fetchone() == (4, 1)
    assert town.execute("SELECT count(*) FROM website_activity").fetchone() == (2,)
    assert town.execute("SELECT person_id FROM person_engagement_scores").fetchall() == [(_BOB,)]


_REFUSED = (
    "INSERT INTO engagement_rules (rule_name, rule_type, conditions, base_score)"
    """ VALUES ('r', 'email', '{"mood": 1}', 1)""",
    "INSERT INTO engagement_rules (rule_name, rule_type, conditions, base_score)"
    " VALUES ('r', 'email', '[]', 1)",
    "INSERT INTO engagement_rules (rule_name, rule_type, conditions, base_score, decay_factor)"
    " VALUES ('r', 'email', '{}', 1, 1.1)",
    "INSERT INTO interactions (interaction_type, direction, time_spent_seconds)"
    " VALUES ('x', 'x', -1)",
    "INSERT INTO website_activity (page_url, scroll_depth_percent) VALUES ('/', 101)",
    "INSERT INTO email_engagement (email_id, open_count) VALUES ('m', -1)",
    "INSERT INTO email_engagement (email_id, first_open_at, last_open_at)"
    " VALUES ('m', now(), now() - interval '1 hour')",
)


def test_what_can_not_be_is_refused(unified_database: str) -> None:
    """Conditions that no event has, more than all of a page, a last opening before the first."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute("SET app.town = '*'")
        for statement in _REFUSED:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())
