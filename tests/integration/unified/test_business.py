"""Contacts, deals and activities: who sees them, what is counted, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg import Connection

from tests.integration.unified import sessions
from tests.integration.unified.conftest import FILES, apply

pytestmark = pytest.mark.postgres

_TABLES = {
    "companies": "industry",
    "contacts": "email",
    "deals": "deal_name",
    "activities": "subject",
    "deal_contacts": "role",
    "deal_stages": "label",
    "deal_stage_history": "stage",
    "business_notes": "body",
    "business_tasks": "title",
}
_FILL = """
    INSERT INTO contacts (hubspot_id, first_name, last_name, company_id)
         SELECT 'h', 'Kim', name, id FROM companies;
    INSERT INTO deals (hubspot_id, deal_name, dealstage, amount, company_id, primary_contact_id)
         SELECT 'h', last_name, 'qualifiedtobuy', 100, company_id, id FROM contacts;
    INSERT INTO deal_contacts (deal_id, contact_id)
         SELECT d.id, c.id FROM deals d, contacts c;
    INSERT INTO activities (hubspot_activity_id, activity_type, activity_date, deal_id)
         SELECT 'h', 'call', now(), id FROM deals;
    INSERT INTO deal_stages (stage, label, position, probability) VALUES ('won', 'Won', 9, 100);
    INSERT INTO business_notes (body, deal_id) SELECT 'a note', id FROM deals;
    INSERT INTO business_tasks (title, contact_id) SELECT 'call', id FROM contacts;
"""
_ONE_EACH = dict.fromkeys(_TABLES, 1)


@pytest.fixture
def business(unified_database: str) -> Iterator[str]:
    """A database in which two towns have a row in each table, with the same values."""
    with sessions.two_towns(unified_database) as conninfo:
        for town in ("aurora", "fluenti"):
            with sessions.session(conninfo, town) as connection:
                connection.execute(_FILL.encode())
        yield conninfo


def _figures(connection: Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(
        f"""
        SELECT has_deals, total_deal_count, open_deal_count, won_deal_count,
               total_deal_value::integer, won_deal_value::integer
          FROM {table} ORDER BY id
        """.encode()
    ).fetchall()


def test_a_town_sees_and_writes_its_own_rows_alone(business: str) -> None:
    """With the same ids in HubSpot as another town; without a town there is nothing."""
    for town in ("aurora", "fluenti"):
        for role, connection in sessions.everyones(business, town, ""):
            assert sessions.seen(connection, _TABLES) == _ONE_EACH, (role, town)
            assert connection.execute(
                "SELECT deal_name, calculated_probability FROM deals"
            ).fetchall() == [(town, 30)]
            assert connection.execute("SELECT full_name FROM contacts").fetchall() == [
                (f"Kim {town}",)
            ]
    for town in ("", "*", "elsewhere"):
        with sessions.session(business, town) as connection:
            assert sessions.seen(connection, _TABLES) == {}
            assert sessions.changed(connection, _TABLES) == {}
    with sessions.session(business, "aurora", role="robbieblocks") as connection:
        for table in ("companies", "contacts", "deals", "activities"):
            for name, rows in (("aurora", 1), ("fluenti", 0)):
                told = connection.execute("SELECT id FROM get_town_data(%s, %s)", [name, table])
                assert len(told.fetchall()) == rows, table
        with pytest.raises(psycopg.errors.InvalidParameterValue):
            connection.execute("SELECT get_town_data('aurora', 'users')")


def test_a_row_refers_to_nothing_of_another_town(business: str) -> None:
    """By no key, new or altered; a key that nobody has and one that another town has fail alike."""
    with sessions.session(business, "aurora") as connection:
        keys = {
            table: connection.execute(f"SELECT id FROM {table}".encode()).fetchall()[0][0]
            for table in ("companies", "contacts", "deals")
        }
    references = [
        ("contacts", "company_id", "companies"),
        ("deals", "company_id", "companies"),
        ("deals", "primary_contact_id", "contacts"),
        ("activities", "contact_id", "contacts"),
        ("activities", "company_id", "companies"),
        ("activities", "deal_id", "deals"),
        ("deal_contacts", "deal_id", "deals"),
        ("deal_contacts", "contact_id", "contacts"),
        ("business_notes", "company_id", "companies"),
        ("business_tasks", "deal_id", "deals"),
    ]
    for _, connection in sessions.everyones(business, "fluenti", ""):
        for table, column, target in references:
            for key in (keys[target], 4711):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f"UPDATE {table} SET {column} = {key}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(
                "INSERT INTO deals (hubspot_id, amount, company_id) VALUES ('x', 1, %s)",
                [keys["companies"]],
            )
    with sessions.session(business, "aurora") as connection:
        assert _figures(connection, "companies") == [(True, 1, 1, 0, 100, 0)]


def test_companies_and_contacts_know_their_deals(business: str) -> None:
    """However a deal changes: made, won, moved, no more active, deleted, many in one statement."""
    with sessions.session(business, "aurora") as connection:
        connection.execute("INSERT INTO companies (hubspot_id, name) VALUES ('2', 'second')")
        connection.execute("INSERT INTO contacts (hubspot_id, last_name) VALUES ('2', 'second')")
        none = (False, 0, 0, 0, 0, 0)
        second = "(SELECT id FROM {} WHERE hubspot_id = '2')"
        for statement, companies, contacts in (
            ("SELECT 1", [(True, 1, 1, 0, 100, 0), none], [(True, 1, 1, 0, 100, 0), none]),
            (
                "UPDATE deals SET is_closed = true, closed_won = true, close_date = '2026-01-02Z'",
                [(True, 1, 0, 1, 100, 100), none],
                [(True, 1, 0, 1, 100, 100), none],
            ),
            (
                f"UPDATE deals SET company_id = {second.format('companies')},"
                f" primary_contact_id = {second.format('contacts')}",
                [none, (True, 1, 0, 1, 100, 100)],
                [(True, 1, 0, 1, 100, 100), (True, 1, 0, 1, 100, 100)],
            ),
            (
                "DELETE FROM deal_contacts",
                [none, (True, 1, 0, 1, 100, 100)],
                [none, (True, 1, 0, 1, 100, 100)],
            ),
            (
                "INSERT INTO deals (hubspot_id, amount, company_id)"
                f" SELECT n::text, n, {second.format('companies')} FROM generate_series(1, 10) n",
                [none, (True, 11, 10, 1, 155, 100)],
                [none, (True, 1, 0, 1, 100, 100)],
            ),
            (
                "UPDATE deals SET is_active = false WHERE closed_won",
                [none, (True, 10, 10, 0, 55, 0)],
                [none, none],
            ),
            ("DELETE FROM activities; DELETE FROM deals", [none, none], [none, none]),
        ):
            connection.execute(statement.encode())
            assert _figures(connection, "companies") == companies, statement
            assert _figures(connection, "contacts") == contacts, statement
    with sessions.session(business, "fluenti") as connection:
        assert _figures(connection, "companies") == [(True, 1, 1, 0, 100, 0)]


def test_a_deal_of_no_town_or_another_does_not_count(business: str) -> None:
    """The owner can hang one on a company; whoever counts, the company's figures are its town's."""
    with sessions.session(business, "*", role="robbieblocks") as connection:
        connection.execute(
            "INSERT INTO deals (hubspot_id, amount, company_id) SELECT name, 1, id FROM companies"
        )
        assert _figures(connection, "companies") == [(True, 1, 1, 0, 100, 0)] * 2


def test_two_sessions_that_add_deals_count_both(business: str) -> None:
    """The second waits for the first, and then sees its deal."""
    with (
        sessions.session(business, "aurora") as first,
        sessions.session(business, "aurora") as second,
        sessions.session(business, "aurora") as watching,
    ):
        add = "INSERT INTO deals (hubspot_id, amount, company_id) SELECT %s, 1, id FROM companies"
        waits = "SELECT cardinality(pg_blocking_pids(%s)) > 0"
        with ThreadPoolExecutor(max_workers=1) as pool:
            with first.transaction():
                first.execute(add, ["first"])
                added = pool.submit(second.execute, add, ["second"])
                while watching.execute(waits, [second.info.backend_pid]).fetchone() != (True,):
                    assert not added.done()
            added.result()
        assert _figures(watching, "companies") == [(True, 3, 3, 0, 102, 0)]


def test_a_deals_way_through_the_stages_is_kept(business: str) -> None:
    """With the amount of then and the user; a change of something else is no step."""
    with sessions.session(business, "aurora", "ann") as connection:
        for change in ("amount = 200", "dealstage = 'contractsent'", "deal_name = 'x'"):
            connection.execute(f"UPDATE deals SET {change}".encode())
        assert connection.execute(
            "SELECT previous_stage, stage, amount::integer, changed_by FROM deal_stage_history"
            " ORDER BY id"
        ).fetchall() == [
            (None, "qualifiedtobuy", 100, None),
            ("qualifiedtobuy", "contractsent", 200, sessions.USERS["ann"]),
        ]


def test_what_makes_no_sense_is_refused(business: str) -> None:
    """Won deals that are open, notes about nothing, tasks done at no time, wild numbers."""
    with sessions.session(business, "*", role="robbieblocks") as connection:
        for statement in (
            "UPDATE deals SET closed_won = true",
            "UPDATE deals SET hs_forecast_probability = 101",
            "UPDATE deals SET simulation_confidence = 1.5",
            "UPDATE contacts SET engagement_count = -1",
            "UPDATE activities SET duration_minutes = -1",
            "UPDATE activities SET sentiment_score = 2",
            "UPDATE deal_contacts SET contact_id = NULL",
            "UPDATE deal_stages SET probability = 101",
            "UPDATE deal_stages SET is_won = true",
            "UPDATE business_notes SET deal_id = NULL",
            "UPDATE business_notes SET body = ''",
            "UPDATE business_tasks SET status = 'done'",
            "UPDATE business_tasks SET done_at = now()",
            "UPDATE business_tasks SET status = 'lost'",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())


def test_an_id_of_hubspot_is_unique_in_a_town(business: str) -> None:
    """A second row with it is refused, though not for another town's."""
    with sessions.session(business, "aurora") as connection:
        connection.execute("UPDATE companies SET hubspot_id = 'h'")
        for table, values in (
            ("companies", "(hubspot_id) VALUES ('h')"),
            ("contacts", "(hubspot_id) VALUES ('h')"),
            ("deals", "(hubspot_id) VALUES ('h')"),
            (
                "activities",
                "(hubspot_activity_id, activity_type, activity_date) VALUES ('h', 'call', now())",
            ),
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(f"INSERT INTO {table} {values}".encode())


def test_what_is_referred_to_is_not_deleted(business: str) -> None:
    """A company with contacts stays; with a deal go what is only of it: notes, stages, people."""
    with sessions.session(business, "aurora") as connection:
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("DELETE FROM companies")
        connection.execute("DELETE FROM activities")
        connection.execute("DELETE FROM deals")
        left = _ONE_EACH.keys() - {
            "deals", "activities", "deal_contacts", "deal_stage_history", "business_notes"
        }  # fmt: skip
        assert sessions.seen(connection, _TABLES) == dict.fromkeys(left, 1)


def test_the_log_tells_of_deals_but_not_their_vectors(business: str) -> None:
    """Who changed a contact or a deal stands in audit_log, without the embedding."""
    with sessions.session(business, "aurora", "ann") as connection:
        connection.execute(
            "UPDATE deals SET amount = 7, deal_embedding = array_fill(1, ARRAY[1536])::vector;"
            "UPDATE contacts SET email = 'kim@x'"
        )
        assert connection.execute(
            "SELECT entity_type, new_values - '{last_deal_date,total_deal_value}'::text[]"
            " FROM audit_log WHERE user_id = app_user_id() AND entity_type IN ('deals', 'contacts')"
            " AND new_values ?| '{amount,email}' ORDER BY entity_type"
        ).fetchall() == [("contacts", {"email": "kim@x"}), ("deals", {"amount": 7.0})]


def test_an_earlier_view_of_one_town_reads_with_the_rights_of_whoever_asks(business: str) -> None:
    """aurora_deals shows a session of another town that town's rows, not aurora's."""
    with sessions.session(business, "*", role="robbieblocks") as connection:
        connection.execute("CREATE VIEW aurora_deals AS SELECT deal_name FROM deals")
        connection.execute(f"GRANT SELECT ON aurora_deals TO {sessions.APPLICATION}".encode())
    apply(business, next(file for file in FILES if file.name.startswith("04")))
    with sessions.session(business, "fluenti") as connection:
        assert connection.execute("SELECT * FROM aurora_deals").fetchall() == [("fluenti",)]
    with sessions.session(business, "*", role="robbieblocks") as connection:
        options = connection.execute(
            "SELECT reloptions FROM pg_class WHERE oid = 'aurora_deals'::regclass"
        )
        assert options.fetchall() == [(["security_invoker=true"],)]
