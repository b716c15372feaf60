"""JSON values from rows, and problems in them.

Checked is what JSON.parse of a browser would not read back unchanged.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from robbieblocks import messages
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json, JsonObject, canonical_json, is_exact_double
from robbieblocks.names import text_problem

MAX_VALUE_BYTES = 1024 * 1024
MAX_DEPTH = 64
MAX_PROBLEMS = 20
_SMALLER = "split the block"

# Sixteen digits, or an exponent. One digit stands in front since two branches take four times as
# long to search for.
_LONG_NUMBER = re.compile(r"[0-9](?:[0-9]{15}|e[+-]?[0-9])")


@dataclass(frozen=True, slots=True)
class ValueProblem:
    """What is wrong with a row's value, where (a JSON pointer, RFC 6901), and how to fix it.

    `line` counts from 1 in a text of several lines, `passing` is as in errors.Problem.
    """

    pointer: str
    what: str
    remedy: str = ""
    line: int | None = None
    passing: bool = False

    def in_row(
        self,
        entity: str,
        key: str,
        field: str,
        *,
        page: str | None = None,
        block: int | None = None,
        severity: Severity = "error",
    ) -> Problem:
        """The same as a problem of a row's field; `key` and `page` may be any text."""
        return Problem(
            entity=entity,
            key=printable(key),
            field=field,
            what=self.what,
            remedy=self.remedy,
            pointer=self.pointer,
            line=self.line,
            page="" if page is None else printable(page),
            block=block,
            severity=severity,
            passing=self.passing,
        )


def no_object(what: str, value: Json, remedy: str) -> ValueProblem:
    """The problem with a value that should be an object; a text is quoted: it may say why."""
    return ValueProblem("", messages.no_object(what, value), remedy)


def _deeper_than(levels: int) -> ValueProblem:
    return ValueProblem("", f"values nest deeper than {levels} levels", "store it flatter")


_TOO_DEEP = _deeper_than(MAX_DEPTH)
# In props, what another row says stands in a list, which may be part of something else.
_MAX_DEPTH_IN_LISTS = MAX_DEPTH - 8


def checked_json(value: Json) -> str | tuple[ValueProblem, ...]:
    """The canonical JSON of a value, or what in it can't be written or would be read back changed.

    Problems: more than MAX_VALUE_BYTES; deeper than MAX_DEPTH; NaN, infinity and integers that a
    double can't hold; NUL and lone surrogates; `__proto__` as a name.
    """
    try:
        text = canonical_json(value)
        size = len(text) if text.isascii() else len(text.encode())
    except RecursionError:
        return (_TOO_DEEP,)
    except (ValueError, TypeError):
        wrong = (_TOO_DEEP,) if depth_of(value) > MAX_DEPTH else _first_problems(value)
        if not wrong:
            raise
        return wrong
    # Few brackets can't nest deep, and counting them is quick.
    if text.count("{") + text.count("[") > MAX_DEPTH and depth_of(value) > MAX_DEPTH:
        return (_TOO_DEEP,)
    if size > MAX_VALUE_BYTES:
        what = f"takes {size:,} bytes as JSON, at most {MAX_VALUE_BYTES:,} are allowed"
        return (ValueProblem("", what, _SMALLER),)
    found = _first_problems(value) if _is_suspicious(text) else ()
    return found or text


def is_too_large(problem: ValueProblem) -> bool:
    """Whether a problem is that of a value that takes more than MAX_VALUE_BYTES."""
    return not problem.pointer and problem.remedy == _SMALLER


def listing_problem(value: JsonObject) -> ValueProblem | None:
    """Why no list may show a value of a row: no props may hold it. It is the row's problem, and
    must fail none of the pages that list the row.
    """
    try:
        text = checked_json(value)
    except (ValueError, TypeError, RecursionError):
        return ValueProblem("", "the value can't be written as JSON", "store a text")
    if not isinstance(text, str):
        return text[0]
    if text.count("{") + text.count("[") <= _MAX_DEPTH_IN_LISTS:
        return None
    return _deeper_than(_MAX_DEPTH_IN_LISTS) if depth_of(value) > _MAX_DEPTH_IN_LISTS else None


def _is_suspicious(text: str) -> bool:
    """Whether a value's JSON may hold something that has to be found value by value."""
    return (
        "\\u0000" in text
        or '"__proto__"' in text
        or "null" in text  # NaN and infinity are written as null
        or _LONG_NUMBER.search(text) is not None
    )


def _first_problems(value: Json) -> tuple[ValueProblem, ...]:
    return tuple(islice(value_problems(value), MAX_PROBLEMS))


def depth_of(value: Json) -> int:
    """How deep containers nest in a value: 0 for a number, 1 for `{}`; at most MAX_DEPTH + 1.

    Without recursion, since the depth is untrusted.
    """
    depth = 0
    level = [value] if isinstance(value, dict | list) else []
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            part
            for container in level
            for part in (container.values() if isinstance(container, dict) else container)
            if isinstance(part, dict | list)
        ]
    return depth


def value_problems(value: Json, at: str = "") -> Iterator[ValueProblem]:
    """Each part of a value that can't be written as JSON, or would be read back changed."""
    if isinstance(value, list):
        for index, part in enumerate(value):
            yield from value_problems(part, at + json_pointer(index))
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from _name_problems(name, at)
            yield from value_problems(part, at + json_pointer(str(name)))
    else:
        problem = _scalar_problem(value, at)
        if problem is not None:
            yield problem


def _scalar_problem(value: Json, at: str) -> ValueProblem | None:
    match value:
        case None | bool():
            return None
        case str():
            what = text_problem(value)
            return ValueProblem(at, f"the text {what}", "remove it") if what else None
        case int():
            exact = is_exact_double(value)
            return None if exact else ValueProblem(at, _INEXACT, "store it as text")
        case float():
            finite = math.isfinite(value)
            return None if finite else ValueProblem(at, _INFINITE, "store a finite number")
        case _:
            return ValueProblem(at, f"a {type(value).__name__} is no JSON value", "store a text")


_INEXACT = "the number is beyond what a browser's numbers hold exactly (IEEE 754 double)"
_INFINITE = "the number is not finite, or out of range"


def _name_problems(name: Json, at: str) -> Iterator[ValueProblem]:
    if not isinstance(name, str):
        yield ValueProblem(at, f"the name {name!r} is no text", "use texts as names")
        return
    what = text_problem(name)
    if what:
        yield ValueProblem(at, f"a name {what}", "remove it")
    if name == "__proto__":
        what = "`__proto__` sets an object's prototype in JavaScript"
        yield ValueProblem(at + "/__proto__", what, "rename it")
