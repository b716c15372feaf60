"""Visitor conditions as CSS rules that hide."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.prerender.page.visibility import TooIntricateError, Visibility

HIDE = "#b1{display:none!important}"
Q0 = '[data-rb-when~="q0"]'


@pytest.mark.parametrize(
    ("condition", "rules"),
    [
        ({"query": {"ref": ["x"]}}, [f":root:not({Q0}) {HIDE}"]),
        ({"not": {"query": {"ref": True}}}, [f":root{Q0} {HIDE}"]),
        ({"viewport": {"min": 600}}, [f"@media (width < 600px){{:root {HIDE}}}"]),
        (
            {"viewport": {"min": 600, "max": 900.5}},
            [
                f"@media (width > 900.5px){{:root {HIDE}}}",
                f"@media (width < 600px){{:root {HIDE}}}",
            ],
        ),
        (
            {"any": [{"viewport": {"min": 600}}, {"query": {"ref": ["x"]}}]},
            [f"@media (width < 600px){{:root:not({Q0}) {HIDE}}}"],
        ),
        ({"all": []}, []),
        ({"any": []}, [f":root {HIDE}"]),
        ({"any": [{"query": {"a": True}}, {"not": {"query": {"a": True}}}]}, []),
    ],
)
def test_rules(condition: Any, rules: list[str]) -> None:
    """There is one rule for each way in which a condition fails."""
    visibility = Visibility()
    visibility.hide_unless("b1", condition)
    assert visibility.rules == rules


def test_equal_queries_are_asked_once() -> None:
    """Blocks with the same query share its number."""
    visibility = Visibility()
    for name in ("b1", "b2"):
        visibility.hide_unless(name, {"query": {"ref": ["x"]}})
    assert visibility.queries == [("ref", ["x"])]


def test_too_intricate_is_told() -> None:
    """A condition that would take thousands of rules is refused, and soon."""
    pairs = [{"all": [{"query": {f"a{n}": True}}, {"query": {f"b{n}": True}}]} for n in range(40)]
    with pytest.raises(TooIntricateError):
        Visibility().hide_unless("b1", {"any": pairs})


_LEAVES = st.one_of(
    st.sampled_from([{"query": {name: True}} for name in "abc"]),
    st.sampled_from([{"viewport": {"min": 500}}, {"viewport": {"max": 700}}]),
)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"all": items}),
        st.lists(inner, min_size=1, max_size=3).map(lambda items: {"any": items}),
        inner.map(lambda item: {"not": item}),
    ),
    max_leaves=8,
)


def _holds(condition: Any, names: set[str], width: int) -> bool:
    ((operator, value),) = condition.items()
    match operator:
        case "all":
            return all(_holds(each, names, width) for each in value)
        case "any":
            return any(_holds(each, names, width) for each in value)
        case "not":
            return not _holds(value, names, width)
        case "query":
            return all(name in names for name in value)
        case _:
            return bool(value.get("min", 0) <= width <= value.get("max", 9999))


def _hidden(visibility: Visibility, names: set[str], width: int) -> bool:
    """What a browser makes of the rules."""
    held = {f"q{n}" for n, (name, _) in enumerate(visibility.queries) if name in names}
    for rule in visibility.rules:
        media, _, selector = rule.rpartition("{:root")
        applies = all(
            _compare(part, width) for part in media.removeprefix("@media ").split(" and ") if part
        )
        for part in selector.split(" #")[0].split("[data-rb-when~=")[1:]:
            number = part.split('"')[1]
            negated = f':not([data-rb-when~="{number}"])' in selector
            applies = applies and ((number in held) != negated)
        if applies:
            return True
    return False


def _compare(test: str, width: int) -> bool:
    _, comparison, number = test.strip("()").split()
    edge = float(number.removesuffix("px"))
    return {">=": width >= edge, "<": width < edge, "<=": width <= edge, ">": width > edge}[
        comparison
    ]


@given(_CONDITIONS, st.sets(st.sampled_from("abc")), st.sampled_from([400, 500, 600, 700, 800]))
def test_rules_mean_what_conditions_mean(condition: Any, names: set[str], width: int) -> None:
    """For any condition, query and width the block is hidden just when the condition fails."""
    visibility = Visibility()
    visibility.hide_unless("b1", condition)
    assert _hidden(visibility, names, width) is not _holds(condition, names, width)
