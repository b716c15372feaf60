"""Props with HTML in place of the texts that their schema says are Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from robbieblocks.assemble.markdown.rendering import rendered
from robbieblocks.assemble.page_problems import PageProblems
from robbieblocks.assemble.placeholders import has_placeholder, resolved_object
from robbieblocks.assemble.props.markdown_places import Path
from robbieblocks.assemble.props.preparing import Budget, ReadyProps
from robbieblocks.assemble.values import ValueProblem, checked_json
from robbieblocks.messages import json_pointer
from robbieblocks.model import BlockRow, Json, canonical_json


def with_html(
    ready: ReadyProps, row: BlockRow, budget: Budget, faults: PageProblems
) -> ReadyProps | tuple[ValueProblem, ...]:
    """The props with `{"__html": ...}`, as React takes it, in place of each text of Markdown.

    Or what is wrong with the texts; what a library raises over one is collected in `faults`.
    """
    # A text in which placeholders were replaced is not what its author wrote.
    value = ready.value if ready.fill is None else ready.fill
    made: dict[Path, Json] = {}
    problems: list[ValueProblem] = []
    for path in ready.markdown:
        pointer = json_pointer(*path)
        with faults.blame(row, "props", pointer):
            html, *wrong = _rendered(_at(value, path), budget)
            made[path] = {"__html": html}
            problems += [replace(each, pointer=pointer) for each in wrong]
    if problems or len(made) < len(ready.markdown):
        return tuple(problems)
    filled = {name: _replaced(part, (name,), made) for name, part in value.items()}
    shown = resolved_object(filled)
    text = checked_json(shown)
    if isinstance(text, tuple):
        return text
    fills = shown is not filled and has_placeholder(canonical_json(filled))
    return ReadyProps(shown, text, filled if fills else None)


def _rendered(text: str, budget: Budget) -> tuple[str, *tuple[ValueProblem, ...]]:
    """A text as HTML, and what is wrong with it."""
    if budget.markdown_units <= 0:
        what = "rendering all Markdown of the page would take too long"
        return "", ValueProblem("", what, "split the page")
    made = rendered(text)
    budget.markdown_units -= made.units
    return made.html, *made.problems


def _at(value: Json, path: Path) -> str:
    for step in path:
        if isinstance(value, list) and isinstance(step, int):
            value = value[step]
        elif isinstance(value, dict):
            value = value[str(step)]
    return str(value)


def _replaced(value: Json, path: Path, made: Mapping[Path, Json]) -> Json:
    """A value at a path, with what was made for the paths in it."""
    if path in made:
        return made[path]
    if isinstance(value, dict):
        return {name: _replaced(part, (*path, name), made) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, (*path, index), made) for index, part in enumerate(value)]
    return value
