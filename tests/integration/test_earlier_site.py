"""A site in a database of the earlier version, brought up to date and built."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from robbieblocks import changes, record, snapshot
from robbieblocks.database import schema
from tests.building import Builder

pytestmark = pytest.mark.postgres

_EARLIER = Path(__file__).parents[1] / "fixtures" / "earlier-21-robbieblocks-cms.sql"
_NODES = ("aurora-town-local", "collaboration-local", "fluenti-local", "vengeance-local")


@pytest.fixture
def earlier(make_builder: Callable[[str], Builder], empty_database: str) -> Builder:
    """An installation over the earlier database, after `db upgrade`."""
    with psycopg.connect(empty_database, autocommit=True) as db:
        db.execute(_EARLIER.read_bytes())
        assert schema.upgrade(db).remaining == ()
    return make_builder(empty_database)


def test_every_node_is_built_after_an_upgrade(earlier: Builder) -> None:
    """Every page goes out in the estate's own colours, and every queue row is handled."""
    report = earlier.build()
    assert [run.outcome for run in report.runs] == ["published"] * len(report.runs)
    assert {run.node for run in report.runs} == set(_NODES)
    assert "<i>bar</i>" in earlier.html("vengeance-local", "play", "play/index.html")
    assert (
        earlier.sql("SELECT id FROM robbieblocks_change_triggers WHERE processed_at IS NULL") == []
    )
    page = earlier.html("vengeance-local", "play", "play/index.html")
    assert "--color-background:#0F172A;" in page
    tokens = json.loads(earlier.html("vengeance-local", "play", "tokens.json"))
    assert "color.heading" not in tokens


def test_a_second_build_has_nothing_to_do(earlier: Builder) -> None:
    """What was built from an earlier database is as it should be, until it changes."""
    earlier.build()
    assert {run.outcome for run in earlier.build().runs} == {"unchanged"}


def test_what_waits_is_read_whatever_the_rows_hold(earlier: Builder) -> None:
    """Arrays with dimensions or nulls, words of their own and odd times are read for every node."""
    # Without its trigger, which would process rows of more than a week ago.
    earlier.sql(
        "ALTER TABLE robbieblocks_node_branding DISABLE TRIGGER robbieblocks_capture_update;"
        "UPDATE robbieblocks_node_branding SET enabled_apps = '{{work},{code}}'"
        " WHERE node_id = 'fluenti-local';"
        "ALTER TABLE robbieblocks_node_branding ENABLE TRIGGER robbieblocks_capture_update"
    )
    for node in _NODES:
        waiting = changes.waiting(earlier.connection, node)
        assert waiting.count >= 1
        assert waiting.apps is not None
        assert "shared" in waiting.apps
    assert len(snapshot.triggers(earlier.connection)) == 5
    assert {run.outcome for run in earlier.build().runs} == {"published"}


def test_runs_without_a_node_or_a_time_are_closed(earlier: Builder) -> None:
    """What the earlier version left unfinished is ended, and is not the latest of anything."""
    assert record.close_abandoned(earlier.connection, 60) == 3
    assert earlier.sql("SELECT id FROM robbieblocks_active_deploys") == []
    assert set(record.latest(earlier.connection)) == {("vengeance-local", "play")}


_REFUSE: LiteralString = """
    ALTER TABLE robbieblocks_change_triggers ADD CONSTRAINT mine
          CHECK (entity_type <> 'Seite' AND trigger_type <> 'page_updated') NOT VALID
"""
_REFUSED = {
    UUID("00000000-0000-4000-8000-000000000083"),
    UUID("00000000-0000-4000-8000-000000000084"),
}


def test_a_row_that_can_not_be_acknowledged_blocks_no_build(earlier: Builder) -> None:
    """It is named with what refuses it; the pages go out, and the other rows are acknowledged."""
    earlier.sql(_REFUSE)
    report = earlier.build()
    assert {run.outcome for run in report.runs} == {"published"}
    assert {UUID(problem.key) for problem in report.refused} == _REFUSED
    assert {problem.field for problem in report.refused} == {"mine"}
    left = earlier.sql("SELECT id FROM robbieblocks_change_triggers WHERE processed_at IS NULL")
    assert {row["id"] for row in left} == _REFUSED
    assert any("can't acknowledge it" in line for line in earlier.said)
    earlier.sql("ALTER TABLE robbieblocks_change_triggers DROP CONSTRAINT mine")
    assert earlier.build().refused == ()


def test_two_tokens_that_are_one_property_name_their_rows(earlier: Builder) -> None:
    """The error names both token rows, and the run every page that it holds back."""
    earlier.build()
    earlier.sql(
        "INSERT INTO robbieblocks_style_tokens (token_key, token_category, default_value)"
        " VALUES ('font.size-2xl', 'font', '2rem')"
    )
    report = earlier.build(nodes=("fluenti-local",))
    assert {
        (problem.entity, problem.key, problem.field)
        for problem in report.problems
        if problem.severity == "error"
    } == {
        ("style_token", "font.size-2xl", "token_key"),
        ("style_token", "font.size.2xl", "token_key"),
    }
    held = {run.app: [page.key for page in run.held_back] for run in report.runs}
    assert held["work"] == ["old-desk"]
    assert held["code"] == ["old-shelf"]
    work = next(run for run in report.runs if run.app == "work")
    assert work.error.startswith("held back: old-desk\n")
    assert "font.size.2xl" in work.error
    assert "<i>bar</i>" in earlier.html("fluenti-local", "work", "work/index.html")
