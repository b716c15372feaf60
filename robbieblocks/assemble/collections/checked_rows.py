"""Rows of collections whose values no page can show: each row says what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from robbieblocks.assemble.collections.row_pages import problem_of
from robbieblocks.assemble.values import listing_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import CollectionRow, RowCollection, changed_between, same
from robbieblocks.row_faults import blame, is_passing


@dataclass(frozen=True, slots=True)
class _Checked:
    """A collection as it was given, and with `wrong`: what stands for a row, by the row's id."""

    given: RowCollection
    checked: RowCollection
    wrong: Mapping[int, CollectionRow]

    @property
    def passing(self) -> bool:
        return is_passing(row.fault for row in self.wrong.values() if row.fault is not None)


@dataclass(slots=True)
class CheckedRows:
    """Checks the rows of collections, of one that was checked before those that differ."""

    _known: dict[str, _Checked] = field(default_factory=dict[str, _Checked])

    def of(self, collections: tuple[RowCollection, ...]) -> tuple[RowCollection, ...]:
        """The collections with a fault in each row that can't be shown; they where none has one."""
        known = self._known
        checked = {each.source.name: _checked(each, known) for each in collections}
        # What was short of something is looked at again.
        self._known = {name: each for name, each in checked.items() if not each.passing}
        found = tuple([each.checked for each in checked.values()])
        return collections if all(map(same, collections, found)) else found


def _checked(collection: RowCollection, known: Mapping[str, _Checked]) -> _Checked:
    before = known.get(collection.source.name)
    if before is not None and same(before.given, collection):
        return before
    # Of rows that are gone others may have the ids by now, so `wrong` is of those that stay.
    gone, come = changed_between(before.given.rows if before else (), collection.rows)
    left = set(map(id, gone))
    wrong = {at: row for at, row in before.wrong.items() if at not in left} if before else {}
    for row in come:
        fault = None if row.fault is not None else _fault(collection, row)
        if fault is not None:
            wrong[id(row)] = CollectionRow(key=row.key, digest=row.digest, fault=fault)
    if not wrong:
        return _Checked(collection, collection, wrong)
    rows = tuple([wrong.get(id(row), row) for row in collection.rows])
    return _Checked(collection, replace(collection, rows=rows), wrong)


def _fault(collection: RowCollection, row: CollectionRow) -> Problem | None:
    faults: list[Problem] = []
    with blame(faults.append, "collection", f"{collection.source.name}/{row.key or '(no key)'}"):
        return _wrong_value(collection, row)
    return faults[0]


def _wrong_value(collection: RowCollection, row: CollectionRow) -> Problem | None:
    if listing_problem(row.values) is None:
        return None
    for column, value in row.values.items():
        problem = listing_problem({column: value})
        if problem is not None:
            pointer = problem.pointer.removeprefix(json_pointer(column))
            place = printable(column)
            return problem_of(collection, row, place, problem.what, problem.remedy, pointer)
    # Each column can be shown, but not all of them together.
    what = "the row can't be shown: its columns take too much together"
    return problem_of(collection, row, "", what, "leave out columns that no page shows")
