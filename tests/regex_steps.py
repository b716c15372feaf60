"""Counts the steps that a regular expression takes over a text, as Python's engine would.

Growth is counted here and never timed: `worst_growth` gives an expression the texts that its own
parts suggest, each at two lengths, and tells by how much the steps multiply where a text doubles.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias

# The parser of expressions has no public name.
_PARSER: Any = vars(re)["_parser"]
_REPEATS: Final = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
_CHARACTERS: Final = ("LITERAL", "NOT_LITERAL", "ANY", "IN")
_OF_CATEGORY: Final = {"DIGIT": "0", "SPACE": " ", "WORD": "a"}
# No expression here asks for it, so that a match fails at its last step.
_NOBODYS: Final = "\x01"
_LENGTH: Final = 20
_MOST_STEPS: Final = 10_000
_FEW: Final = 6

_Then: TypeAlias = Callable[[int], bool]
_Matcher: TypeAlias = Callable[[int, _Then], bool]


class TooManySteps(Exception):
    """An expression takes more steps than anyone counts."""


class StepCounter:
    """Matches texts by backtracking; `steps` counts each character and each choice of the last."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.steps = 0
        self._text = ""
        self._flags = pattern.flags
        self._groups: dict[int, str] = {}
        self._whole = self._sequence(list(_PARSER.parse(pattern.pattern, pattern.flags)))

    def matches(self, text: str, method: str) -> bool:
        """Whether `search`, `match` or `fullmatch` finds something. Raises TooManySteps."""
        self.steps, self._text, end = 0, text, len(text)
        self._groups = {}

        def accept(at: int) -> bool:
            return at == end or method != "fullmatch"

        starts = range(end + 1) if method == "search" else (0,)
        return any(self._whole(start, accept) for start in starts)

    def _count(self) -> None:
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise TooManySteps

    def _sequence(self, items: list[Any]) -> _Matcher:
        matchers = [self._item(str(name), value) for name, value in items]

        def run(number: int, at: int, then: _Then) -> bool:
            if number == len(matchers):
                return then(at)
            return matchers[number](at, lambda after: run(number + 1, after, then))

        return lambda at, then: run(0, at, then)

    def _item(self, name: str, value: Any) -> _Matcher:
        if name in _CHARACTERS:
            return self._character(name, value)
        if name in _REPEATS:
            return self._repeat(name, *value)
        if name == "BRANCH":
            branches = [self._sequence(list(each)) for each in value[1]]
            return lambda at, then: any(branch(at, then) for branch in branches)
        if name == "SUBPATTERN" and not (value[1] or value[2]):  # flags of a part: nobody has any
            return self._group(value[0], self._sequence(list(value[3])))
        if name == "ATOMIC_GROUP":
            return self._atomic(self._sequence(list(value)))
        if name in ("ASSERT", "ASSERT_NOT"):
            return self._around(name == "ASSERT", *value)
        if name == "AT":
            return lambda at, then: self._is_at(str(value), at) and then(at)
        if name == "GROUPREF":
            return lambda at, then: self._again(self._groups.get(value, ""), at, then)
        raise NotImplementedError(name)

    def _fitting(self, name: Any, value: Any) -> Callable[[str], bool]:
        """Whether an expression of one character matches a character."""
        flags = self._flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
        one = re.compile(_source(str(name), value), flags)

        @cache
        def fits(character: str) -> bool:
            return one.match(character) is not None

        return fits

    def _run(self, least: int, most: int, fits: Callable[[str], bool]) -> _Matcher:
        """As many characters as there are, and then one less after the other."""

        def match(at: int, then: _Then) -> bool:
            end = at
            while end < len(self._text) and end - at < most and fits(self._text[end]):
                self._count()
                end += 1
            for after in range(end, at + least - 1, -1):
                self._count()
                if then(after):
                    return True
            return False

        return match

    def _character(self, name: str, value: Any) -> _Matcher:
        fits = self._fitting(name, value)

        def match(at: int, then: _Then) -> bool:
            self._count()
            return at < len(self._text) and fits(self._text[at]) and then(at + 1)

        return match

    def _repeat(self, name: str, least: int, most: int, body: Any) -> _Matcher:
        if name != "MIN_REPEAT" and len(body) == 1 and str(body[0][0]) in _CHARACTERS:
            found = self._run(least, most, self._fitting(*body[0]))
            return self._atomic(found) if name == "POSSESSIVE_REPEAT" else found
        inner = self._sequence(list(body))

        def run(times: int, at: int, then: _Then) -> bool:
            self._count()

            def more() -> bool:
                return times < most and inner(
                    at, lambda after: (after > at or times < least) and run(times + 1, after, then)
                )

            if times < least:
                return more()
            return (then(at) or more()) if name == "MIN_REPEAT" else (more() or then(at))

        def whole(at: int, then: _Then) -> bool:
            return run(0, at, then)

        return self._atomic(whole) if name == "POSSESSIVE_REPEAT" else whole

    def _atomic(self, inner: _Matcher) -> _Matcher:
        def match(at: int, then: _Then) -> bool:
            ends: list[int] = []

            def keep(after: int) -> bool:
                ends.append(after)
                return True

            return inner(at, keep) and then(ends[0])

        return match

    def _around(self, wanted: bool, direction: int, body: Any) -> _Matcher:
        inner = self._sequence(list(body))
        # What stands before has one width.
        back = body.getwidth()[0] if direction < 0 else 0

        def found(at: int) -> bool:
            return at >= back and inner(at - back, lambda _: True)

        return lambda at, then: found(at) == wanted and then(at)

    def _group(self, number: int | None, inner: _Matcher) -> _Matcher:
        def match(at: int, then: _Then) -> bool:
            def close(after: int) -> bool:
                before = dict(self._groups)
                if number is not None:
                    self._groups[number] = self._text[at:after]
                if then(after):
                    return True
                self._groups = before
                return False

            return inner(at, close)

        return match

    def _again(self, text: str, at: int, then: _Then) -> bool:
        self._count()
        return self._text.startswith(text, at) and then(at + len(text))

    def _is_at(self, where: str, at: int) -> bool:
        self._count()
        anchors = {
            "AT_BEGINNING": "^",
            "AT_END": "$",
            "AT_BEGINNING_STRING": r"\A",
            "AT_END_STRING": r"\Z",
            "AT_BOUNDARY": r"\b",
            "AT_NON_BOUNDARY": r"\B",
        }
        flags = int(self._flags) & int(re.MULTILINE | re.ASCII)
        return re.compile(anchors[where], flags).match(self._text, at) is not None


def worst_growth(pattern: re.Pattern[str], method: str) -> tuple[float, str]:
    """By how much the steps multiply at worst where a text gets twice as long, and that text."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)  # each character is a few calls, none of them of C
    try:
        return _worst_growth(pattern, method)
    finally:
        sys.setrecursionlimit(limit)


def _worst_growth(pattern: re.Pattern[str], method: str) -> tuple[float, str]:
    worst = 1.0, ""
    items = _joined(_PARSER.parse(pattern.pattern, pattern.flags))
    starts = dict.fromkeys(_starts(items))
    inner = dict.fromkeys(_pumps(items, repeated=True))
    texts = [("", pump) for pump in (*starts, *dict.fromkeys(_pumps(items)))]
    texts += [(start, pump) for start in starts for pump in inner]
    counter = StepCounter(pattern)
    for start, pump in dict.fromkeys(texts):
        for end in ("", _NOBODYS) if pump else ():
            times = max(4, _LENGTH // len(pump))
            short = _steps(counter, start + pump * times + end, method)
            # Where each character costs a few steps, more of them will not cost more.
            if short < _FEW * (_LENGTH + len(start)):
                continue
            told = f"{start!r} {pump!r}* {end!r}"
            long = _steps(counter, start + pump * (2 * times) + end, method)
            if long == math.inf:
                return math.inf, told
            worst = max(worst, (long / short, told))
    return worst


def _steps(counter: StepCounter, text: str, method: str) -> float:
    try:
        counter.matches(text, method)
    except TooManySteps:
        return math.inf
    return counter.steps


def _starts(items: list[Any]) -> Iterator[str]:
    """What leads into each part of an expression that may take more or less."""
    before = ""
    for name, value in items:
        if name != "TEXT":
            yield before
        for inner in _inside(name, value):
            yield from (before + start for start in _starts(inner))
        before += _shortest(name, value)
    yield before


def _pumps(items: list[Any], *, repeated: bool = False) -> Iterator[str]:
    """What may come many times: each part of an expression, and each two that follow each other.

    With `repeated` only what stands inside of a repetition.
    """
    texts = [_shortest(name, value) for name, value in items]
    if not repeated:
        yield from (*texts, *map(str.__add__, texts, texts[1:]), "".join(texts))
    for name, value in items:
        if name == "IN" and not repeated:
            yield from (_shortest("IN", [each]) for each in value if str(each[0]) != "NEGATE")
        for inner in _inside(name, value):
            yield from _pumps(inner, repeated=repeated and name not in _REPEATS)


def _inside(name: str, value: Any) -> list[list[Any]]:
    if name == "BRANCH":
        return [_joined(each) for each in value[1]]
    if name in _REPEATS:
        return [_joined(value[2])]
    if name == "SUBPATTERN":
        return [_joined(value[3])]
    if name == "ATOMIC_GROUP":
        return [_joined(value)]
    return [_joined(value[1])] if name in ("ASSERT", "ASSERT_NOT") else []


def _joined(items: Iterable[Any]) -> list[Any]:
    """The parts of an expression, with characters that follow each other as one text."""
    found: list[Any] = []
    for name, value in items:
        if str(name) == "LITERAL" and found and found[-1][0] == "TEXT":
            found[-1] = ("TEXT", found[-1][1] + chr(value))
        else:
            found.append(("TEXT", chr(value)) if str(name) == "LITERAL" else (str(name), value))
    return found


def _shortest(name: str, value: Any) -> str:
    """A text that a part matches; of what may be missing, one."""
    if name == "TEXT":
        return str(value)
    if name in ("NOT_LITERAL", "ANY", "GROUPREF"):
        return "a"
    if name == "IN":
        kind, first = str(value[0][0]), value[0][1]
        if kind == "NEGATE":
            told = re.compile(_source("IN", value), re.DOTALL)
            return next((each for each in "a 0/*\n!" if told.match(each)), "\t")
        if kind == "CATEGORY":
            return _OF_CATEGORY.get(str(first).removeprefix("CATEGORY_"), "!")
        return chr(first if kind == "LITERAL" else first[0])
    inner = _inside(name, value)
    if not inner or name in ("ASSERT", "ASSERT_NOT"):
        return ""
    times = max(1, value[0]) if name in _REPEATS else 1
    return "".join(_shortest(each, of_it) for each, of_it in inner[0]) * times


def _source(name: str, value: Any) -> str:
    """One character's expression, written again."""
    if name == "ANY":
        return "."
    if name == "LITERAL":
        return re.escape(chr(value))
    if name == "NOT_LITERAL":
        return f"[^{re.escape(chr(value))}]"
    parts: list[str] = []
    for each, of_it in value:
        match str(each):
            case "NEGATE":
                parts.append("^")
            case "LITERAL":
                parts.append(re.escape(chr(of_it)))
            case "RANGE":
                parts.append(f"{re.escape(chr(of_it[0]))}-{re.escape(chr(of_it[1]))}")
            case _:
                letter = str(of_it).removeprefix("CATEGORY_").removeprefix("NOT_")[0].lower()
                parts.append("\\" + (letter.upper() if "NOT_" in str(of_it) else letter))
    return f"[{''.join(parts)}]"
