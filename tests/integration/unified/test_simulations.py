"""Simulations of deals: who sees them, what a deal learns, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import psycopg
import pytest

from tests.integration.unified import sessions

pytestmark = pytest.mark.postgres

_TABLES = {
    "testpilot_simulations": "name",
    "simulation_scenarios": "scenario_name",
    "simulation_executions": "execution_type",
    "simulation_templates": "version",
    "deal_simulations": "association_type",
}
_VIEWS = ("active_simulations", "simulation_analytics")
_FILL = """
    INSERT INTO deals (hubspot_id, deal_name, amount, company_id)
         SELECT 'h', name, 100, id FROM companies;
    INSERT INTO testpilot_simulations (simulation_id, name, simulation_type, target_deal_id)
         SELECT 's', deal_name, 'price', id FROM deals;
    INSERT INTO simulation_scenarios (simulation_id, scenario_name)
         SELECT id, 'cheap' FROM testpilot_simulations;
    INSERT INTO simulation_executions (simulation_id, execution_id)
         SELECT id, 'e' FROM testpilot_simulations;
    INSERT INTO simulation_templates (template_name, is_public) VALUES ('t', true);
    INSERT INTO deal_simulations (deal_id, simulation_id)
         SELECT target_deal_id, id FROM testpilot_simulations;
"""


@pytest.fixture
def simulations(unified_database: str) -> Iterator[str]:
    """A database in which two towns have a simulation each, with the same names."""
    with sessions.two_towns(unified_database) as conninfo:
        for town in ("aurora", "fluenti"):
            with sessions.session(conninfo, town) as connection:
                connection.execute(_FILL.encode())
        yield conninfo


def test_a_town_sees_its_own_simulations_alone(simulations: str) -> None:
    """In tables and views, templates that are public, too; it writes no other's."""
    everything = dict.fromkeys((*_TABLES, *_VIEWS), 1)
    for town in ("aurora", "fluenti"):
        for role, connection in sessions.everyones(simulations, town, ""):
            assert sessions.seen(connection, everything) == everything, (role, town)
            assert connection.execute(
                "SELECT deal_name, company_name, deal_amount::integer FROM active_simulations"
            ).fetchall() == [(town, town, 100)]
    for town in ("", "*", "elsewhere"):
        with sessions.session(simulations, town) as connection:
            assert sessions.seen(connection, everything) == {}
            assert sessions.changed(connection, _TABLES) == {}


def test_nothing_is_hung_on_a_simulation_of_another_town(simulations: str) -> None:
    """By its key, or by that of a deal; the deal of another town learns nothing."""
    with sessions.session(simulations, "aurora") as connection:
        keys = connection.execute("SELECT id, target_deal_id FROM testpilot_simulations").fetchone()
        assert keys
    simulation, deal = keys
    for _, connection in sessions.everyones(simulations, "fluenti", ""):
        for statement in (
            f"UPDATE testpilot_simulations SET target_deal_id = {deal}",
            "INSERT INTO testpilot_simulations (simulation_id, name, status, target_deal_id)"
            f" VALUES ('x', 'x', 'failed', {deal})",
            f"UPDATE simulation_scenarios SET simulation_id = {simulation}",
            f"UPDATE simulation_executions SET simulation_id = {simulation}",
            f"UPDATE deal_simulations SET deal_id = {deal}",
            f"UPDATE deal_simulations SET simulation_id = {simulation}",
            "INSERT INTO activities (hubspot_activity_id, activity_type, activity_date,"
            f" simulation_id) VALUES ('x', 'x', now(), {simulation})",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement.encode())
    with sessions.session(simulations, "aurora") as connection:
        status = connection.execute("SELECT simulation_status FROM deals").fetchall()
        assert status == [("pending",)]


def test_a_deal_learns_how_its_simulation_stands_and_what_it_found(simulations: str) -> None:
    """A completed one counts, once; a change of something else tells the deal nothing."""
    with sessions.session(simulations, "aurora") as connection:
        told = (
            "SELECT simulation_status, simulation_count, simulation_insights,"
            " simulation_confidence, last_simulation_date IS NOT NULL FROM deals"
        )
        change = "UPDATE testpilot_simulations SET "
        connection.execute(f"{change} status = 'running'".encode())
        assert connection.execute(told).fetchall() == [("running", 0, None, None, False)]
        connection.execute(
            f"""{change} status = 'completed', confidence_score = 0.8, completed_at = now(),
                ai_analysis = '{{"summary": "lower the price"}}'""".encode()
        )
        connection.execute(f"{change} progress_percentage = 100".encode())
        assert connection.execute(told).fetchall() == [
            ("completed", 1, "lower the price", Decimal("0.80"), True)
        ]
        assert connection.execute("SELECT FROM active_simulations").fetchall() == []


def test_the_analytics_tell_numbers_by_type(simulations: str) -> None:
    """How many there are, by status, how far, what they cost; the owner sees every town."""
    with sessions.session(simulations, "aurora") as connection:
        connection.execute(
            """
            INSERT INTO testpilot_simulations (simulation_id, name, simulation_type, status,
                                               progress_percentage, cost_usd, confidence_score)
            VALUES ('2', '2', 'price', 'completed', 100, 2.5, 0.5),
                   ('3', '3', 'price', 'failed', 50, 1, NULL),
                   ('4', '4', 'timing', 'running', 10, 0, NULL)
            """
        )
        assert connection.execute(
            "SELECT town, simulation_type, total_simulations, completed_simulations,"
            " running_simulations, failed_simulations, avg_progress::integer, total_cost,"
            " avg_confidence FROM simulation_analytics ORDER BY simulation_type"
        ).fetchall() == [
            ("aurora", "price", 3, 1, 0, 1, 50, Decimal("3.5"), Decimal("0.5")),
            ("aurora", "timing", 1, 0, 1, 0, 10, Decimal(0), None),
        ]
    with sessions.session(simulations, "*", role="robbieblocks") as connection:
        towns = connection.execute("SELECT DISTINCT town FROM simulation_analytics ORDER BY 1")
        assert towns.fetchall() == [("aurora",), ("fluenti",)]


def test_what_makes_no_sense_is_refused(simulations: str) -> None:
    """Unknown states, more than all, an end before the beginning, a simulation of nothing."""
    with sessions.session(simulations, "*", role="robbieblocks") as connection:
        for statement in (
            "UPDATE testpilot_simulations SET status = 'lost'",
            "UPDATE testpilot_simulations SET progress_percentage = 101",
            "UPDATE testpilot_simulations SET confidence_score = 1.5",
            "UPDATE testpilot_simulations SET cost_usd = -1",
            "UPDATE testpilot_simulations SET started_at = now(), completed_at = 'yesterday'",
            "UPDATE simulation_executions SET status = 'pending'",
            "UPDATE simulation_executions SET completed_at = '-infinity'",
            "UPDATE simulation_executions SET accuracy_score = 2",
            "UPDATE simulation_executions SET simulation_id = NULL",
            "UPDATE simulation_scenarios SET simulation_id = NULL",
            "UPDATE simulation_templates SET success_rate = 1.5",
            "UPDATE simulation_templates SET usage_count = -1",
            "UPDATE deal_simulations SET deal_id = NULL",
        ):
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute(statement.encode())
    with sessions.session(simulations, "aurora") as connection:
        for statement in (
            "INSERT INTO testpilot_simulations (simulation_id, name) VALUES ('s', 'x')",
            "INSERT INTO simulation_templates (template_name) VALUES ('t')",
            "INSERT INTO simulation_executions (simulation_id, execution_id)"
            " SELECT id, 'e' FROM testpilot_simulations",
        ):
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(statement.encode())


def test_a_simulation_outlives_its_deal(simulations: str) -> None:
    """What was simulated stays; what said something about the deal alone goes with it."""
    with sessions.session(simulations, "aurora") as connection:
        connection.execute("DELETE FROM deals")
        assert connection.execute(
            "SELECT target_deal_id FROM testpilot_simulations"
        ).fetchall() == [(None,)]
        left = dict.fromkeys(_TABLES.keys() - {"deal_simulations"}, 1)
        assert sessions.seen(connection, _TABLES) == left
        connection.execute("DELETE FROM testpilot_simulations")
        assert sessions.seen(connection, _TABLES) == {"simulation_templates": 1}
