"""Whose a value on a page is: what is wrong with it is said of the row that holds it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, NamedTuple

from robbieblocks.assemble.collections.filling import IN_TEXT, ROW
from robbieblocks.assemble.values import MAX_VALUE_BYTES, ValueProblem
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import BlockRow, Json, JsonObject, PageRow, Taken, canonical_json

# The columns of a page in which a field of its data stands, each with the place in it.
_OF_PAGES: Final = {
    "key": ("page_key", ""),
    "app": ("app_namespace", ""),
    "route": ("page_route", ""),
    "title": ("meta_title", ""),
    "description": ("meta_description", ""),
    "published_at": ("published_at", ""),
    "lang": ("metadata", "/lang"),
    "name": ("metadata", "/lang"),
    "image": ("metadata", "/image"),
}
_METADATA: Final = "metadata"
# What a collection's row can have a part in.
_OF_ROWS: Final = {
    "page_name": "name",
    "page_route": "route",
    "meta_title": "meta_title",
    "meta_description": "meta_description",
    "metadata": "metadata",
}


class Origin(NamedTuple):
    """A row, as messages name it, a field of it, and a JSON pointer into that."""

    entity: str
    key: str
    field: str
    pointer: str


def of_page(
    row: PageRow, field: str, problem: ValueProblem, *, severity: Severity = "error"
) -> Problem:
    """A problem with a field of a page, said of the row that holds the value.

    Of a page that is made of a collection's row that is the row, where the template names one of
    its columns there; else the page where the row has some part in the field, or the template.
    """
    made, name = row.made, _OF_ROWS.get(field)
    if made is None:
        return problem.in_row("page", row.key, field, severity=severity)
    stated: Json = getattr(made.template, name) if name else None
    steps = [_unescaped(step) for step in problem.pointer.split("/")[1:]]
    columns, inside = _columns(stated, steps)
    if len(columns) == 1:
        key = f"{made.collection}/{made.row.key}"
        problem = replace(problem, pointer=json_pointer(*inside))
        return problem.in_row("collection", key, printable(columns.pop()), severity=severity)
    whose = row if name and getattr(row, name) != stated else made.template
    return problem.in_row("page", whose.key, field, severity=severity)


def _columns(stated: Json, steps: list[str]) -> tuple[set[str], list[str]]:
    """The columns that a template names at a place, and the place in the one column's value."""
    for number in range(len(steps) + 1):
        named = stated[ROW] if isinstance(stated, dict) and [*stated] == [ROW] else None
        if isinstance(named, str):
            return {named}, steps[number:]
        if isinstance(stated, str):
            return {*IN_TEXT.findall(stated)}, []
        if number < len(steps):
            stated = _part(stated, steps[number])
    return set(), []


def origin_of(block: BlockRow, pointer: str) -> Origin | None:
    """Where the value at a JSON pointer into a block's props is from; None where it is its own."""
    for taken in block.taken:
        if pointer != taken.at and not pointer.startswith(f"{taken.at}/"):
            continue
        steps = [_unescaped(step) for step in pointer[len(taken.at) :].split("/")[1:]]
        if not taken.is_list:
            return _origin(taken, taken.rows[0], taken.fields[0], steps)
        if not steps:
            return None
        row = taken.rows[int(steps[0])] if steps[0].isdecimal() else taken.rows[0]
        if len(steps) == 1:
            return _origin(taken, row, "", [])
        field = next((each for each in taken.fields if _member(each) == steps[1]), "")
        return _origin(taken, row, field, steps[2:])
    return None


def largest_taken(block: BlockRow, problem: ValueProblem) -> tuple[ValueProblem, Origin | None]:
    """What to say of props that are too large: which row takes most of them, and what to do.

    The row is at fault where it alone takes half of what is allowed.
    """
    sizes = sorted(_sizes(block), key=lambda found: found[0], reverse=True)
    if not sizes:
        return problem, None
    size, taken, row, values = sizes[0]
    if size * 2 < MAX_VALUE_BYTES:
        entity, key, *_ = _origin(taken, row, "", [])
        what = f"{problem.what}; of {sum(each[0] for each in sizes):,} bytes of other rows"
        what = f"{what} {size:,} are those of {entity} {key}"
        return replace(problem, what=what, remedy="list fewer, or state `fields`"), None
    found = _largest(taken, row, values)
    what = f"it takes {size:,} bytes of the block's props, all of which {_take(problem)}"
    remedy = "shorten it, or have the list state `fields` without it"
    return replace(problem, what=what, remedy=remedy), found


def _take(problem: ValueProblem) -> str:
    """`takes 5 bytes ...` of several."""
    return problem.what.replace("takes", "take", 1)


def _sizes(block: BlockRow) -> Iterator[tuple[int, Taken, JsonObject, Json]]:
    """Each row with the bytes that its values take as JSON, and those values."""
    for taken in block.taken:
        value: Json = block.props
        for step in taken.at.split("/")[1:]:
            value = _part(value, _unescaped(step))
        there = value if taken.is_list and isinstance(value, list) else [value]
        for row, values in zip(taken.rows, there, strict=False):
            yield len(canonical_json(values).encode()), taken, row, values


def _largest(taken: Taken, row: JsonObject, values: Json) -> Origin:
    """The row's field that takes most, and of metadata the name."""
    if not taken.is_list:
        return _origin(taken, row, taken.fields[0], _largest_name(values))
    steps = _largest_name(values)
    field = next((each for each in taken.fields if [_member(each)] == steps), "")
    inner = _part(values, steps[0]) if steps else None
    return _origin(taken, row, field, _largest_name(inner) if field == _METADATA else [])


def _largest_name(values: Json) -> list[str]:
    if not isinstance(values, dict) or not values:
        return []
    return [max(values, key=lambda name: len(canonical_json(values[name])))]


def _origin(taken: Taken, row: JsonObject, field: str, steps: list[str]) -> Origin:
    first, _, rest = field.partition(".")
    inside = [*(rest.split(".") if rest else ()), *steps]
    if taken.collection:
        values = row.get(_METADATA)
        key = values.get(taken.column) if isinstance(values, dict) and taken.column else row["key"]
        name = f"{taken.collection}/{printable(str(key))}"
        if first != _METADATA or not inside:
            return Origin("collection", name, first if field else "", "")
        return Origin("collection", name, printable(inside[0]), json_pointer(*inside[1:]))
    key = str(row["key"])
    if first == _METADATA:
        return Origin("page", key, _METADATA, json_pointer(*inside))
    return Origin("page", key, *_OF_PAGES.get(first, ("", "")))


def _member(field: str) -> str:
    """The name under which an object of a list has a field."""
    return field.rpartition(".")[2]


def _part(value: Json, step: str) -> Json:
    if isinstance(value, dict):
        return value.get(step)
    there = value if isinstance(value, list) and step.isdecimal() else ()
    return there[int(step)] if int(step or 0) < len(there) else None


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
