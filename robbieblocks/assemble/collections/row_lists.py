"""The rows of collections as lists show them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property

from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.order import Change
from robbieblocks.assemble.relations.page_data import SHOWN
from robbieblocks.errors import Problem
from robbieblocks.model import CollectionRow, JsonObject, PageRow, RowCollection, made_key, same

# A row, the route of its page, and its data as lists have it.
_Listed = tuple[CollectionRow, str | None, JsonObject]


class RowList:
    """The rows of a collection, which lists on pages of `app` may show; empty: of any app.

    `template` is None where no pages are made of the rows. Rows whose page is among `unlisted`,
    or has an error of its own, are in no list. `before` is what was made of the collection the last
    time: its lists stay where no row of theirs has changed.
    """

    def __init__(
        self,
        collection: RowCollection,
        template: PageRow | None,
        pages: tuple[PageRow, ...],
        unlisted: Collection[str],
        before: RowList | None = None,
    ) -> None:
        self.collection = collection
        self.app = template.app if template is not None else ""
        self.unlisted = unlisted
        self.pages = pages
        self._template = template
        self._listed: dict[str, _Listed] = {}
        self._listing: Listing | None = None
        # One that no page asked has nothing to keep.
        self._before = before if before is not None and before._listing is not None else None

    @cached_property
    def fault(self) -> Problem | None:
        """Why nothing can be listed."""
        if self.collection.fault is not None or self._template is not None:
            return self.collection.fault
        # Where rows have pages, these say what is wrong with a row.
        return next((row.fault for row in self.collection.rows if row.fault is not None), None)

    @property
    def listing(self) -> Listing:
        """The rows, made ready when a page asks for them first."""
        if self._listing is None:
            before, self._before = self._before, None
            known = before._listed if before is not None else {}
            changes: list[Change] = []
            for key, row, route in self._rows():
                listed = known.get(key)
                if listed is None or not same(listed[0], row) or listed[1] != route:
                    data: JsonObject = {
                        "key": key,
                        "route": route,
                        "metadata": row.values,
                        SHOWN: row.shown,
                    }
                    changes.append((listed[2] if listed is not None else None, data))
                    listed = row, route, data
                self._listed[key] = listed
            changes += [(each[2], None) for key, each in known.items() if key not in self._listed]
            start = before.listing if before is not None else Listing(())
            self._listing = start.changed(changes) if changes else start
        return self._listing

    def is_read_as(self, before: RowList) -> bool:
        """Whether queries over the rows mean what they meant before, and can be answered."""
        return (
            self.fault is None
            and before.fault is None
            and self.app == before.app
            and self.collection.source == before.collection.source
            and self.collection.columns == before.collection.columns
        )

    def _rows(self) -> Iterator[tuple[str, CollectionRow, str | None]]:
        """Each row that lists may show, under its key there, with its page's route."""
        if self._template is None:
            for number, row in enumerate(self.collection.rows):
                yield f"{row.key} {number}", row, None
            return
        routes = {
            page.made.row.key: page.route
            for page in self.pages
            if page.made is not None and not page.faults and page.key not in self.unlisted
        }
        for row in self.collection.rows:
            if row.key in routes:
                yield made_key(self._template.key, row.key), row, routes[row.key]
