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

All operators of one object must hold; `{}` always holds. What depends on rows and clock is decided
at build time (`decide`); what is left for the browser is JSON with one operator an object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, assert_never

from robbieblocks.assemble.value_problem import ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json, JsonObject
from robbieblocks.names import text_problem

MAX_DEPTH = 32
MAX_PARTS = 1000
MAX_WIDTH = 100_000


@dataclass(frozen=True, slots=True)
class Context:
    """What build-time and scheduled operators are decided against."""

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
    """An operator that only the browser can decide, as the JSON that it gets."""

    test: JsonObject


@dataclass(frozen=True, slots=True)
class Every:
    """All parts hold; true without parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one part holds; false without parts."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Condition


Condition = Listed | Clock | Visitor | Every | Some | Not
Verdict = bool | JsonObject

ALWAYS = Every(())


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
        case Every(parts):
            return _combined("all", (decide(part, context) for part in parts), deciding=False)
        case Some(parts):
            return _combined("any", (decide(part, context) for part in parts), deciding=True)
        case Not(part):
            return _negated(decide(part, context))
        case _:
            assert_never(condition)


def _combined(
    name: Literal["all", "any"], verdicts: Iterator[Verdict], *, deciding: bool
) -> Verdict:
    """Kleene's three-valued conjunction or disjunction; `deciding` is the value that settles it."""
    left: list[JsonObject] = []
    for verdict in verdicts:
        if verdict is deciding:
            return deciding
        if not isinstance(verdict, bool):
            left += verdict.get(name, [verdict])
    if not left:
        return not deciding
    return left[0] if len(left) == 1 else {name: left}


def _negated(verdict: Verdict) -> Verdict:
    if isinstance(verdict, bool):
        return not verdict
    inner: JsonObject | None = verdict.get("not")
    return {"not": verdict} if inner is None else inner


def boundaries(condition: Condition) -> Iterator[datetime]:
    """Every instant at which the condition's verdict may change."""
    match condition:
        case Clock(_, at):
            yield at
        case Every(parts) | Some(parts):
            for part in parts:
                yield from boundaries(part)
        case Not(part):
            yield from boundaries(part)
        case _:
            return


def parse(value: Json) -> tuple[Condition, tuple[ValueProblem, ...]]:
    """A block's `conditions` as a Condition, with every mistake found in it.

    Where there is a mistake the condition must not be used.
    """
    if value == {} or value is None:
        return ALWAYS, ()
    reader = _Reader()
    condition = reader.condition(value, "", 0)
    return condition, tuple(reader.problems)


class _Reader:
    """Collects problems while it reads one block's conditions."""

    def __init__(self) -> None:
        self.problems: list[ValueProblem] = []
        self._parts = 0
        self._operators: Mapping[str, Callable[[Json, str, int], Condition]] = {
            "nodes": lambda value, at, _: Listed("nodes", self._names(value, at, "node ids")),
            "apps": lambda value, at, _: Listed("apps", self._names(value, at, "app names")),
            "theme": lambda value, at, _: self._theme(value, at),
            "from": lambda value, at, _: Clock("from", self._instant(value, at)),
            "until": lambda value, at, _: Clock("until", self._instant(value, at)),
            "query": lambda value, at, _: self._query(value, at),
            "viewport": lambda value, at, _: self._viewport(value, at),
            "all": lambda value, at, depth: Every(self._list(value, at, depth)),
            "any": lambda value, at, depth: Some(self._list(value, at, depth)),
            "not": lambda value, at, depth: Not(self.condition(value, at, depth + 1)),
        }

    def condition(self, value: Json, at: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            return self._problem(
                at, f"conditions nest deeper than {MAX_DEPTH} levels", "say it flatter"
            )
        if not isinstance(value, dict):
            return self._problem(
                at,
                f"expected an object of conditions, found {_kind(value)}",
                'write an object, such as {"nodes": ["vengeance-local"]}',
            )
        parts: list[Condition] = []
        for name, operand in value.items():
            self._parts += 1
            if self._parts > MAX_PARTS:
                if self._parts == MAX_PARTS + 1:
                    self._problem(at, f"there are more than {MAX_PARTS} conditions", "use fewer")
                return ALWAYS
            read = self._operators.get(name)
            if read is None:
                self._problem(
                    at + json_pointer(printable(name)),
                    f"unknown condition operator `{printable(name)}`",
                    did_you_mean(name, self._operators),
                )
            else:
                parts.append(read(operand, at + json_pointer(name), depth))
        return parts[0] if len(parts) == 1 else Every(tuple(parts))

    def _problem(self, at: str, what: str, remedy: str) -> Condition:
        self.problems.append(ValueProblem(at, what, remedy))
        return ALWAYS

    def _list(self, value: Json, at: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(value, list) or not value:
            found = "an empty list" if value == [] else _kind(value)
            self._problem(
                at, f"expected a list of conditions, found {found}", 'such as [{"theme": "dark"}]'
            )
            return ()
        return tuple(
            self.condition(part, at + json_pointer(index), depth + 1)
            for index, part in enumerate(value)
        )

    def _names(self, value: Json, at: str, of: str) -> frozenset[str]:
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and names and all(isinstance(n, str) and n for n in names):
            return frozenset(names)
        found = "an empty list" if names == [] else _kind(value)
        self._problem(
            at, f"expected a list of {of}, found {found}", f"list at least one of the {of}"
        )
        return frozenset()

    def _theme(self, value: Json, at: str) -> Condition:
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and names and all(n in ("dark", "light") for n in names):
            return Listed("theme", frozenset(names))
        return self._problem(
            at, f"expected a theme, found {_kind(value)}", 'write "dark" or "light"'
        )

    def _instant(self, value: Json, at: str) -> datetime:
        found = instant(value) if isinstance(value, str) else None
        if found is None:
            self._problem(
                at,
                f"expected an instant as RFC 3339 has it, found {_kind(value)}",
                "write date, time and offset, such as 2025-12-01T09:00:00Z or ...+01:00",
            )
        return found or datetime.min.replace(tzinfo=UTC)

    def _query(self, value: Json, at: str) -> Condition:
        if not isinstance(value, dict) or not value:
            return self._problem(
                at,
                f"expected an object of query names and values, found {_kind(value)}",
                'such as {"ref": "newsletter"}',
            )
        test: dict[str, Json] = {}
        for name, wanted in value.items():
            texts = [name, *(wanted if isinstance(wanted, list) else [wanted])]
            wrong = next(
                (w for text in texts if isinstance(text, str) and (w := text_problem(text))), ""
            )
            if wrong:
                self._problem(at + json_pointer(printable(name)), f"the text {wrong}", "remove it")
                continue
            choices = wanted if isinstance(wanted, list) else [wanted]
            if isinstance(wanted, bool):
                test[name] = wanted
            elif choices and all(_is_query_value(choice) for choice in choices):
                test[name] = [str(choice) for choice in choices]
            else:
                self._problem(
                    at + json_pointer(name),
                    f"expected a text, a list of texts, true or false, found {_kind(wanted)}",
                    "true means present with any value, false means absent",
                )
        return Visitor({"query": test})

    def _viewport(self, value: Json, at: str) -> Condition:
        if not isinstance(value, dict) or not value:
            return self._problem(
                at,
                f"expected an object with min or max, found {_kind(value)}",
                'such as {"min": 600}',
            )
        limits: dict[str, Json] = {}
        for name, width in value.items():
            side = _SIDES.get(name)
            if side is None:
                self._problem(
                    at + json_pointer(printable(name)),
                    f"unknown key `{printable(name)}`",
                    "known: min, max",
                )
            elif side in limits:
                self._problem(at + json_pointer(name), f"{side} is given twice", "keep one of them")
            elif not _is_number(width) or not 0 <= width <= MAX_WIDTH:
                self._problem(
                    at + json_pointer(name),
                    f"expected a width in CSS px, found {_kind(width)}",
                    f"write a number from 0 to {MAX_WIDTH}, without a unit",
                )
            else:
                limits[side] = width
        if limits.get("min", 0) > limits.get("max", MAX_WIDTH):
            self._problem(at, "min is above max, so that no window fits", "swap them, or use any")
        return Visitor({"viewport": limits})


_SIDES = {
    "min": "min",
    "max": "max",
    "minWidth": "min",
    "maxWidth": "max",
    "min_width": "min",
    "max_width": "max",
    "min-width": "min",
    "max-width": "max",
}


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_query_value(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _kind(value: Json) -> str:
    """A JSON value as messages name it: short texts themselves, else the type."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return f'"{printable(value)}"'
        case int() | float():
            return "a number" if isinstance(value, int) and abs(value) > 10**15 else str(value)
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "an object" if value else "an empty object"


_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]{1,20}))?"
    r"(?:([Zz])|([+-])([0-9]{2}):([0-9]{2}))"
)


def instant(text: str) -> datetime | None:
    """An RFC 3339 date-time as UTC, or None where the text is none (the offset is required).

    A leap second counts as the next second; digits beyond microseconds are cut.
    """
    found = _RFC3339.fullmatch(text)
    if found is None:
        return None
    date, minute, second, fraction, zulu, sign, hours, minutes = found.groups()
    offset = timedelta() if zulu else timedelta(hours=int(hours), minutes=int(minutes))
    if int(second) > 60 or (not zulu and (int(hours) > 23 or int(minutes) > 59)):
        return None
    try:
        start = datetime.fromisoformat(f"{date}T{minute}:00+00:00")
        whole = start + timedelta(
            seconds=int(second), microseconds=int((fraction or "0")[:6].ljust(6, "0"))
        )
        return whole + offset if sign == "-" else whole - offset
    except (ValueError, OverflowError):
        return None
