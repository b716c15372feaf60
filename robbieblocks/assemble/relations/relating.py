"""Pages with what they take from others: done once the rows are read, before all other steps.

So all that follows sees pages as they are shown. A page's row stays the same object as long as
what it takes is equal: publishing a post rewrites the lists that it enters, and no other page.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Final

from robbieblocks.assemble.relations.feeds import feed_setting, read_feed
from robbieblocks.assemble.relations.frames import Frames, frame_setting
from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.page_data import data_of
from robbieblocks.assemble.relations.parts import MAX_PARTS, part_key, part_of, part_route
from robbieblocks.assemble.relations.references import References, has_reference
from robbieblocks.errors import Problem
from robbieblocks.model import BlockRow, Feed, Json, JsonObject, PageRow, Snapshot, same
from robbieblocks.row_faults import blame

_KEY: Final = attrgetter("key")


@dataclass(slots=True)
class Relations:
    """What was made of each app's rows the last time."""

    _apps: dict[str, _App] = field(default_factory=dict[str, "_App"])

    def applied(self, content: Snapshot, now: datetime) -> Snapshot:
        """The content with its pages as they are shown at an instant; frames are not among them.

        The very snapshot where no page takes anything from another.
        """
        apps = {row.app for row in content.pages if row.relates is not False and _relates(row)}
        self._apps = {name: app for name, app in self._apps.items() if name in apps}
        if not apps:
            return content
        rows: dict[str, list[PageRow]] = {name: [] for name in apps}
        pages: list[PageRow] = []
        for row in content.pages:
            rows.get(row.app, pages).append(row)
        for name, own in rows.items():
            app = self._apps.setdefault(name, _App())
            pages += app.related(sorted(own, key=_KEY), now)
        return replace(content, pages=tuple(pages))


def _relates(row: PageRow) -> bool:
    return frame_setting(row) is True or _refers(row)


def _refers(row: PageRow) -> bool:
    """Whether a row has a feed, or its props have references."""
    return row.relates is not False and (
        feed_setting(row) is not None or has_reference([block.props for block in row.blocks])
    )


@dataclass(frozen=True, slots=True)
class _Related:
    """What a row became, and from what. `listing` is None where no list is in it."""

    row: PageRow
    frames: Frames
    listing: Listing | None
    pages: tuple[PageRow, ...]


@dataclass(slots=True)
class _App:
    """The rows of one app, with frames or references among them."""

    _frames: Frames = field(default_factory=partial(Frames.of, ()))
    _listing: Listing = field(default_factory=partial(Listing, ()))
    _data: dict[str, tuple[PageRow, JsonObject]] = field(
        default_factory=dict[str, "tuple[PageRow, JsonObject]"]
    )
    _known: dict[str, _Related] = field(default_factory=dict[str, _Related])

    def related(self, rows: Sequence[PageRow], now: datetime) -> list[PageRow]:
        """The pages of these rows, which are sorted by key, in the order of the rows."""
        frames = [row for row in rows if frame_setting(row) is True]
        pages = [row for row in rows if frame_setting(row) is not True]
        before = self._frames.rows
        if len(before) != len(frames) or not all(map(same, before, frames)):
            self._frames = Frames.of(frames)
        framed = any(map(_refers, frames))
        referring = [framed or _refers(row) for row in pages]
        if any(referring):
            self._list(pages, now)
        keys = {row.key for row in rows}
        known, self._known = self._known, {}
        found: list[PageRow] = []
        for row, refers in zip(pages, referring, strict=True):
            made = self._made(row, known.get(row.key), keys, refers=refers)
            self._known[row.key] = made
            found += made.pages
        return found

    def _list(self, rows: Sequence[PageRow], now: datetime) -> None:
        """Make the listing anew where a page differs in what lists show of it."""
        due = [row for row in rows if row.published_at is None or row.published_at <= now]
        changed = len(due) != len(self._data)
        data: dict[str, tuple[PageRow, JsonObject]] = {}
        for row in due:
            known = self._data.get(row.key)
            if known is None or not same(known[0], row):
                fresh = data_of(row)
                if known is not None and known[1] == fresh:
                    fresh = known[1]
                else:
                    changed = True
                known = row, fresh
            data[row.key] = known
        self._data = data
        if changed:
            self._listing = Listing(page for _, page in data.values())

    def _made(
        self, row: PageRow, known: _Related | None, keys: Collection[str], *, refers: bool
    ) -> _Related:
        if (
            known is not None
            and same(known.row, row)
            and same(known.frames, self._frames)
            and (known.listing is None or same(known.listing, self._listing))
        ):
            return known
        pages: tuple[PageRow, ...] = ()
        lists = False
        faults: list[Problem] = []
        with blame(faults.append, "page", row.key):
            page = self._frames.around(row)
            pages, lists = self._replaced(page, keys) if refers else ((page,), False)
        if faults:
            pages = (replace(row, faults=tuple(faults)),)
        if known is not None:
            before = {page.key: page for page in known.pages}
            pages = tuple(
                [old if (old := before.get(page.key)) == page else page for page in pages]
            )
        return _Related(row, self._frames, self._listing if lists else None, pages)

    def _replaced(self, page: PageRow, keys: Collection[str]) -> tuple[tuple[PageRow, ...], bool]:
        """The page, and its further parts, with references replaced; and whether it has lists."""
        references = References(page, data_of(page), self._listing)
        whole = _with_feed(_with_blocks(page, references), self._listing)
        query = references.paginated
        if query is None:
            return (whole,), references.lists or whole.feed is not None
        count = max(1, -(-references.total // query.limit))
        wrong = _too_many(page, count, keys)
        if wrong is not None:
            return (replace(whole, faults=(*whole.faults, wrong)),), True
        route = partial(part_route, page.route)
        parts: list[PageRow] = []
        for number in range(1, count + 1):
            row = part_of(page, number)
            told = References(row, data_of(row), self._listing, number, count, route)
            parts.append(_with_blocks(row, told))
        first = replace(parts[0], feed=whole.feed, faults=whole.faults)
        return (first, *parts[1:]), True


def _with_blocks(page: PageRow, references: References) -> PageRow:
    blocks: list[BlockRow] = []
    faults: list[Problem] = [*page.faults]
    for block in page.blocks:
        references.problems.clear()
        props: Json = references.replaced(block.props)
        blocks.append(block if props is block.props else block._replace(props=props))
        faults += [
            problem.in_row(
                *(("component", block.component) if block.component else ("page", page.key)),
                "props",
                page=block.frame or page.key,
                block=block.own_order,
            )
            for problem in references.problems
        ]
    return replace(page, blocks=tuple(blocks), faults=tuple(faults))


def _with_feed(page: PageRow, listing: Listing) -> PageRow:
    if feed_setting(page) is None:
        return page
    feed = read_feed(page, listing)
    if isinstance(feed, Feed):
        return replace(page, feed=feed)
    faults = (problem.in_row("page", page.key, "metadata") for problem in feed)
    return replace(page, faults=(*page.faults, *faults))


def _too_many(page: PageRow, count: int, keys: Collection[str]) -> Problem | None:
    if count > MAX_PARTS:
        return Problem(
            entity="page",
            key=page.key,
            what=f"its list would make {count:,} pages",
            remedy=f"raise the list's limit: at most {MAX_PARTS:,} pages are made of one",
        )
    taken = next((key for n in range(2, count + 1) if (key := part_key(page.key, n)) in keys), None)
    if taken is None:
        return None
    return Problem(
        entity="page",
        key=page.key,
        field="page_key",
        what=f"a part of its list has the key of the page {taken}",
        remedy="give that page another key",
    )
