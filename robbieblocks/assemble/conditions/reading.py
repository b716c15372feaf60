"""Reads a block's `conditions` (JSON from a row) as a Condition, with every mistake in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from robbieblocks.assemble.conditions import operators as conditions
from robbieblocks.assemble.conditions.operators import ALWAYS, Condition
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.messages import did_you_mean, json_pointer, printable
from robbieblocks.model import Json
from robbieblocks.names import text_problem

MAX_DEPTH = 32
MAX_OPERATORS = 1000
MAX_WIDTH_PX = 100_000


def parse(value: Json) -> tuple[Condition, tuple[ValueProblem, ...]]:
    """The condition that a block's `conditions` state, and what is wrong with them.

    Where something is wrong the condition must not be used.
    """
    if value == {} or value is None:
        return ALWAYS, ()
    reader = _Reader()
    condition = reader.condition(value, "", 0)
    return condition, tuple(reader.problems)


class _Reader:
    """Reads the conditions of one block and collects what is wrong with them."""

    def __init__(self) -> None:
        self.problems: list[ValueProblem] = []
        self._operators_read = 0
        self._operators: Mapping[str, Callable[[Json, str, int], Condition]] = {
            "nodes": lambda value, at, _: conditions.Listed(
                "nodes", self._names(value, at, "node ids")
            ),
            "apps": lambda value, at, _: conditions.Listed(
                "apps", self._names(value, at, "app names")
            ),
            "theme": lambda value, at, _: self._theme(value, at),
            "from": lambda value, at, _: conditions.Clock("from", self._instant(value, at)),
            "until": lambda value, at, _: conditions.Clock("until", self._instant(value, at)),
            "query": lambda value, at, _: self._query(value, at),
            "viewport": lambda value, at, _: self._viewport(value, at),
            "all": lambda value, at, depth: conditions.Every(self._list(value, at, depth)),
            "any": lambda value, at, depth: conditions.Some(self._list(value, at, depth)),
            "not": lambda value, at, depth: conditions.Not(self.condition(value, at, depth + 1)),
        }

    def condition(self, value: Json, at: str, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            what = f"conditions nest deeper than {MAX_DEPTH} levels"
            return self._problem(at, what, "say it flatter")
        if not isinstance(value, dict):
            remedy = 'write an object, such as {"nodes": ["vengeance-local"]}'
            return self._unexpected(value, at, "an object of conditions", remedy)
        parts: list[Condition] = []
        for name, operand in value.items():
            self._operators_read += 1
            if len(self.problems) >= MAX_PROBLEMS:
                return ALWAYS
            if self._operators_read > MAX_OPERATORS:
                if self._operators_read == MAX_OPERATORS + 1:
                    what = f"there are more than {MAX_OPERATORS} conditions"
                    self._problem(at, what, "use fewer")
                return ALWAYS
            read = self._operators.get(name)
            if read is None:
                what = f"unknown condition operator `{printable(name)}`"
                remedy = did_you_mean(name, self._operators)
                self._problem(at + json_pointer(name), what, remedy)
            else:
                parts.append(read(operand, at + json_pointer(name), depth))
        return parts[0] if len(parts) == 1 else conditions.Every(tuple(parts))

    def _problem(self, at: str, what: str, remedy: str) -> Condition:
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(ValueProblem(at, what, remedy))
        return ALWAYS

    def _unexpected(self, value: Json, at: str, expected: str, remedy: str) -> Condition:
        return self._problem(at, f"expected {expected}, found {_kind(value)}", remedy)

    def _list(self, value: Json, at: str, depth: int) -> tuple[Condition, ...]:
        if not isinstance(value, list) or not value:
            self._unexpected(value, at, "a list of conditions", 'such as [{"theme": "dark"}]')
            return ()
        return tuple(
            self.condition(part, at + json_pointer(index), depth + 1)
            for index, part in enumerate(value)
        )

    def _names(self, value: Json, at: str, of: str) -> frozenset[str]:
        names = _texts(value)
        if names and all(names):
            return frozenset(names)
        self._unexpected(value, at, f"a list of {of}", f"list at least one of the {of}")
        return frozenset()

    def _theme(self, value: Json, at: str) -> Condition:
        names = _texts(value)
        if names and all(name in ("dark", "light") for name in names):
            return conditions.Listed("theme", frozenset(names))
        return self._unexpected(value, at, "a theme", 'write "dark" or "light"')

    def _instant(self, value: Json, at: str) -> datetime:
        found = instant(value) if isinstance(value, str) else None
        if found is None:
            remedy = "write date, time and offset, such as 2025-12-01T09:00:00Z or ...+01:00"
            self._unexpected(value, at, "an instant as RFC 3339 has it", remedy)
        return found or datetime.min.replace(tzinfo=UTC)

    def _query(self, value: Json, at: str) -> Condition:
        if not isinstance(value, dict) or not value:
            expected = "an object of query names and values"
            return self._unexpected(value, at, expected, 'such as {"ref": "newsletter"}')
        test: dict[str, Json] = {}
        for name, wanted in value.items():
            choices = wanted if isinstance(wanted, list) else [wanted]
            texts = [text for text in (name, *choices) if isinstance(text, str)]
            wrong = next(filter(None, map(text_problem, texts)), None)
            if wrong:
                self._problem(at + json_pointer(name), f"the text {wrong}", "remove it")
            elif isinstance(wanted, bool):
                test[name] = wanted
            elif choices and all(_is_query_value(choice) for choice in choices):
                test[name] = [str(choice) for choice in choices]
            else:
                expected = "a text, a list of texts, true or false"
                remedy = "true means present with any value, false means absent"
                self._unexpected(wanted, at + json_pointer(name), expected, remedy)
        return conditions.Visitor({"query": test})

    def _viewport(self, value: Json, at: str) -> Condition:
        if not isinstance(value, dict) or not value:
            return self._unexpected(value, at, "an object with min or max", 'such as {"min": 600}')
        limits: dict[str, int | float] = {}
        for name, width in value.items():
            side = _VIEWPORT_LIMITS.get(name)
            if side is None:
                what = f"unknown key `{printable(name)}`"
                self._problem(at + json_pointer(name), what, "known: min, max")
            elif side in limits:
                self._problem(at + json_pointer(name), f"{side} is given twice", "keep one of them")
            elif (
                isinstance(width, bool)
                or not isinstance(width, int | float)
                or not 0 <= width <= MAX_WIDTH_PX
            ):
                remedy = f"write a number from 0 to {MAX_WIDTH_PX}, without a unit"
                self._unexpected(width, at + json_pointer(name), "a width in CSS px", remedy)
            else:
                limits[side] = width
        if limits.get("min", 0) > limits.get("max", MAX_WIDTH_PX):
            self._problem(at, "min is above max, so that no window fits", "swap them, or use any")
        return conditions.Visitor({"viewport": limits})


_VIEWPORT_LIMITS = {
    "min": "min",
    "max": "max",
    "minWidth": "min",
    "maxWidth": "max",
    "min_width": "min",
    "max_width": "max",
    "min-width": "min",
    "max-width": "max",
}


def _texts(value: Json) -> list[str] | None:
    """The texts of a list of texts, or of a single one; None where it is neither."""
    items = value if isinstance(value, list) else [value]
    texts = [item for item in items if isinstance(item, str)]
    return texts if len(texts) == len(items) else None


def _is_query_value(value: Json) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))


def _kind(value: Json) -> str:
    """A JSON value as messages name it: texts and numbers as they are, else the type."""
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
    """An RFC 3339 date-time as UTC, or None where the text is not one (the offset is required).

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
