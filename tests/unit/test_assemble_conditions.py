"""Conditions: what is decided at build time, and what is left for the browser."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.assemble import assemble, is_due, next_boundary, page_on_node
from robbieblocks.assemble.conditions.operators import Context, boundaries, decide
from robbieblocks.assemble.conditions.reading import instant, parse
from tests.unit.rows import LAYOUTS, NOW, a_block, a_node, a_page, a_snapshot, assembled

HOUR = timedelta(hours=1)


def context(**fields: Any) -> Context:
    return Context(
        **{"node": "n1", "apps": frozenset({"play"}), "theme": "dark", "now": NOW, **fields}
    )


def verdict(conditions: Any, **fields: Any) -> Any:
    condition, faults = parse(conditions)
    assert faults == ()
    return decide(condition, context(**fields))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, True),
        (None, True),
        ({"nodes": ["n1", "n2"]}, True),
        ({"nodes": "n1"}, True),
        ({"nodes": ["n2"]}, False),
        ({"apps": ["play"]}, True),
        ({"apps": ["work"]}, False),
        ({"theme": "dark"}, True),
        ({"theme": ["light"]}, False),
        ({"from": "2025-11-22T12:00:00Z"}, True),
        ({"from": "2025-11-22T12:00:00.000001Z"}, False),
        ({"from": "2025-11-22T13:00:00+01:00"}, True),
        ({"until": "2025-11-22T12:00:00Z"}, False),
        ({"until": "2025-11-22t12:00:01z"}, True),
        ({"theme": "dark", "nodes": ["n2"]}, False),
        ({"any": [{"theme": "light"}, {"nodes": ["n1"]}]}, True),
        ({"all": [{"theme": "dark"}, {"nodes": ["n2"]}]}, False),
        ({"not": {"theme": "light"}}, True),
        ({"not": {}}, False),
        ({"query": {"ref": "mail"}}, {"query": {"ref": ["mail"]}}),
        ({"query": {"ref": ["a", 5], "x": True}}, {"query": {"ref": ["a", "5"], "x": True}}),
        ({"viewport": {"minWidth": 600}}, {"viewport": {"min": 600}}),
        ({"theme": "dark", "query": {"a": "b"}}, {"query": {"a": ["b"]}}),
        ({"theme": "light", "query": {"a": "b"}}, False),
        ({"any": [{"theme": "dark"}, {"query": {"a": "b"}}]}, True),
        ({"any": [{"theme": "light"}, {"query": {"a": "b"}}]}, {"query": {"a": ["b"]}}),
        ({"not": {"not": {"query": {"a": "b"}}}}, {"query": {"a": ["b"]}}),
        ({"not": {"query": {"a": "b"}}}, {"not": {"query": {"a": ["b"]}}}),
        (
            {
                "all": [
                    {"all": [{"query": {"a": "b"}}, {"viewport": {"min": 1}}]},
                    {"query": {"c": "d"}},
                ]
            },
            {"all": [{"query": {"a": ["b"]}}, {"viewport": {"min": 1}}, {"query": {"c": ["d"]}}]},
        ),
    ],
)
def test_operators_decide_what_can_be_decided(conditions: Any, expected: Any) -> None:
    """Each operator holds as documented, and what needs the visitor stays, simplified."""
    assert verdict(conditions) == expected


_TESTS: list[dict[str, Any]] = [
    {"query": {"a": ["1"]}},
    {"query": {"b": ["2"]}},
    {"viewport": {"min": 600}},
]
_LEAVES = st.sampled_from(
    [
        {},
        {"nodes": ["n1"]},
        {"nodes": ["n2"]},
        {"apps": ["play"]},
        {"theme": "light"},
        {"from": "2025-01-01T00:00:00Z"},
        {"from": "2030-01-01T00:00:00Z"},
        {"until": "2025-12-01T00:00:00Z"},
        *_TESTS,
        {"theme": "dark", **_TESTS[0]},
        {"nodes": ["n1"], **_TESTS[1], **_TESTS[2]},
    ]
)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
        st.builds(lambda part, leaf: {"not": part, **leaf}, inner, _LEAVES),
    ),
    max_leaves=12,
)


def holds(conditions: dict[str, Any], visitor: dict[str, bool]) -> bool:
    """The plain meaning of a condition, everything about node and visitor known."""
    meaning: dict[str, Callable[[Any], bool]] = {
        "nodes": lambda value: "n1" in value,
        "apps": lambda value: "play" in value,
        "theme": lambda value: value == "dark",
        "from": lambda value: datetime.fromisoformat(value) <= NOW,
        "until": lambda value: datetime.fromisoformat(value) > NOW,
        "query": lambda value: all(visitor[name] for name in value),
        "viewport": lambda value: visitor["viewport"] or not value,
        "any": lambda value: any(holds(part, visitor) for part in value),
        "all": lambda value: all(holds(part, visitor) for part in value),
        "not": lambda value: not holds(value, visitor),
    }
    return all(meaning[name](value) for name, value in conditions.items())


@given(_CONDITIONS)
def test_what_is_left_means_the_same_for_every_visitor(conditions: Any) -> None:
    """Deciding early and then asking the visitor equals asking everything at once."""
    found = verdict(conditions)
    for answers in itertools.product([False, True], repeat=3):
        visitor = dict(zip(("a", "b", "viewport"), answers, strict=True))
        shown = found if isinstance(found, bool) else holds(found, visitor)
        assert shown == holds(conditions, visitor)


@given(_CONDITIONS)
def test_what_is_left_names_visitor_operators_only(conditions: Any) -> None:
    """Nothing about nodes or the clock reaches the browser, and each object has one operator."""
    found = verdict(conditions)
    waiting = [] if isinstance(found, bool) else [found]
    while waiting:
        (name, value), *others = waiting.pop().items()
        assert others == []
        assert name in ("all", "any", "not", "query", "viewport")
        if name in ("all", "any"):
            assert len(value) > 1
            waiting += value
        elif name == "not":
            assert "not" not in value
            waiting.append(value)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    _JSON
    | st.dictionaries(st.sampled_from(["nodes", "from", "query", "viewport", "any", "not"]), _JSON)
)
def test_any_json_is_understood_or_refused(value: Any) -> None:
    """Whatever stands in `conditions`, reading it ends in a condition or in faults."""
    condition, faults = parse(value)
    assert faults or decide(condition, context()) is not None


@given(st.datetimes(timezones=st.timezones()).filter(lambda at: at.year > 1))
def test_instants_are_read_back(at: datetime) -> None:
    """An aware datetime written as RFC 3339 is read back as the same instant."""
    utc = at.astimezone(UTC)
    assert instant(utc.isoformat()) == utc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-22T12:00:00Z", NOW),
        ("2025-11-22T12:00:00-00:00", NOW),
        ("2025-11-22T06:30:00.0-05:30", NOW),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2025-11-22T12:00:00.1234567891Z", NOW + timedelta(microseconds=123456)),
        ("2025-11-22 12:00:00Z", None),
        ("2025-11-22T12:00:00+24:00", None),
        ("2025-11-22T12:00:00+0100", None),
        ("2025-11-22T12:00:61Z", None),
        ("2025-02-29T12:00:00Z", None),
        ("2025-11-22T12:00:00Z\n", None),
    ],
)
def test_instants_are_rfc_3339(text: str, expected: datetime | None) -> None:
    """Date, time and offset are required, as RFC 3339 section 5.6 has them."""
    assert instant(text) == expected


def test_boundaries_are_found_at_any_depth() -> None:
    """Every `from` and `until` counts, inside any, all and not too."""
    early, late = "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"
    condition, _ = parse({"any": [{"not": {"from": early}}, {"until": late, "theme": "dark"}]})
    assert set(boundaries(condition)) == {instant(early), instant(late)}


def test_the_next_boundary_is_the_first_after_now() -> None:
    """Boundaries behind, or right now, don't wake anyone; a page yet to come out does."""
    blocks = (
        a_block(1, conditions={"from": "2025-11-22T12:00:00Z"}),
        a_block(2, conditions={"until": "2025-11-22T15:00:00Z"}),
    )
    pages = assembled(a_page(blocks=blocks), a_page("soon", published_at=NOW + HOUR)).pages
    assert next_boundary(pages, NOW) == NOW + HOUR
    assert next_boundary(pages, NOW + HOUR) == NOW + 3 * HOUR
    assert next_boundary(pages, NOW + 3 * HOUR) is None
    assert [is_due(plan, NOW) for plan in pages] == [True, False]
    assert is_due(pages[1], NOW + HOUR)


def test_a_page_without_conditions_is_placed_as_it_is() -> None:
    """Where nothing depends on the node, all nodes share one page value."""
    (plan,) = assembled(a_page()).pages
    assert page_on_node(plan, a_node(), now=NOW) is plan.page


def test_blocks_are_placed_kept_for_the_visitor_or_left_out() -> None:
    """A block whose conditions hold shows, one that fails is gone, the rest carries its residue."""
    blocks = (
        a_block(1, conditions={"theme": "dark"}),
        a_block(2, conditions={"theme": "light"}),
        a_block(3, conditions={"theme": "dark", "query": {"ref": "x"}}),
        a_block(4),
    )
    (plan,) = assembled(a_page(blocks=blocks)).pages
    dark = page_on_node(plan, a_node(overrides={"theme": "dark"}), now=NOW)
    light = page_on_node(plan, a_node(), now=NOW)
    assert [(b.order, b.visitor) for b in dark.blocks] == [
        (1, None),
        (3, {"query": {"ref": ["x"]}}),
        (4, None),
    ]
    assert [b.order for b in light.blocks] == [2, 4]


def test_apps_on_a_shared_page_means_what_the_node_enables() -> None:
    """A shared page shows a block for an app where the node carries that app."""
    page = a_page(app="shared", blocks=(a_block(conditions={"apps": ["work"]}),))
    (plan,) = assemble(a_snapshot(page), "shared", layouts=LAYOUTS).pages
    assert len(page_on_node(plan, a_node(enabled_apps=("work",)), now=NOW).blocks) == 1
    assert len(page_on_node(plan, a_node(enabled_apps=("play",)), now=NOW).blocks) == 0
