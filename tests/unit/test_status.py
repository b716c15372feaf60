"""What `robbieblocks status` says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from robbieblocks.cli.operating.status import as_json
from robbieblocks.cli.operating.status_findings import misaddressed, missing_cards
from robbieblocks.cli.operating.status_text import AppStatus, as_text
from robbieblocks.model import WAITING_CARD
from robbieblocks.record import LastRun
from robbieblocks.release import NotServed, Pin
from robbieblocks.settings import Addresses

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
RUN = LastRun(
    status="success",
    at=NOW - timedelta(minutes=3),
    triggered_by="page_update",
    worker="host:1",
    error=None,
    built="a" * 64,
)
PIN = Pin(build_hash="a" * 64, who="ann@web1", why="fair\nweek", since=NOW)
FINE = AppStatus(
    node="vengeance-local",
    app="play",
    desired="a" * 64,
    built="a" * 64,
    served="a" * 64,
    pin=None,
    last_run=RUN,
)
WRONG = NotServed(
    url="http://a/play/",
    problem="answered 404",
    culprit="another root",
    why="it has no such page",
    remedy="have it serve the folder",
)


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (FINE, "up to date"),
        (replace(FINE, desired="b" * 64), "behind"),
        (replace(FINE, desired="?"), "up to date"),
        (replace(FINE, desired="b" * 64, waiting=2, oldest_seconds=1.0), "2 waiting"),
        (replace(FINE, held_back=("robbie-play-home",)), "1 held back"),
        (replace(FINE, pin=PIN, desired="b" * 64), "pinned"),
        (replace(FINE, pin=PIN, waiting=3), "pinned, 3 waiting"),
        (replace(FINE, last_run=replace(RUN, status="building")), "building"),
        (replace(FINE, last_run=replace(RUN, status="failed")), "failed"),
        (replace(FINE, served=None, built=None, desired="?", last_run=None), "nothing live"),
    ],
)
def test_the_state_of_an_app_in_a_word(state: AppStatus, verdict: str) -> None:
    """The most pressing thing about an app is its state."""
    assert state.verdict == verdict


def test_a_single_node_has_a_line_an_app_with_every_fact() -> None:
    """Hashes are short, what waits has its age, and the last run says when and why."""
    other = replace(FINE, app="work", waiting=3, oldest_seconds=7200.0)
    lines = as_text([other, FINE], NOW).splitlines()
    assert len(lines) == 3
    heading = "node app state should be built served waiting last run"
    assert lines[0].split() == heading.split()
    assert "3, 2 h" in lines[1]
    assert lines[2].endswith("success 3 min ago (page_update)")
    assert "a" * 13 not in lines[2]


def test_nodes_stand_side_by_side() -> None:
    """Nodes that share a database are columns, apps are lines; `-` where a node has no such app."""
    aurora = replace(FINE, node="aurora-town-local", served="b" * 64, built="b" * 64)
    states = [
        replace(aurora, app="code", desired="b" * 64),
        replace(FINE, app="code"),
        FINE,
    ]
    assert as_text(states, NOW).splitlines() == [
        "app   aurora-town-local              vengeance-local",
        "code  up to date bbbbbbbb 3 min ago  up to date aaaaaaaa 3 min ago",
        "play  -                              up to date aaaaaaaa 3 min ago",
    ]


def test_every_fact_of_what_is_not_consistent_follows_below() -> None:
    """Of an app that waits, lags, failed or is pinned, all three hashes and the run are shown."""
    late = replace(
        FINE, node="aurora-town-local", desired="c" * 64, waiting=3, oldest_seconds=7200.0
    )
    table, facts = as_text([late, FINE], NOW).split("\n\n")
    assert table.splitlines()[1].split("  ")[1:] == [
        "3 waiting aaaaaaaa oldest 2 h",
        "up to date aaaaaaaa 3 min ago",
    ]
    (_, fact) = facts.splitlines()
    assert fact.split()[0] == "aurora-town-local"
    assert [f"{letter * 12}" for letter in "caa"] == fact.split()[4:7]
    for other in (
        replace(FINE, pin=PIN),
        replace(FINE, desired="b" * 64),
        replace(FINE, built="b" * 64, desired="?"),
        replace(FINE, held_back=("x",)),
    ):
        assert not other.consistent


def test_nodes_that_do_not_fit_follow_below() -> None:
    """No line is wider than the terminal, and no node is left out."""
    states = [replace(FINE, node=f"node-{number}") for number in range(5)]
    lines = as_text(states, NOW, width=80).splitlines()
    assert max(map(len, lines)) <= 80
    heads = [line.split()[1:] for line in lines if line.startswith("app")]
    assert heads == [["node-0", "node-1"], ["node-2", "node-3"], ["node-4"]]


def test_a_node_too_wide_for_any_terminal_has_a_table_of_its_own() -> None:
    """A terminal of ten columns breaks lines, and drops none."""
    states = [FINE, replace(FINE, node="aurora-town-local")]
    assert as_text(states, NOW, width=10).count("app ") == 2


def test_colour_changes_no_column() -> None:
    """Stripped of colour, the coloured text is the plain one."""
    states = [FINE, replace(FINE, node="aurora-town-local", desired="b" * 64)]
    painted = as_text(states, NOW, color=True)
    assert painted != as_text(states, NOW)
    bare = re.sub(r"\x1b\[[0-9;]*m", "", painted)
    stripped = "\n".join(line.rstrip() for line in bare.splitlines())
    assert stripped == as_text(states, NOW)


def test_what_is_not_known_is_explained() -> None:
    """A question mark in the table has its footnote."""
    assert "another machine" in as_text([replace(FINE, served="?")], NOW)


def test_the_json_form_has_whole_hashes_and_times() -> None:
    """Programs get everything, and the verdict with it."""
    (found,) = json.loads(json.dumps(as_json([FINE], {}, []), default=str))["apps"]
    assert found["served"] == "a" * 64
    assert found["verdict"] == "up to date"
    assert found["last_run"]["at"].startswith("2026-06-01")


def test_a_pin_stands_below_with_who_why_what_waits_and_what_ends_it() -> None:
    """On one line, in whatever form the table is."""
    for others in ([], [replace(FINE, node="aurora-town-local")]):
        text = as_text([replace(FINE, pin=PIN, waiting=2, oldest_seconds=60.0), *others], NOW)
        (line,) = [line for line in text.splitlines() if "unpin" in line]
        assert line == (
            "vengeance-local/play: release aaaaaaaaaaaa is pinned by ann@web1 since "
            f"{NOW:%Y-%m-%d %H:%M}Z: fair\\nweek, 2 changes waiting "
            "-> robbieblocks unpin --node vengeance-local --app play"
        )
    assert "unpin" not in as_text([FINE], NOW)


def test_an_address_that_nothing_is_asked_at_is_told() -> None:
    """Of a node that is not known, or an origin alone; one for all nodes is an address, too."""
    urls, origins = {"a": "http://a", "bb": "http://b"}, {"a": "http://o", "c": "http://o"}
    given = Addresses(urls=urls, origins=origins)
    unknown, alone = misaddressed(given, ["a", "b", "c"])
    assert (unknown.node, alone.node) == ("bb", "c")
    assert "did you mean b?" in unknown.remedy
    assert misaddressed(replace(given, smoke_url="http://all"), ["a", "bb", "c"]) == []


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (replace(FINE, edited=("x is gone",), waiting=2), "edited on the disk"),
        (replace(FINE, pin=PIN, edited=("x is gone",)), "pinned"),
        (replace(FINE, not_served=(WRONG,)), "not served"),
        (replace(FINE, not_served=(WRONG,), desired="b" * 64), "behind"),
    ],
)
def test_a_drift_is_the_state_of_an_app(state: AppStatus, verdict: str) -> None:
    """Unless something more pressing is."""
    assert state.verdict == verdict
    assert not state.consistent
    json.dumps(as_json([state], {}, []), default=str)


def test_pages_without_their_card_are_told() -> None:
    """Those that could not be drawn are a finding with page and reason; others are on their way."""
    waiting = {f"p{number}": WAITING_CARD for number in range(1200)}
    drawing = replace(FINE, without_card=waiting)
    assert list(missing_cards(drawing)) == []
    told = "vengeance-local/play: 1,200 social cards to be drawn once builds rest"
    assert told in as_text([drawing], NOW)
    failed = replace(FINE, without_card={"b": "timed out", **waiting})
    (finding,) = missing_cards(failed)
    assert not finding.stops
    assert "1 page without the social card that it should have (b): timed out" in str(finding)
    assert failed.as_json()["without_card"] == failed.without_card
    assert "social card" not in as_text([FINE], NOW)
