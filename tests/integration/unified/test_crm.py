"""The CRM's records and what LinkedIn has of its contacts: each town's own."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import Connection
from psycopg.conninfo import make_conninfo

from tests.integration.unified.conftest import as_superuser

pytestmark = pytest.mark.postgres

# One row a town in each table, and ids of other systems that both towns have.
_ROWS = """
    INSERT INTO crm_companies (company_id, hubspot_id, domain)
         SELECT uid, name, name || '.example' FROM companies WHERE town_id = current_town_id();
    INSERT INTO crm_contacts (company_id, hubspot_id, email) SELECT company_id, hubspot_id, 'x@x'
      FROM crm_companies WHERE hubspot_id = current_town();
    INSERT INTO crm_deals (company_id, hubspot_id, amount)
         SELECT company_id, 'of both', 10 FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO crm_emails (company_id, external_id)
         SELECT company_id, '1' FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO linkedin_profiles (contact_id, profile_url)
         SELECT id, 'https://x' FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO linkedin_posts (contact_id, post_id)
         SELECT id, 'of both' FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO linkedin_messages (contact_id, message_id)
         SELECT id, 'of both' FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO linkedin_activity (contact_id, activity_type)
         SELECT id, 'like' FROM crm_contacts WHERE hubspot_id = current_town();
    INSERT INTO linkedin_sync_status (contact_id)
         SELECT id FROM crm_contacts WHERE hubspot_id = current_town();
"""
# With a column that may be written.
_TABLES = {
    "linkedin_sync_status": "error_message",
    "linkedin_activity": "source_url",
    "linkedin_messages": "content",
    "linkedin_posts": "content",
    "linkedin_profiles": "headline",
    "crm_emails": "subject",
    "crm_deals": "stage",
    "crm_contacts": "phone",
    "crm_companies": "name",
}


@pytest.fixture
def crm(towns: str) -> str:
    """The conninfo of a database in which each of two towns has a row in each table."""
    with psycopg.connect(as_superuser(towns)) as connection:
        for town in ("aurora", "fluenti"):
            connection.execute("SELECT set_config('app.town', %s, true)", [town])
            connection.execute(_ROWS)
    return towns


def _all(connection: Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()


@pytest.mark.parametrize("role", ["test_fluenti", "test_application"])
def test_a_town_reads_and_writes_its_own_records_alone(role: str, crm: str) -> None:
    """Of each table it sees and changes its one row; the other town's is as it was."""
    with psycopg.connect(as_superuser(crm)) as connection:
        before = {table: _all(connection, table) for table in _TABLES}
    conninfo = make_conninfo(crm, user=role, options="-c app.town=fluenti")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        for table, column in _TABLES.items():
            assert len(_all(connection, table)) == 1, table
            change = f"UPDATE {table} SET {column} = 'changed'"
            assert connection.execute(change.encode()).rowcount == 1, table
        for table in _TABLES:
            assert connection.execute(f"DELETE FROM {table}".encode()).rowcount == 1, table
    with psycopg.connect(as_superuser(crm)) as connection:
        for table in _TABLES:
            left = _all(connection, table)
            assert len(left) == 1
            assert left[0] in before[table], table


def test_a_town_adds_nothing_to_what_another_has(crm: str) -> None:
    """Knowing the keys of another's company and contact, it puts no row beside them."""
    with psycopg.connect(as_superuser(crm)) as connection:
        keys = connection.execute(
            "SELECT company_id, id FROM crm_contacts WHERE hubspot_id = 'aurora'"
        ).fetchone()
    assert keys
    company, contact = keys
    with psycopg.connect(make_conninfo(crm, user="test_fluenti"), autocommit=True) as connection:
        for statement, key in (
            ("INSERT INTO crm_contacts (company_id) VALUES (%s)", company),
            ("INSERT INTO crm_deals (company_id) VALUES (NULL) -- %s", company),
            ("UPDATE crm_emails SET company_id = %s", company),
            (
                "INSERT INTO linkedin_activity (contact_id, activity_type) VALUES (%s, 'like')",
                contact,
            ),
            ("UPDATE linkedin_profiles SET contact_id = %s", contact),
            ("SELECT update_linkedin_sync_status(%s, 'posts', 'failed')", contact),
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode(), [key] if "-- " not in statement else None)
        assert connection.execute(
            "SELECT company_domain FROM get_vips_needing_sync()"
        ).fetchall() == [("fluenti.example",)]


def _vips(connection: Connection, what: str, hours: int = 24) -> list[tuple[object, ...]]:
    return connection.execute(
        "SELECT first_name, deal_name, deal_amount, company_domain, linkedin_url"
        " FROM get_vips_needing_sync(%s, %s)",
        [what, hours],
    ).fetchall()


def test_who_has_an_open_deal_is_fetched_again_after_some_hours(towns: str) -> None:
    """Once, with the company's greatest open deal, the greatest first; each kind by itself."""
    with psycopg.connect(make_conninfo(towns, options="-c app.town=aurora")) as connection:
        connection.execute(
            """
            INSERT INTO companies (hubspot_id) VALUES ('big'), ('small'), ('lost');
            INSERT INTO crm_companies (company_id, domain)
                 SELECT uid, hubspot_id FROM companies WHERE hubspot_id IN ('big', 'small', 'lost');
            INSERT INTO crm_contacts (company_id, first_name)
                 SELECT company_id, domain FROM crm_companies;
            INSERT INTO crm_deals (company_id, name, amount, stage)
                 SELECT company_id, d.name, d.amount, d.stage FROM crm_companies
                   JOIN (VALUES ('big', 'won', 900, 'closedwon'), ('big', 'two', 200, 'new'),
                                ('big', 'one', 100, NULL), ('small', 'three', 50, 'new'),
                                ('lost', 'four', 500, 'Closed Lost'))
                        AS d (company, name, amount, stage) ON company = domain;
            """
        )
        assert _vips(connection, "posts") == [
            ("big", "two", 200, "big", None),
            ("small", "three", 50, "small", None),
        ]
        note = (
            "SELECT update_linkedin_sync_status(id, %s, %s, %s) FROM crm_contacts"
            " WHERE first_name = 'big'"
        )
        connection.execute(note.encode(), ["posts", "completed", None])
        assert [row[0] for row in _vips(connection, "posts")] == ["small"]
        assert [row[0] for row in _vips(connection, "posts", 0)] == ["big", "small"]
        assert [row[0] for row in _vips(connection, "messages")] == ["big", "small"]
        # A later attempt that fails says why, and leaves when it was last done.
        connection.execute(note.encode(), ["posts", "failed", "no answer"])
        assert connection.execute(
            "SELECT sync_status, error_message, last_posts_sync = now(), last_profile_sync"
            " FROM linkedin_sync_status"
        ).fetchall() == [("failed", "no answer", True, None)]
        with pytest.raises(psycopg.errors.InvalidParameterValue, match="fetched as stories"):
            _vips(connection, "stories")


def test_an_id_of_another_system_stands_once_in_what_it_belongs_to(crm: str) -> None:
    """A second deal of a company, and a second post of a contact, with the same id are refused."""
    with psycopg.connect(as_superuser(crm), autocommit=True) as connection:
        for statement in (
            "INSERT INTO crm_deals (company_id, hubspot_id)"
            " SELECT company_id, hubspot_id FROM crm_deals",
            "INSERT INTO linkedin_posts (contact_id, post_id)"
            " SELECT contact_id, post_id FROM linkedin_posts",
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(statement.encode())


_REFUSED = (
    "INSERT INTO crm_deals (amount) VALUES (-1)",
    """INSERT INTO crm_emails (recipients) VALUES ('{"to": "x"}')""",
    "INSERT INTO linkedin_profiles (contact_id, profile_url, followers)"
    " VALUES (gen_random_uuid(), 'x', -1)",
    "INSERT INTO linkedin_posts (contact_id, post_id, hashtags)"
    " VALUES (gen_random_uuid(), 'x', '{}')",
    "INSERT INTO linkedin_activity (contact_id, activity_type) VALUES (gen_random_uuid(), 'x')",
)


def test_what_can_not_be_is_refused(unified_database: str) -> None:
    """Negative amounts and counts, lists that are none, words that LinkedIn does not have."""
    with psycopg.connect(unified_database, autocommit=True) as connection:
        connection.execute("SET app.town = '*'")
        for statement in _REFUSED:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())


def test_a_company_takes_its_records_with_it(crm: str) -> None:
    """Where a company of ours is removed, nothing of it stays in any of the tables."""
    with psycopg.connect(as_superuser(crm)) as connection:
        connection.execute("DELETE FROM companies WHERE name = 'aurora'")
        for table in _TABLES:
            assert len(_all(connection, table)) == 1, table


def test_one_contact_is_found_without_reading_the_companies(crm: str) -> None:
    """What a row's company decides is looked up for that row, by its key."""
    with psycopg.connect(as_superuser(crm)) as connection:
        connection.execute(
            """
            INSERT INTO companies (hubspot_id, town_id)
                 SELECT 'c' || n, uid FROM towns, generate_series(1, 2000) AS n;
            INSERT INTO crm_contacts (company_id, email) SELECT uid, hubspot_id FROM companies;
            ANALYZE companies, crm_contacts;
            """
        )
    options = "-c app.town=fluenti"
    with psycopg.connect(
        make_conninfo(crm, user="test_application", options=options)
    ) as connection:
        plan = connection.execute("EXPLAIN SELECT FROM crm_contacts WHERE email = 'c7'").fetchall()
        assert "crm_contacts_email_idx" in str(plan), plan
        assert "Seq Scan on companies" not in str(plan), plan
