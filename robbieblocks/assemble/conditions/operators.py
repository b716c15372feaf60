"""Conditions: when a block shows.

    {"nodes": ["vengeance-local"]}             the node's id is one of these
    {"apps": ["play"]}                         the page's app is one of these; on a shared page: the
                                               node enables one of them
    {"theme": "dark"}                          the node's theme
    {"from": "2025-12-01T00:00:00Z"}           from this instant on (RFC 3339, offset required)
    {"until": "2026-01-01T00:00:00+01:00"}     before this instant
    {"query": {"ref": "newsletter"}}           the URL's query; a list means any of its values, true
                                               means present, false absent
    {"viewport": {"min": 600, "max": 900}}     the viewport's width in CSS px, both inclusive
    {"any": [...]}, {"all": [...]}, {"not": {...}}

All operators of one object must hold; `{}` always holds. `reading.parse` reads the JSON.
`decide` decides at build time what depends on rows and clock; the rest is left to the browser, as
JSON with one operator an object.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, assert_never

from robbieblocks.model import JsonObject


@dataclass(frozen=True, slots=True)
class Context:
    """The node, app and instant for which conditions are decided."""

    node: str
    apps: frozenset[str]
    theme: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """The node's id, the app or the theme is one of the values."""

    operator: Literal["nodes", "apps", "theme"]
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock has reached the instant (`from`), or not yet (`until`)."""

    operator: Literal["from", "until"]
    at: datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A test that only the browser can make, as the JSON that it gets."""

    test: JsonObject


@dataclass(frozen=True, slots=True)
class Every:
    """All operands hold; true without operands."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one operand holds; false without operands."""

    operands: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The operand does not hold."""

    operand: Condition


Condition = Listed | Clock | Visitor | Every | Some | Not
Verdict = bool | JsonObject

ALWAYS = Every(())


def asks_browser(condition: Condition) -> bool:
    """Whether a part of it is a test that only the browser can make."""
    match condition:
        case Visitor():
            return True
        case Every(operands) | Some(operands):
            return any(map(asks_browser, operands))
        case Not(operand):
            return asks_browser(operand)
        case Listed() | Clock():
            return False
        case _:
            assert_never(condition)


def decide(condition: Condition, context: Context) -> Verdict:
    """True, False, or the simplest condition that the browser has left to decide."""
    match condition:
        case Listed("nodes", values):
            return context.node in values
        case Listed("apps", values):
            return not context.apps.isdisjoint(values)
        case Listed(_, values):
            return context.theme in values
        case Clock("from", at):
            return context.now >= at
        case Clock(_, at):
            return context.now < at
        case Visitor(test):
            return test
        case Every(operands):
            return _combined("all", (decide(each, context) for each in operands), deciding=False)
        case Some(operands):
            return _combined("any", (decide(each, context) for each in operands), deciding=True)
        case Not(operand):
            return _negated(decide(operand, context))
        case _:
            assert_never(condition)


def _combined(
    name: Literal["all", "any"], verdicts: Iterator[Verdict], *, deciding: bool
) -> Verdict:
    """Kleene's three-valued conjunction or disjunction; one `deciding` operand decides it."""
    left: list[JsonObject] = []
    for verdict in verdicts:
        if verdict is deciding:
            return deciding
        if not isinstance(verdict, bool):
            left += _operands(verdict, name)
    if not left:
        return not deciding
    return left[0] if len(left) == 1 else {name: left}


def _operands(test: JsonObject, name: Literal["all", "any"]) -> list[JsonObject]:
    """The operands of a test with this operator; any other test is its own single operand."""
    inner = test.get(name)
    if not isinstance(inner, list):
        return [test]
    return [operand for operand in inner if isinstance(operand, dict)]


def _negated(verdict: Verdict) -> Verdict:
    if isinstance(verdict, bool):
        return not verdict
    inner = verdict.get("not")
    return inner if isinstance(inner, dict) else {"not": verdict}


def boundaries(condition: Condition) -> Iterator[datetime]:
    """Every instant at which the condition's verdict may change."""
    match condition:
        case Clock(_, at):
            yield at
        case Every(operands) | Some(operands):
            for operand in operands:
                yield from boundaries(operand)
        case Not(operand):
            yield from boundaries(operand)
        case _:
            return
