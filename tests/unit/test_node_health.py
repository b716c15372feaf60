"""The one judgement of a node's health."""

from __future__ import annotations

from dataclasses import replace

import pytest

from robbieblocks.record import NodeFacts, WorkerSeen, judge

ACTIVE = WorkerSeen(host="here", pid=7, state="active", silent_s=3.0)
FINE = NodeFacts(node="n", workers=(ACTIVE,), had_worker=True)


@pytest.mark.parametrize(
    "facts",
    [
        FINE,
        NodeFacts(node="n"),
        NodeFacts(node="n", workers=()),
        replace(FINE, workers=(ACTIVE, replace(ACTIVE, pid=8, state="standby", silent_s=900.0))),
        replace(FINE, workers=(replace(ACTIVE, silent_s=None),)),
        replace(FINE, waiting=3, oldest_s=5.0),
    ],
)
def test_nothing_is_found_where_all_is_well(facts: NodeFacts) -> None:
    """A worker that works, a standby beside it, a node without either, and what waits a moment."""
    assert judge(facts) == ()


@pytest.mark.parametrize(
    ("facts", "said", "stops"),
    [
        (
            NodeFacts(node="n", state="unreachable", why="no right"),
            "n: unreachable: no right",
            True,
        ),
        (NodeFacts(node="n", state="standby"), "n: standby -> ", True),
        (replace(FINE, workers=()), "n: its worker runs no more -> start", True),
        (NodeFacts(node="n", workers=(), waiting=2), "no worker runs, and 2 changes wait", True),
        (
            replace(FINE, workers=(replace(ACTIVE, state="standby"),)),
            "n: every worker is a standby",
            True,
        ),
        (
            replace(FINE, workers=(replace(ACTIVE, silent_s=61.0),)),
            "here:7 gave no sign of life for 61 s",
            True,
        ),
        (
            replace(FINE, workers=(replace(ACTIVE, lacks="GRANT SELECT ON t TO w"),)),
            "n: the worker here:7 lacks a right -> GRANT SELECT ON t TO w; or schema/roles.sql",
            True,
        ),
        (
            replace(FINE, errors={"play": "disk full\n  -> make room"}),
            "disk full -> make room",
            True,
        ),
        (replace(FINE, errors={"play": "odd"}), "n/play: odd -> correct what it names", True),
        (replace(FINE, waiting=1, oldest_s=61.0), "n: 1 change waits, the oldest for 61 s", False),
        (replace(FINE, waiting=2, oldest_s=61.0), "n: 2 changes wait, the oldest for 61 s", False),
        (
            replace(FINE, behind={"play": ("robbie-play-home",)}),
            "robbieblocks build --node n --app play",
            True,
        ),
        (
            replace(FINE, held_back={"play": "1 page\n  -> mend it"}),
            "n/play: 1 page -> mend",
            False,
        ),
    ],
)
def test_each_thing_is_one_line_with_a_remedy(facts: NodeFacts, said: str, *, stops: bool) -> None:
    """What is not as it should be, where, what to do, and whether it stops edits."""
    (found,) = judge(facts)
    assert said in str(found)
    assert found.stops is stops
    assert "\n" not in str(found)
    assert found.remedy


def test_a_line_is_safe_to_print() -> None:
    """Escapes of an error's text don't reach the terminal."""
    (found,) = judge(replace(FINE, errors={"play": "\x1b[31mred"}))
    assert "\x1b" not in str(found)


def test_three_kinds_of_drift_are_told_apart() -> None:
    """Each names what differs, some of many, and what to do; the disk's comes first."""
    facts = replace(
        FINE,
        edited={"play": ["a is gone", "b is a link", "c is gone", "d is gone"]},
        behind={"code": ["home"], "work": []},
        not_served={"play": ("https://a/play/: answered 404; another root: x", "serve the folder")},
    )
    found = judge(facts)
    assert [each.kind for each in found] == ["disk", "rows", "rows", "serving"]
    assert "edited on the disk: a is gone, b is a link, c is gone and 1 more" in found[0].what
    assert found[0].remedy == "robbieblocks build --verify --node n --app play"
    (pinned, *_) = judge(replace(facts, pinned={"play"}))
    assert "robbieblocks unpin --node n --app play" in pinned.remedy
    assert found[1].what == "older than the rows: home"
    assert found[2].what == "older than the rows: other files than pages"
    assert found[3].what.startswith("not what is served: https://a/play/")
    assert [each.stops for each in found] == [False, True, True, False]
