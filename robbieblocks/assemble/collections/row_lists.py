"""The rows of collections as lists show them."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.page_data import SHOWN
from robbieblocks.errors import Problem
from robbieblocks.model import JsonObject, PageRow, RowCollection, made_key


class RowList:
    """The rows of a collection, which lists on pages of `app` may show; empty: of any app.

    `template` is None where no pages are made of the rows. Rows whose page is among `unlisted`,
    or has an error of its own, are in no list.
    """

    def __init__(
        self,
        collection: RowCollection,
        template: PageRow | None,
        pages: tuple[PageRow, ...],
        unlisted: Collection[str],
    ) -> None:
        self.collection = collection
        self.app = template.app if template is not None else ""
        self.unlisted = unlisted
        self.pages = pages
        self._template = template
        self._listing: Listing | None = None

    @property
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
            self._listing = Listing(self._rows())
        return self._listing

    def _rows(self) -> Iterator[JsonObject]:
        if self._template is None:
            for number, row in enumerate(self.collection.rows):
                key = f"{row.key} {number}"
                yield {"key": key, "route": None, "metadata": row.values, SHOWN: row.shown}
            return
        routes = {
            page.made.row.key: page.route
            for page in self.pages
            if page.made is not None and not page.faults and page.key not in self.unlisted
        }
        for row in self.collection.rows:
            if row.key in routes:
                yield {
                    "key": made_key(self._template.key, row.key),
                    "route": routes[row.key],
                    "metadata": row.values,
                    SHOWN: row.shown,
                }
