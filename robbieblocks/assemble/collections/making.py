"""Makes a page of each row of a collection, from the page that is its template.

What is wrong with one row holds back its page, and no other. What is wrong with rows that have no
usable key, or with the view, holds back what is live of the collection: nobody knows which of its
pages have no row any more. Where the view can't be read, pages that list its rows or pages stay as
they are, too. Where the template is no page, nobody knows the app: that holds for each.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from robbieblocks.assemble.collections.filling import Filling, filled_route
from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.frames import frame_setting
from robbieblocks.assemble.relations.translations import original_setting
from robbieblocks.assemble.routes import route_problem
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import counted, printable
from robbieblocks.model import (
    CollectionRow,
    MadeFrom,
    PageRow,
    RowCollection,
    Snapshot,
    made_key,
    same,
)
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_problem

_KEY: Final = attrgetter("key")
# A key has room for that of a part of its list, such as `.page-1000`.
_KEY_MAX: Final = KEY_LENGTH - len(".page-1000")


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a collection: its pages, in order, and each by the key of its row."""

    collection: RowCollection
    template: PageRow
    pages: tuple[PageRow, ...]
    by_row: Mapping[str, tuple[CollectionRow, PageRow]]


@dataclass(slots=True)
class MadePages:
    """What was made of each collection the last time: an unchanged row's page is that object.

    `unread` is by app why pages are not there that lists would show.
    """

    unread: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )
    _known: dict[str, _Made] = field(default_factory=dict[str, _Made])
    _lists: dict[str, RowList] = field(default_factory=dict[str, RowList])

    def row_lists(self, content: Snapshot, unlisted: Collection[str]) -> Mapping[str, RowList]:
        """The rows of the collections for lists, by name, once their pages are made."""
        lists, self._lists = self._lists, {}
        for each in content.collections:
            name = each.source.name
            made = self._known.get(name)
            pages = made.pages if made is not None else ()
            known = lists.get(name)
            if known is None or not (
                same(known.collection, each)
                and same(known.pages, pages)
                and known.unlisted == unlisted
            ):
                template = made.template if made else None
                known = RowList(each, template, pages, unlisted, known)
            self._lists[name] = known
        return self._lists

    def applied(self, content: Snapshot) -> Snapshot:
        """The content with pages of rows in place of the templates; itself without collections."""
        self.unread = {}
        if not content.collections:
            return content
        of_template = {
            each.source.template_page: each
            for each in content.collections
            if each.source.template_page
        }
        known, self._known = self._known, {}
        pages: list[PageRow] = []
        unread: dict[str, tuple[Problem, ...]] = {}
        # Any page of these may have its translation among the pages that are not there.
        grouped: set[str] = set()
        for row in content.pages:
            collection = of_template.get(row.key)
            if collection is None:
                pages.append(row)
                continue
            name = collection.source.name
            if collection.fault is not None:
                unread[row.app] = (*unread.get(row.app, ()), collection.fault)
                if original_setting(row) is not None:
                    grouped.add(row.app)
            made = known.get(name)
            if made is None or not (same(made.collection, collection) and same(made.template, row)):
                made = _made(collection, row, made)
            self._known[name] = made
            pages += made.pages
        lost = tuple(
            each.fault
            for each in of_template.values()
            if each.fault is not None and each.source.name not in self._known
        )
        if lost:
            for app in sorted({row.app for row in pages}):
                pages.append(_lost(app, lost))
                unread[app] = (*unread.get(app, ()), *lost)
        self.unread = unread
        if grouped:
            pages = [
                replace(row, faults=unread[row.app])
                if row.app in grouped and row.made is None
                else row
                for row in pages
            ]
        return replace(content, pages=tuple(sorted(pages, key=_KEY)))


def _made(collection: RowCollection, template: PageRow, before: _Made | None) -> _Made:
    known: Mapping[str, tuple[CollectionRow, PageRow]] = {}
    if (
        before is not None
        and same(before.template, template)
        and before.collection.source == collection.source
    ):
        known = before.by_row
    by_row: dict[str, tuple[CollectionRow, PageRow]] = {}
    unusable: list[Problem] = []
    if frame_setting(template) is True:
        what, remedy = "a frame can't be the template of pages", "take frame out of its metadata"
        unusable.append(
            ValueProblem("/frame", what, remedy).in_row("page", template.key, "metadata")
        )
        return _Made(collection, template, (_nobody(collection, template, unusable),), {})
    for key, group in groupby(collection.rows, key=_KEY):
        row, *others = group
        wrong = name_problem(key, longest=_KEY_MAX - len(made_key(template.key, "")))
        if wrong:
            unusable += [_unusable(collection, each, wrong) for each in (row, *others)]
            continue
        held = known.get(key)
        if held is None or others or held[1].faults or not same(held[0], row):
            page = _page(collection, template, row, others=len(others))
            held = row, page if held is None or held[1] != page else held[1]
        by_row[key] = held
    faults = [collection.fault] if collection.fault is not None else _bounded(unusable, collection)
    pages = [page for _, page in by_row.values()]
    if faults:
        pages.append(_nobody(collection, template, faults))
    return _Made(collection, template, tuple(pages), by_row)


def _lost(app: str, faults: tuple[Problem, ...]) -> PageRow:
    """The page that stands in an app for all that are made from templates that are no pages."""
    key = made_key("", "")
    blank = PageRow(id=uuid5(NAMESPACE_OID, app), key=key, app=app, name="", route="", layout="")
    made = MadeFrom(template=blank, collection="", row=CollectionRow(key=""))
    return replace(blank, relates=True, faults=faults, made=made)


def _nobody(collection: RowCollection, template: PageRow, faults: list[Problem]) -> PageRow:
    """The page that stands for all that have no row of which one could be made."""
    return _held_back(collection, template, CollectionRow(key=""), tuple(faults))


def _page(
    collection: RowCollection, template: PageRow, row: CollectionRow, *, others: int
) -> PageRow:
    faults = tuple(_faults(collection, row, others=others))
    if faults:
        return _held_back(collection, template, row, faults)
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
        return _held_back(collection, template, row, tuple(wrong[:MAX_PROBLEMS]))
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


def _held_back(
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
        yield _problem(collection, row, source.key, what, "let the view have one row for each key")
        return
    if row.fault is not None:
        yield row.fault
        return
    route = filled_route(source.route, row.values)
    if not isinstance(route, str):
        yield _problem(collection, row, *route)
    elif wrong := route_problem(route):
        named = (n for n in source.route_columns if route_problem(f"/{row.values[n]}") is not None)
        yield _problem(collection, row, next(named, "route"), *wrong)


def _unusable(collection: RowCollection, row: CollectionRow, wrong: str) -> Problem:
    what = f"the key {wrong}, so no page can be made of the row"
    return _problem(collection, row, collection.source.key, what, NAME_REMEDY)


def _bounded(problems: list[Problem], collection: RowCollection) -> list[Problem]:
    """The first of many problems, and how many there are."""
    if len(problems) <= MAX_PROBLEMS:
        return problems
    more = Problem(
        entity="collection",
        key=collection.source.name,
        field=collection.source.key,
        what=f"{len(problems):,} rows have no usable key; the first of them are named",
        remedy=NAME_REMEDY,
    )
    return [*problems[: MAX_PROBLEMS - 1], more]


def _problem(
    collection: RowCollection, row: CollectionRow, column: str, what: str, remedy: str
) -> Problem:
    return Problem(
        entity="collection",
        key=f"{collection.source.name}/{printable(row.key) if row.key else '(no key)'}",
        field=column,
        what=what,
        remedy=remedy,
    )
