"""Finds custom properties that components read, and that are almost the names of tokens."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Final

from robbieblocks.css_faults import USE, meant_variable, unknown_variable
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

_VARIABLE: Final = re.compile(r"--[a-zA-Z0-9_-]+")
# Comparing a name with those of all tokens takes a millisecond.
_MAX_NAMES: Final = 50


def misspelt_variables(
    rows: Iterable[ComponentRow], named: Collection[str], known: Collection[str]
) -> Iterator[Problem]:
    """A warning for each component with `var(--x)` where `--x` is almost a token's name.

    `named` are all names that stand in the rows, and `known` those that tokens, the base styles and
    Tailwind's theme define. What a row names outside of `var()` may be defined there.
    """
    unknown = {name for name in frozenset(named) - frozenset(known) if not name.startswith("--tw-")}
    if not unknown:
        return
    texts = [(row, field, text) for row in rows for field, text in _texts(row)]
    for _, _, text in texts:
        unknown.difference_update(_VARIABLE.findall(USE.sub("", text)))
    meant = {name: meant_variable(name, known) for name in sorted(unknown)[:_MAX_NAMES]}
    told: set[tuple[str, str]] = set()
    for row, field, text in texts:
        for found in USE.finditer(text):
            near = meant.get(found[1])
            if near is not None and (row.key, found[1]) not in told:
                told.add((row.key, found[1]))
                said = unknown_variable(found[1]), f"did you mean {near}?"
                told_at = text_warning(row, field, found.start(), *said)
                yield replace(told_at, rule="unknown-token")


def text_warning(
    row: ComponentRow, field: str, offset: int | None, what: str, remedy: str
) -> Problem:
    """A warning at an offset of a component's code or CSS, if there is one."""
    text = row.code if field == "react_code" else row.css
    line = column = None
    source = ""
    if offset is not None:
        start = text.rfind("\n", 0, offset) + 1
        line, column = text.count("\n", 0, start) + 1, offset - start + 1
        source = text[start:].split("\n", 1)[0].rstrip("\r")
    return Problem(
        entity="component",
        key=row.key,
        field=field,
        what=what,
        remedy=remedy,
        line=line,
        column=column,
        source=source,
        severity="warning",
    )


def _texts(row: ComponentRow) -> tuple[tuple[str, str], ...]:
    return ("css_styles", row.css), ("react_code", row.code)
