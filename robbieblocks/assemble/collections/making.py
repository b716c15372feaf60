"""Makes a page of each row of a collection, from the page that is its template.

What is wrong with one row holds back its page, and no other. What is wrong with rows that have no
usable key, or with the view, holds back what is live of the collection: nobody knows which of its
pages have no row any more. Where the view can't be read, pages that list its rows or pages stay as
they are, too. Where the template is no page, nobody knows the app: that holds for each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final
from uuid import NAMESPACE_OID, uuid5

from robbieblocks.assemble.collections.checked_rows import CheckedRows
from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.collections.row_pages import held_back, page_of, problem_of
from robbieblocks.assemble.relations.frames import frame_setting, is_due
from robbieblocks.assemble.relations.translations import original_setting
from robbieblocks.assemble.values import MAX_PROBLEMS, ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.model import (
    CollectionRow,
    MadeFrom,
    PageRow,
    RowCollection,
    Snapshot,
    changed_between,
    made_key,
    same,
    with_changed,
)
from robbieblocks.names import KEY_LENGTH, NAME_REMEDY, name_problem

_KEY: Final = attrgetter("key")
# Where more rows have changed, looking at all of them is as quick.
_CHANGED_MAX: Final = 500
# A key has room for that of a part of its list, such as `.page-1000`.
_KEY_MAX: Final = KEY_LENGTH - len(".page-1000")


@dataclass(frozen=True, slots=True)
class _Made:
    """What became of a collection: its pages, in order, and each by the key of its row.

    `faults` says whether one of the pages stands for rows without a usable key.
    """

    collection: RowCollection
    template: PageRow
    pages: tuple[PageRow, ...]
    by_row: Mapping[str, tuple[CollectionRow, PageRow]]
    faults: bool


@dataclass(slots=True)
class MadePages:
    """What was made of each collection the last time: an unchanged row's page is that object.

    `unread` is by app why pages are not there that lists would show.
    """

    unread: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )
    _checked: CheckedRows = field(default_factory=CheckedRows)
    _known: dict[str, _Made] = field(default_factory=dict[str, _Made])
    _lists: dict[str, RowList] = field(default_factory=dict[str, RowList])
    _for_others: dict[str, RowList] = field(default_factory=dict[str, RowList])

    def row_lists(
        self, content: Snapshot, unlisted: Collection[str], now: datetime
    ) -> Mapping[str, RowList]:
        """The rows of the collections for lists, by name, once their pages are made.

        None are listed before their pages are due.
        """
        lists, self._lists = self._lists, {}
        for each in content.collections:
            name = each.source.name
            made = self._known.get(name)
            left_out = unlisted
            if made is not None and not is_due(made.template, now):
                left_out = {*unlisted, *map(_KEY, made.pages)}
            self._lists[name] = _listed(each, made, left_out, lists.get(name))
        return self._lists

    def rows_for_others(self, name: str, hidden: Collection[str]) -> RowList | None:
        """The rows of a collection for lists in other apps than that of its pages, of which those
        with the keys `hidden` are not to be found; None where no pages are made of them.
        """
        own, made = self._lists.get(name), self._known.get(name)
        known = self._for_others.pop(name, None)
        if own is None or made is None:
            return None
        left_out = {*own.unlisted, *hidden} if hidden else own.unlisted
        found = _listed(own.collection, made, left_out, known)
        self._for_others[name] = found
        return found

    def applied(self, content: Snapshot) -> Snapshot:
        """The content with pages of rows in place of the templates; itself without collections."""
        self.unread = {}
        if not content.collections:
            return content
        content = replace(content, collections=self._checked.of(content.collections))
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


def _listed(
    collection: RowCollection, made: _Made | None, unlisted: Collection[str], known: RowList | None
) -> RowList:
    """The rows of a collection for lists: `known`, the last ones, where nothing differs."""
    template = made.template if made is not None else None
    pages = made.pages if made is not None else ()
    by_row = made.by_row if made is not None else dict[str, tuple[CollectionRow, PageRow]]()
    if (
        known is not None
        and same(known.collection, collection)
        # Without rows the pages are the same nothing, whatever the template is.
        and known.is_of(template)
        and same(known.pages, pages)
        and known.unlisted == unlisted
    ):
        return known
    return RowList(collection, template, pages, by_row, unlisted, known)


def _made(collection: RowCollection, template: PageRow, before: _Made | None) -> _Made:
    known: Mapping[str, tuple[CollectionRow, PageRow]] = {}
    if (
        before is not None
        and same(before.template, template)
        and before.collection.source == collection.source
    ):
        known = before.by_row
        if not (before.faults or collection.fault):
            altered = _altered(collection, template, before)
            if altered is not None:
                return altered
    by_row: dict[str, tuple[CollectionRow, PageRow]] = {}
    unusable: list[Problem] = []
    if frame_setting(template) is True:
        what, remedy = "a frame can't be the template of pages", "take frame out of its metadata"
        unusable.append(
            ValueProblem("/frame", what, remedy).in_row("page", template.key, "metadata")
        )
        return _Made(collection, template, (_nobody(collection, template, unusable),), {}, True)
    for key, group in groupby(collection.rows, key=_KEY):
        row, *others = group
        wrong = name_problem(key, longest=_KEY_MAX - len(made_key(template.key, "")))
        if wrong:
            unusable += [_unusable(collection, each, wrong) for each in (row, *others)]
            continue
        by_row[key] = _held(collection, template, row, len(others), known.get(key))
    faults = [collection.fault] if collection.fault is not None else _bounded(unusable, collection)
    pages = [page for _, page in by_row.values()]
    if faults:
        pages.append(_nobody(collection, template, faults))
    return _Made(collection, template, tuple(pages), by_row, bool(faults))


def _altered(collection: RowCollection, template: PageRow, before: _Made) -> _Made | None:
    """What becomes of a collection of which a few rows have changed, all of which have a usable
    key; None where all are to be looked at.
    """
    gone, come = changed_between(before.collection.rows, collection.rows)
    if len(gone) + len(come) > _CHANGED_MAX:
        return None
    by_row = dict(before.by_row)
    left: list[PageRow] = []
    new: list[PageRow] = []
    for key in {row.key for row in (*gone, *come)}:
        if name_problem(key, longest=_KEY_MAX - len(made_key(template.key, ""))):
            return None
        known = by_row.pop(key, None)
        start = bisect_left(collection.rows, key, key=_KEY)
        end = bisect_right(collection.rows, key, key=_KEY)
        if start < end:
            row, others = collection.rows[start], end - start - 1
            by_row[key] = _held(collection, template, row, others, known)
        now = by_row.get(key)
        if known is not None and (now is None or not same(known[1], now[1])):
            left.append(known[1])
        if now is not None and (known is None or not same(known[1], now[1])):
            new.append(now[1])
    pages = tuple(with_changed(before.pages, left, new, _KEY)) if left or new else before.pages
    return _Made(collection, template, pages, by_row, False)


def _held(
    collection: RowCollection,
    template: PageRow,
    row: CollectionRow,
    others: int,
    known: tuple[CollectionRow, PageRow] | None,
) -> tuple[CollectionRow, PageRow]:
    """A row and its page: the page of before where that is equal. `others` have the row's key."""
    if known is not None and not others and not known[1].faults and same(known[0], row):
        return known
    page = page_of(collection, template, row, others=others)
    return row, page if known is None or known[1] != page else known[1]


def _lost(app: str, faults: tuple[Problem, ...]) -> PageRow:
    """The page that stands in an app for all that are made from templates that are no pages."""
    key = made_key("", "")
    blank = PageRow(id=uuid5(NAMESPACE_OID, app), key=key, app=app, name="", route="", layout="")
    made = MadeFrom(template=blank, collection="", row=CollectionRow(key=""))
    return replace(blank, relates=True, faults=faults, made=made)


def _nobody(collection: RowCollection, template: PageRow, faults: list[Problem]) -> PageRow:
    """The page that stands for all that have no row of which one could be made."""
    return held_back(collection, template, CollectionRow(key=""), tuple(faults))


def _unusable(collection: RowCollection, row: CollectionRow, wrong: str) -> Problem:
    what = f"the key {wrong}, so no page can be made of the row"
    return problem_of(collection, row, collection.source.key, what, NAME_REMEDY)


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
