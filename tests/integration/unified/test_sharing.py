"""What towns share: exactly that is read by those to whom it is published, and by nobody else."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection

from tests.integration.unified import sessions

pytestmark = pytest.mark.postgres

_TABLES = {
    "shared_enriched_records": "metadata",
    "shared_knowledge_base": "metadata",
    "shared_market_intelligence": "metadata",
}
# Each town has of everything one for itself and one for all; aurora has a record for fluenti, too.
_FILL = """
    SELECT add_shared_knowledge('private of ' || current_town(), 'text', 'c', '{t}');
    SELECT add_shared_knowledge('public of ' || current_town(), 'text', p_is_public => true);
    SELECT share_enriched_data('company', 'private of ' || current_town(), '{"a": 1}');
    SELECT share_enriched_data('company', 'public of ' || current_town(), '{"a": 2}',
                               p_shared_with => '{*}');
    INSERT INTO shared_market_intelligence (company_domain, intelligence_data, is_public)
         VALUES ('private-' || current_town(), '{}', false),
                ('public-' || current_town(), '{}', true);
"""
_TO_FLUENTI = "SELECT share_enriched_data('company', 'for fluenti', '{}', NULL, '{fluenti}')"


@pytest.fixture
def shared(unified_database: str) -> Iterator[str]:
    """A database in which two towns, and a third without a role of its own, share things."""
    with sessions.two_towns(unified_database) as conninfo:
        with sessions.session(conninfo, "*", role="robbieblocks") as connection:
            connection.execute("INSERT INTO towns (name, display_name) VALUES ('vengeance', 'V')")
        for town in ("aurora", "fluenti"):
            with sessions.session(conninfo, town) as connection:
                connection.execute(_FILL.encode())
        with sessions.session(conninfo, "aurora") as connection:
            connection.execute(_TO_FLUENTI)
        yield conninfo


def _read(connection: Connection) -> tuple[set[str], set[str], set[str], set[str]]:
    """What a session reads with the functions and the view."""
    records, knowledge, view, market = (
        {name for (name,) in connection.execute(query).fetchall()}
        for query in (
            "SELECT external_id FROM get_shared_enriched_records()",
            "SELECT title FROM get_shared_knowledge()",
            "SELECT title FROM shared_knowledge_all",
            "SELECT company_domain FROM get_shared_market_intelligence()",
        )
    )
    return records, knowledge, view, market


def test_a_town_reads_its_own_and_what_is_published_to_it(shared: str) -> None:
    """From the tables its own alone, with the functions what others share with it, too."""
    everybodys = {"public of aurora", "public of fluenti"}
    domains = {"public-aurora", "public-fluenti"}
    to_one = {"aurora": {"for fluenti"}, "fluenti": {"for fluenti"}, "vengeance": set[str]()}
    for town, more in to_one.items():
        shares = town != "vengeance"
        own = {f"private of {town}"} if shares else set[str]()
        own_domains = {f"private-{town}"} if shares else set[str]()
        for role, connection in sessions.everyones(shared, town, ""):
            records, knowledge, view, market = _read(connection)
            assert records == own | everybodys | more, (role, town)
            assert knowledge == view == own | everybodys, (role, town)
            assert market == own_domains | domains, (role, town)


def test_the_tables_show_a_town_its_own_rows_alone(shared: str) -> None:
    """Public ones of others neither, by no WHERE; nor are they altered or deleted."""
    for town, other in (("aurora", "fluenti"), ("fluenti", "aurora")):
        for role, connection in sessions.everyones(shared, town, ""):
            for table in _TABLES:
                towns = connection.execute(
                    f"SELECT DISTINCT source_town FROM {table} WHERE is_public OR true".encode()
                ).fetchall()
                assert towns == [(town,)], (role, table)
                for statement in (
                    f"UPDATE {table} SET is_public = true WHERE source_town = '{other}'",
                    f"DELETE FROM {table} WHERE source_town = '{other}'",
                ):
                    assert connection.execute(statement.encode()).rowcount == 0


def test_without_a_town_nothing_is_shared(shared: str) -> None:
    """No town, an unknown one, a suspended one, and `*` of a role that does not own the tables."""
    with sessions.session(shared, "*", role="robbieblocks") as connection:
        connection.execute("UPDATE towns SET is_active = false WHERE name = 'vengeance'")
    for town in ("", "elsewhere", "vengeance", "*"):
        with sessions.session(shared, town) as connection:
            assert _read(connection) == (set(), set(), set(), set()), town
            assert sessions.seen(connection, _TABLES) == {}, town


def test_no_town_speaks_for_another(shared: str) -> None:
    """Neither reads in its name, nor publishes in it, nor gives rows away."""
    for role, connection in sessions.everyones(shared, "fluenti", ""):
        for statement in (
            "SELECT get_shared_enriched_records('aurora')",
            "SELECT add_shared_knowledge('x', 'x', p_source_town => 'aurora')",
            "SELECT share_enriched_data('x', 'x', '{}', 'aurora', '{*}')",
            "INSERT INTO shared_knowledge_base (title, source_town, created_by)"
            " VALUES ('x', 'aurora', 'x')",
            "UPDATE shared_market_intelligence SET source_town = 'aurora'",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
        named = connection.execute("SELECT count(*) FROM get_shared_enriched_records('fluenti')")
        assert named.fetchone() == (4,), role


def test_a_mistake_in_a_function_shows_no_more(shared: str) -> None:
    """One of the owner's that forgets to ask who reads gives what is published to the session."""
    with sessions.session(shared, "", role="robbieblocks") as connection:
        connection.execute(
            """
            CREATE FUNCTION mistaken() RETURNS SETOF shared_enriched_records LANGUAGE sql
            SECURITY DEFINER SET search_path FROM CURRENT
            AS 'SELECT * FROM shared_enriched_records'
            """
        )
    own = {"fluenti": {"for fluenti", "private of fluenti"}, "vengeance": set[str]()}
    for town, more in own.items():
        for role, connection in sessions.everyones(shared, town, ""):
            rows = connection.execute("SELECT external_id FROM mistaken()").fetchall()
            told = {name for (name,) in rows}
            assert told == more | {"public of aurora", "public of fluenti"}, role


def test_who_else_may_read_a_record_is_not_told(shared: str) -> None:
    """The list of towns is the publisher's; a reader finds it in no column of the function."""
    with sessions.session(shared, "fluenti") as connection:
        cursor = connection.execute("SELECT * FROM get_shared_enriched_records()")
        assert cursor.description
        assert {"shared_with", "embedding"}.isdisjoint(column.name for column in cursor.description)


def test_what_is_withdrawn_is_gone_for_the_others(shared: str) -> None:
    """At once, from every function and view; the publisher still has it."""
    with sessions.session(shared, "aurora") as connection:
        for table in _TABLES:
            connection.execute(f"UPDATE {table} SET is_public = false".encode())
        connection.execute("UPDATE shared_enriched_records SET shared_with = '{}'")
        assert len(_read(connection)[0]) == 4
    with sessions.session(shared, "fluenti") as connection:
        own = {"private of fluenti", "public of fluenti"}
        assert _read(connection) == (own, own, own, {"private-fluenti", "public-fluenti"})


def test_nothing_is_shared_with_a_town_that_is_not_there(shared: str) -> None:
    """One that is made later would get it; the error names the town, and nothing is written."""
    with sessions.session(shared, "aurora") as connection:
        for statement in (
            "SELECT share_enriched_data('x', 'x', '{}', NULL, '{fluenti, helios}')",
            "UPDATE shared_enriched_records SET shared_with = '{helios}'",
            "UPDATE shared_enriched_records SET shared_with = '{NULL}'",
        ):
            with pytest.raises(psycopg.errors.ForeignKeyViolation, match="there is no town "):
                connection.execute(statement.encode())
        assert connection.execute("SELECT count(*) FROM shared_enriched_records").fetchone() == (3,)


def test_the_next_town_of_a_name_reads_nothing_that_was_shared_with_the_one_before(
    shared: str,
) -> None:
    """A town that is renamed keeps it, one that is removed has it no more; the rest stays."""
    with sessions.session(shared, "aurora") as connection:
        share = "SELECT share_enriched_data('company', 'x', '{}', NULL, '{vengeance,fluenti}')"
        connection.execute(share.encode())
    make = "INSERT INTO towns (name, display_name) VALUES ('vengeance', 'V')"
    with sessions.session(shared, "fluenti", role="robbieblocks") as owner:
        owner.execute("UPDATE towns SET name = 'renamed' WHERE name = 'vengeance'")
        assert owner.execute("SHOW app.town").fetchone() == ("fluenti",)
        owner.execute(make)
        for town, read in {"renamed": True, "vengeance": False, "fluenti": True}.items():
            with sessions.session(shared, town) as connection:
                assert ("x" in _read(connection)[0]) == read, town
        owner.execute("DELETE FROM towns WHERE name IN ('renamed', 'vengeance')")
        owner.execute(make.replace("'vengeance'", "'renamed'"))
    for town, read in {"renamed": False, "fluenti": True}.items():
        with sessions.session(shared, town) as connection:
            assert ("x" in _read(connection)[0]) == read, town


def test_nothing_is_published_unless_it_is_said(shared: str) -> None:
    """A row of each table that says nothing about it is the town's own."""
    with sessions.session(shared, "aurora") as connection:
        for statement in (
            "INSERT INTO shared_enriched_records (record_type, external_id, enrichment_data)"
            " VALUES ('x', 'quiet', '{}')",
            "INSERT INTO shared_knowledge_base (title, created_by) VALUES ('quiet', 'x')",
            "INSERT INTO shared_market_intelligence (company_domain, intelligence_data)"
            " VALUES ('quiet', '{}')",
        ):
            connection.execute(statement.encode())
        assert all("quiet" in read for read in _read(connection))
    with sessions.session(shared, "fluenti") as connection:
        assert not any("quiet" in read for read in _read(connection))


def test_the_owner_reads_for_a_town_or_for_all(shared: str) -> None:
    """With `*` every row; in a town what that town reads."""
    with sessions.session(shared, "*", role="robbieblocks") as connection:
        assert len(_read(connection)[1]) == 4
        reads = connection.execute(
            "SELECT external_id FROM get_shared_enriched_records('vengeance')"
        ).fetchall()
        assert {name for (name,) in reads} == {"public of aurora", "public of fluenti"}
        id_ = connection.execute(
            "SELECT add_shared_knowledge('t', 'x', p_source_town => 'aurora', p_created_by => 'me')"
        ).fetchone()
        assert connection.execute(
            "SELECT source_town, created_by, is_public FROM shared_knowledge_base WHERE id = %s",
            id_,
        ).fetchone() == ("aurora", "me", False)


def test_the_numbers_are_the_sessions_town_s(shared: str) -> None:
    """A town reads its own line of both views, the owner everybody's."""
    with sessions.session(shared, "aurora") as connection:
        connection.execute(
            "INSERT INTO deals (hubspot_id, amount, is_closed, closed_won)"
            " VALUES ('1', 10, true, true), ('2', 5, false, false)"
        )
        assert connection.execute("SELECT * FROM cross_town_analytics").fetchall() == [
            ("aurora", "Aurora", 1, 0, 2, 15, 10, 0)
        ]
        assert connection.execute("SELECT * FROM cross_town_shared_analytics").fetchall() == [
            ("aurora", "Aurora", 1, 0, 2, 2, 3, 2)
        ]
    with sessions.session(shared, "*", role="robbieblocks") as connection:
        for view in ("cross_town_analytics", "cross_town_shared_analytics"):
            names = connection.execute(f"SELECT town_name FROM {view} ORDER BY 1".encode())
            assert names.fetchall() == [("aurora",), ("fluenti",), ("vengeance",)]


def test_what_makes_no_sense_is_refused(shared: str) -> None:
    """Confidence beyond its range, and a town that is not there as the source."""
    with sessions.session(shared, "*", role="robbieblocks") as connection:
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute("UPDATE shared_market_intelligence SET confidence_score = 101")
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            connection.execute("UPDATE shared_market_intelligence SET source_town = 'helios'")


def test_one_domain_is_asked_for(shared: str) -> None:
    """get_shared_market_intelligence() with a domain gives what is known of it."""
    with sessions.session(shared, "aurora") as connection:
        for domain, rows in (("public-fluenti", 1), ("private-fluenti", 0), ("private-aurora", 1)):
            found = connection.execute("SELECT get_shared_market_intelligence(%s)", [domain])
            assert len(found.fetchall()) == rows, domain
