"""What `robbieblocks status` says."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from robbieblocks.cli.status import AppStatus, as_json, as_text
from robbieblocks.record import LastRun

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = LastRun(
    status="success",
    at=NOW - timedelta(minutes=3),
    triggered_by="page_update",
    worker="host:1",
    error=None,
    built="a" * 64,
)
FINE = AppStatus(
    node="vengeance-local",
    app="play",
    desired="a" * 64,
    built="a" * 64,
    served="a" * 64,
    pinned=None,
    last_run=RUN,
)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (FINE, "up to date"),
        (replace(FINE, desired="b" * 64), "behind"),
        (replace(FINE, desired="?"), "up to date"),
        (replace(FINE, desired="b" * 64, waiting=2, oldest_seconds=1.0), "2 waiting"),
        (replace(FINE, held_back=("robbie-play-home",)), "1 held back"),
        (replace(FINE, pinned="a" * 64, desired="b" * 64), "pinned"),
        (replace(FINE, last_run=replace(RUN, status="building")), "building"),
        (replace(FINE, last_run=replace(RUN, status="failed")), "failed"),
        (replace(FINE, served=None, built=None, desired="?", last_run=None), "nothing live"),
    ],
)
def test_the_state_of_an_app_in_a_word(state: AppStatus, verdict: str) -> None:
    """The most pressing thing about an app is its state."""
    assert state.verdict == verdict


def test_the_table_has_a_line_an_app() -> None:
    """Nodes stand one under the other, hashes are short, and the last run says when and why."""
    other = replace(FINE, node="aurora-town-local", waiting=3, oldest_seconds=7200.0)
    lines = as_text([other, FINE], NOW).splitlines()
    assert len(lines) == 3
    heading = "node app state should be built served waiting last run"
    assert lines[0].split() == heading.split()
    assert "3, 2 h" in lines[1]
    assert lines[2].endswith("success 3 min ago (page_update)")
    assert "a" * 13 not in lines[2]


def test_what_is_not_known_is_explained() -> None:
    """A question mark in the table has its footnote."""
    assert "another machine" in as_text([replace(FINE, served="?")], NOW)


def test_the_json_form_has_whole_hashes_and_times() -> None:
    """Programs get everything, and the verdict with it."""
    (found,) = json.loads(json.dumps(as_json([FINE]), default=str))["apps"]
    assert found["served"] == "a" * 64
    assert found["verdict"] == "up to date"
    assert found["last_run"]["at"].startswith("2026-06-01")
