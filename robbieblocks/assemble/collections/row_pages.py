"""The page that a row of a collection becomes, or what is wrong with the row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from uuid import uuid5

from robbieblocks.assemble.collections.filling import Filling, filled_route
from robbieblocks.assemble.routes import route_problem
from robbieblocks.assemble.values import MAX_PROBLEMS
from robbieblocks.errors import Problem
from robbieblocks.messages import counted, printable
from robbieblocks.model import CollectionRow, MadeFrom, PageRow, RowCollection, made_key


def page_of(
    collection: RowCollection, template: PageRow, row: CollectionRow, *, others: int
) -> PageRow:
    """The page of a row; `others` is how many more rows have its key."""
    faults = tuple(_faults(collection, row, others=others))
    if faults:
        return held_back(collection, template, row, faults)
    filling, personal = Filling(row), Filling(row, placeholders=True)
    texts: dict[str, str | None] = {}
    wrong: list[Problem] = []
    for name, column in _TEXTS:
        text = getattr(template, name)
        texts[name] = text if text is None else personal.text(text)
        wrong += [each.in_row("page", template.key, column) for each in personal.problems]
        personal.problems.clear()
    metadata = filling.json(template.metadata)
    wrong += [each.in_row("page", template.key, "metadata") for each in filling.problems]
    if wrong:
        return held_back(collection, template, row, tuple(wrong[:MAX_PROBLEMS]))
    route = filled_route(collection.source.route, row.values)
    made = MadeFrom(
        template=template,
        collection=collection.source.name,
        row=row,
        shown=personal.json(template.metadata),
    )
    return replace(
        template,
        id=uuid5(template.id, row.key),
        key=made_key(template.key, row.key),
        name=texts["name"] or "",
        route=route if isinstance(route, str) else "",
        meta_title=texts["meta_title"],
        meta_description=texts["meta_description"],
        metadata=metadata,
        modified="",
        relates=True,
        made=made,
    )


_TEXTS: Final = (
    ("name", "page_name"),
    ("meta_title", "meta_title"),
    ("meta_description", "meta_description"),
)


def held_back(
    collection: RowCollection, template: PageRow, row: CollectionRow, faults: tuple[Problem, ...]
) -> PageRow:
    """A page that says what is wrong with its row, and shows nothing."""
    return replace(
        template,
        id=uuid5(template.id, row.key),
        key=made_key(template.key, row.key),
        route="",
        metadata={},
        blocks=(),
        modified="",
        relates=True,
        faults=faults,
        made=MadeFrom(template=template, collection=collection.source.name, row=row),
    )


def _faults(collection: RowCollection, row: CollectionRow, *, others: int) -> Iterator[Problem]:
    """What is wrong with the row of a page: at most one thing."""
    source = collection.source
    if others:
        what = f"{counted(others + 1, 'row')} have this key"
        yield problem_of(
            collection, row, source.key, what, "let the view have one row for each key"
        )
        return
    if row.fault is not None:
        yield row.fault
        return
    route = filled_route(source.route, row.values)
    if not isinstance(route, str):
        yield problem_of(collection, row, *route)
    elif wrong := route_problem(route):
        named = (n for n in source.route_columns if route_problem(f"/{row.values[n]}") is not None)
        yield problem_of(collection, row, next(named, "route"), *wrong)


def problem_of(
    collection: RowCollection,
    row: CollectionRow,
    column: str,
    what: str,
    remedy: str,
    pointer: str = "",
) -> Problem:
    """What is wrong with a column of a row."""
    return Problem(
        entity="collection",
        key=f"{collection.source.name}/{printable(row.key) if row.key else '(no key)'}",
        field=column,
        pointer=pointer,
        what=what,
        remedy=remedy,
    )
