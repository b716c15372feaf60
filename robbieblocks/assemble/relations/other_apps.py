"""The pages of an app as lists in other apps show them.

They are those that visitors find: what is live on the node, or goes live with the build at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeAlias

from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.frames import frame_setting, is_due
from robbieblocks.assemble.relations.listed_pages import ListedPages
from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.not_found import is_not_found_page
from robbieblocks.assemble.relations.order import Alteration, Change, Selection
from robbieblocks.errors import Problem
from robbieblocks.model import PageRow, changed_between, same
from robbieblocks.row_faults import is_passing

# Where more rows have changed, looking at all of them is as quick.
_CHANGED_MAX: Final = 500


Elsewhere: TypeAlias = Callable[[str, Sequence[PageRow]], Collection[str] | None]
"""Of an app and its rows, the keys of those that visitors don't find; None where the node does not
show the app."""


def all_is_there(_app: str, _rows: Sequence[PageRow]) -> Collection[str]:
    """Nothing is hidden: where nothing is live yet, all of it goes live."""
    return frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class AppPages:
    """What lists in other apps may show of one.

    `is_there` says whether the node shows the app, `unread` is why pages, or some of what they
    tell, are not in the listing. It became `listing` from `start` by `changes`.
    """

    is_there: bool
    listing: Listing
    unread: tuple[Problem, ...] = ()
    start: Listing | None = None
    changes: Sequence[Change] = ()

    def altered_since(self, before: AppPages) -> Mapping[Selection, Alteration] | None:
        """The orders of pages that are not as they were; None where nobody can say."""
        if self.start is None or not same(self.start, before.listing):
            return None
        return self.listing.altered_since(self.start, self.changes)

    def is_read_as(self, before: AppPages) -> bool:
        """Whether what lists say besides their pages is what it was."""
        return self.is_there == before.is_there and self.unread == before.unread


_NOT_THERE: Final = AppPages(is_there=False, listing=Listing(()))


Others: TypeAlias = Callable[[str, str], AppPages]
"""What lists may show of an app, or, with its name, of a collection that has its pages there."""


def no_others(_app: str, _collection: str = "") -> AppPages:
    """What there is of other apps where none is known."""
    return _NOT_THERE


@dataclass(slots=True)
class OfferedRows:
    """The rows of a collection that has its pages in one app, for others: as the last time."""

    pages: AppPages = _NOT_THERE
    _rows: RowList | None = None

    def of(self, rows: RowList) -> AppPages:
        """The rows that may be listed; the very object of the last time where nothing differs."""
        if self._rows is None or not same(self._rows, rows):
            listing = rows.listing
            self._rows = rows
            if not same(listing, self.pages.listing):
                self.pages = AppPages(True, listing, (), rows.start, rows.changes)
        return self.pages


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What an app has to show: its rows by key, why some are not there, and what is hidden."""

    rows: Sequence[PageRow]
    unread: tuple[Problem, ...]
    hidden: Collection[str]
    unlisted: Collection[str]
    language: str
    now: datetime


@dataclass(slots=True)
class OfferedPages:
    """The pages of one app for others, as they were the last time."""

    pages: AppPages = _NOT_THERE
    _listed: ListedPages = field(default_factory=ListedPages)
    _given: Given | None = None
    _next_due: datetime | None = None

    def of(self, given: Given) -> AppPages:
        """The pages that may be listed; the very object of the last time where nothing differs."""
        before, self._given = self._given, None
        start = self._listed.listing if before is not None else None
        if before is not None and before.language != given.language:
            before, start = None, None
        if before is None:
            self._listed = ListedPages()
        changes = self._changes(before, given)
        if not any(map(is_passing, self._listed.faults.values())):
            self._given = given
        listing, unread = self._listed.listing, (*given.unread, *self._listed.left_out)
        was = self.pages
        if not (was.is_there and same(was.listing, listing) and was.unread == unread):
            self.pages = AppPages(True, listing, unread, start, changes)
        return self.pages

    def _changes(self, before: Given | None, given: Given) -> Sequence[Change]:
        def shown(row: PageRow) -> PageRow | None:
            return row if _is_offered(row, given) else None

        gone, come = changed_between(before.rows if before else (), given.rows)
        later = [at for row in come if (at := row.published_at) and at > given.now]
        if before is not None and self._few_differ(before, given, len(gone) + len(come)):
            if self._next_due is not None:
                later.append(self._next_due)
            self._next_due = min(later, default=None)
            rows = dict.fromkeys(row.key for row in gone) | {row.key: shown(row) for row in come}
            return self._listed.update(rows, given.language)
        due = [at for row in given.rows if (at := row.published_at) and at > given.now]
        self._next_due = min(due, default=None)
        listed = {row.key: row for row in given.rows if shown(row) is not None}
        return self._listed.replace(listed, given.language)

    def _few_differ(self, before: Given, given: Given, count: int) -> bool:
        """Whether rows that are the same objects are listed, or not, as they were."""
        return (
            count <= _CHANGED_MAX
            and before.now <= given.now
            and (self._next_due is None or given.now < self._next_due)
            and before.hidden == given.hidden
            and before.unlisted == given.unlisted
        )


def _is_offered(row: PageRow, given: Given) -> bool:
    return (
        row.key not in given.hidden
        and row.key not in given.unlisted
        and may_be_listed(row, given.now)
    )


def may_be_listed(row: PageRow, now: datetime) -> bool:
    """Whether a row is one of a page that is due, and no frame or 404 page."""
    return is_due(row, now) and frame_setting(row) is not True and not is_not_found_page(row)
