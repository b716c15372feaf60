"""The rows of collections as lists show them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain, islice

from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.order import Alteration, Change, Selection
from robbieblocks.assemble.relations.page_data import SHOWN
from robbieblocks.assemble.values import MAX_PROBLEMS
from robbieblocks.errors import Problem
from robbieblocks.model import (
    CollectionRow,
    JsonObject,
    PageRow,
    RowCollection,
    changed_between,
    made_key,
    same,
)

# A row, the route of its page, and its data as lists have it.
_Listed = tuple[CollectionRow, str | None, JsonObject]
_Shown = tuple[CollectionRow, str | None]


class RowList:
    """The rows of a collection, of which pages are made in `app`; empty: in none.

    `template` is None where no pages are made of the rows; else `pages` are those, and `by_row` has
    each by its row's key. Rows whose page is among `unlisted`, or has an error, are in no list.
    `before` is what was made of the collection the last time: its lists stay where no row of theirs
    has changed. Once it was asked for, `listing` became what it is from `start` by `changes`.
    """

    def __init__(
        self,
        collection: RowCollection,
        template: PageRow | None,
        pages: tuple[PageRow, ...],
        by_row: Mapping[str, tuple[CollectionRow, PageRow]],
        unlisted: Collection[str],
        before: RowList | None = None,
    ) -> None:
        self.collection = collection
        self.app = template.app if template is not None else ""
        self.unlisted = unlisted
        self.pages = pages
        self.by_row = by_row
        self._template = template
        self._listed: dict[str, _Listed] = {}
        self._listing: Listing | None = None
        self.changes: Sequence[Change] = ()
        self.start: Listing | None = None
        # One that no page asked has nothing to keep.
        self._before = (
            before
            if before is not None
            and before._listing is not None
            and _key_of(before._template) == _key_of(template)
            else None
        )

    def is_of(self, template: PageRow | None) -> bool:
        """Whether its pages are made of the page with this key, in the same app."""
        app = template.app if template is not None else ""
        return self.app == app and _key_of(self._template) == _key_of(template)

    @cached_property
    def left_out(self) -> tuple[Problem, ...]:
        """What is wrong with rows that lists leave out, as warnings: at most MAX_PROBLEMS.

        None where rows have pages: these say what is wrong with a row.
        """
        if self._template is not None:
            return ()
        wrong = (row.fault for row in self.collection.rows if row.fault is not None)
        return tuple(
            [
                replace(fault, what=f"{fault.what}; lists leave out the row", severity="warning")
                for fault in islice(wrong, MAX_PROBLEMS)
            ]
        )

    @property
    def listing(self) -> Listing:
        """The rows, made ready when a page asks for them first."""
        if self._listing is None:
            before, self._before = self._before, None
            now, known = self._rows(before), dict[str, _Listed]()
            if before is not None:
                known, before._listed = before._listed, {}
            changes: list[Change] = []
            for key, found in now.items():
                listed = known.get(key)
                if found is None:
                    if listed is not None:
                        changes.append((listed[2], None))
                        del known[key]
                elif listed is None or not same(listed[0], found[0]) or listed[1] != found[1]:
                    row, route = found
                    data: JsonObject = {
                        "key": key,
                        "route": route,
                        "metadata": row.values,
                        SHOWN: row.shown,
                    }
                    changes.append((listed[2] if listed is not None else None, data))
                    known[key] = row, route, data
            self._listed = known
            self.start = before.listing if before is not None else None
            start = self.start or Listing(())
            self.changes = changes
            self._listing = start.changed(changes) if changes else start
        return self._listing

    def altered_since(self, before: RowList) -> Mapping[Selection, Alteration] | None:
        """The orders of rows that are not as they were; None where nobody can say."""
        listing = self.listing
        if self.start is None or not same(self.start, before._listing):
            return None
        return listing.altered_since(self.start, self.changes)

    def is_read_as(self, before: RowList) -> bool:
        """Whether queries over the rows mean what they meant before, and can be answered."""
        return (
            self.collection.fault is None
            and before.collection.fault is None
            and self.left_out == before.left_out
            and self.app == before.app
            and self.collection.source == before.collection.source
            and self.collection.columns == before.collection.columns
        )

    def _rows(self, before: RowList | None) -> Mapping[str, _Shown | None]:
        """Each row that lists may show, under its key there, with its page's route; None for what
        they show no more. Of what is as it was `before`, nothing.
        """
        rows = self.collection.rows
        if self._template is None:
            numbered = {
                f"{row.key} {number}": (row, None)
                for number, row in enumerate(rows)
                if row.fault is None
            }
            gone = before._listed.keys() - numbered.keys() if before is not None else ()
            return {**dict.fromkeys(gone), **numbered}
        if before is None:
            keys = {*self.by_row}
        elif before.unlisted != self.unlisted:
            keys = {*before.by_row, *self.by_row}
        else:
            changed = chain(*changed_between(before.pages, self.pages))
            keys = {page.made.row.key for page in changed if page.made is not None}
            keys.update(row.key for row in chain(*changed_between(before.collection.rows, rows)))
        template = self._template.key
        return {made_key(template, key): self._shown(key) for key in keys}

    def _shown(self, key: str) -> _Shown | None:
        found = self.by_row.get(key)
        if found is None:
            return None
        row, page = found
        return (row, page.route) if not page.faults and page.key not in self.unlisted else None


def _key_of(template: PageRow | None) -> str | None:
    return template.key if template is not None else None
