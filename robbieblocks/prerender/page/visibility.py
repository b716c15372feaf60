"""Visitor conditions as CSS: decided before anything is painted, so that nothing moves.

A viewport condition is a media query. A query condition is an attribute of the root element, which
a small script in the head sets before the body is there. A block is hidden by one rule for each way
in which its condition can fail; without scripts, a query holds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Final

_MOST_WAYS: Final = 256

# ("min" | "max", width) or ("query", number of the query test); and whether it holds.
_Literal = tuple[str, float, bool]
_Way = frozenset[_Literal]


class TooIntricateError(ValueError):
    """A condition that would take thousands of CSS rules."""


@dataclass(slots=True)
class Visibility:
    """The rules that hide a page's blocks, and the query tests that they refer to.

    `queries` holds [name, wanted] pairs: a list of values, or whether the name may be there at all.
    """

    queries: list[tuple[str, Any]] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)

    def hide_unless(self, block: str, condition: Mapping[str, Any]) -> None:
        """Add a block's condition. Raises TooIntricateError."""
        for way in _simplest(self._ways(condition, holds=False)):
            self.rules.append(_rule(block, way))

    def _ways(self, condition: Mapping[str, Any], *, holds: bool) -> set[_Way]:
        """Every way in which the condition holds, or fails: all literals of one of the sets."""
        parts = [
            self._operator(name, value, holds=holds) for name, value in sorted(condition.items())
        ]
        return _both(parts) if holds else _either(parts)

    def _operator(self, name: str, value: Any, *, holds: bool) -> set[_Way]:
        match name:
            case "not":
                return self._ways(value, holds=not holds)
            case "all" | "any":
                parts = [self._ways(each, holds=holds) for each in value]
                return _both(parts) if holds is (name == "all") else _either(parts)
            case "query":
                literals = [
                    ("query", float(self._number(key, wanted))) for key, wanted in value.items()
                ]
            case "viewport":
                literals = [(edge, float(value[edge])) for edge in ("min", "max") if edge in value]
            case _:
                raise AssertionError(f"assemble leaves no {name} for the browser")
        parts = [{frozenset({(kind, number, holds)})} for kind, number in literals]
        return _both(parts) if holds else _either(parts)

    def _number(self, name: str, wanted: Any) -> int:
        test = (name, [wanted] if isinstance(wanted, str) else wanted)
        if test not in self.queries:
            self.queries.append(test)
        return self.queries.index(test)


def _either(parts: Iterable[set[_Way]]) -> set[_Way]:
    return _bounded(set().union(*parts))


def _both(parts: Sequence[set[_Way]]) -> set[_Way]:
    ways: set[_Way] = {frozenset()}
    for part in parts:
        if len(ways) * len(part) > _MOST_WAYS**2:
            raise TooIntricateError
        ways = _bounded({one | other for one, other in product(ways, part)})
    return ways


def _bounded(ways: set[_Way]) -> set[_Way]:
    possible = {way for way in ways if not any((kind, n, not yes) in way for kind, n, yes in way)}
    if len(possible) > _MOST_WAYS:
        raise TooIntricateError
    return possible


def _simplest(ways: set[_Way]) -> list[_Way]:
    """Without those that another one covers, in a fixed order."""
    needed = [way for way in ways if not any(other < way for other in ways)]
    return sorted(needed, key=sorted)


def _rule(block: str, way: _Way) -> str:
    media = []
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
