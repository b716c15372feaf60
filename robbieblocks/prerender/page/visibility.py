"""Visitor conditions as CSS rules, which apply before the page is painted, so that nothing moves.

A viewport condition is a media query. A query condition is an attribute of the root element, which
visitor.js in the head sets before the body is parsed. A block is hidden by one rule for each way in
which its condition can fail. Without scripts, the URL's query counts as empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Final, cast

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import AssembledPage, Json, JsonObject

_MAX_WAYS: Final = 256

# ("min" | "max", width) or ("query", index of the query test), and whether it holds.
_Literal = tuple[str, float, bool]
_Way = frozenset[_Literal]


class TooIntricateError(ValueError):
    """A condition that would need thousands of CSS rules."""


@dataclass(slots=True)
class Visibility:
    """The rules that hide a page's blocks, and the query tests that they refer to.

    `queries` holds pairs of a name and what is wanted of it: a list of values, or whether the query
    may have the name at all.
    """

    queries: list[tuple[str, Json]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def hide_unless(self, block: str, condition: JsonObject) -> None:
        """Add a block's condition. Raises TooIntricateError."""
        for way in _simplest(self._ways(condition, holds=False)):
            self.rules.append(_rule(block, way))

    def _ways(self, condition: JsonObject, *, holds: bool) -> set[_Way]:
        """Every way in which the condition holds, or fails: sets of literals that must all hold."""
        parts = [
            self._operator(name, value, holds=holds) for name, value in sorted(condition.items())
        ]
        return _both(parts) if holds else _either(parts)

    def _operator(self, name: str, value: Json, *, holds: bool) -> set[_Way]:
        # Assemble has checked what the casts say.
        match name:
            case "not":
                return self._ways(cast("JsonObject", value), holds=not holds)
            case "all" | "any":
                conditions = cast("Sequence[JsonObject]", value)
                parts = [self._ways(each, holds=holds) for each in conditions]
                return _both(parts) if holds is (name == "all") else _either(parts)
            case "query":
                tests = cast("JsonObject", value)
                literals = [
                    ("query", float(self._query_index(key, wanted)))
                    for key, wanted in tests.items()
                ]
            case "viewport":
                edges = cast("dict[str, float]", value)
                literals = [(edge, float(edges[edge])) for edge in ("min", "max") if edge in edges]
            case _:
                raise AssertionError(f"assemble leaves no {name} for the browser")
        parts = [{frozenset({(kind, number, holds)})} for kind, number in literals]
        return _both(parts) if holds else _either(parts)

    def _query_index(self, name: str, wanted: Json) -> int:
        test = (name, [wanted] if isinstance(wanted, str) else wanted)
        if test not in self.queries:
            self.queries.append(test)
        return self.queries.index(test)


def visibility_of(page: AssembledPage) -> Visibility:
    """The rules for the page's visitor conditions. Raises ContentError."""
    visibility = Visibility()
    problems: list[Problem] = []
    for block in page.blocks:
        if block.visitor is None:
            continue
        try:
            visibility.hide_unless(block.id, block.visitor)
        except TooIntricateError:
            problems.append(
                Problem(
                    entity="page",
                    key=block.frame or page.key,
                    page=block.frame or page.key,
                    block=block.own_order,
                    field="conditions",
                    what="its query and viewport conditions are too intricate to decide early",
                    remedy="use fewer of them, or nest any and all less deeply",
                )
            )
    if problems:
        raise ContentError(problems)
    return visibility


def _either(parts: Iterable[set[_Way]]) -> set[_Way]:
    return _bounded(set[_Way]().union(*parts))


def _both(parts: Sequence[set[_Way]]) -> set[_Way]:
    ways: set[_Way] = {frozenset()}
    for part in parts:
        if len(ways) * len(part) > _MAX_WAYS**2:
            raise TooIntricateError
        ways = _bounded({one | other for one, other in product(ways, part)})
    return ways


def _bounded(ways: set[_Way]) -> set[_Way]:
    possible = {way for way in ways if not any((kind, n, not yes) in way for kind, n, yes in way)}
    if len(possible) > _MAX_WAYS:
        raise TooIntricateError
    return possible


def _simplest(ways: set[_Way]) -> list[_Way]:
    """The ways without those that another one covers, in a fixed order."""
    needed = [way for way in ways if not any(other < way for other in ways)]
    return sorted(needed, key=sorted)


def _rule(block: str, way: _Way) -> str:
    media: list[str] = []
    root = ":root"
    for kind, number, holds in sorted(way):
        if kind == "query":
            held = f'[data-rb-when~="q{int(number)}"]'
            root += held if holds else f":not({held})"
        else:
            comparison = {("min", True): ">=", ("min", False): "<", ("max", True): "<="}.get(
                (kind, holds), ">"
            )
            media.append(f"(width {comparison} {json.dumps(number).removesuffix('.0')}px)")
    rule = f"{root} #{block}{{display:none!important}}"
    return f"@media {' and '.join(media)}{{{rule}}}" if media else rule
