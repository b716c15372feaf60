"""The rows of one app as they are shown: each with what it takes from the others.

Where a few rows have changed, those are made again, and the pages whose groups, parts or lists the
change reaches; nobody looks at the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from operator import attrgetter
from typing import Final, TypeVar

from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.askers import Askers
from robbieblocks.assemble.relations.feed_places import misplaced_feeds
from robbieblocks.assemble.relations.frames import Frames, frame_setting, is_due
from robbieblocks.assemble.relations.listed_pages import ListedPages
from robbieblocks.assemble.relations.other_apps import AppPages, Others, no_others
from robbieblocks.assemble.relations.query import source_of
from robbieblocks.assemble.relations.related import Related, Surroundings
from robbieblocks.assemble.relations.seen import Seen
from robbieblocks.assemble.relations.taking import refers, with_faults
from robbieblocks.assemble.relations.translations import Groups, original_setting
from robbieblocks.errors import Problem
from robbieblocks.model import (
    PageRow,
    SiteSettings,
    changed_between,
    same,
    with_changed,
)
from robbieblocks.row_faults import is_passing

_KEY: Final = attrgetter("key")
_PAGES: Final = attrgetter("pages")
_FEED: Final = attrgetter("feed")
_Asked = TypeVar("_Asked", RowList, AppPages)


@dataclass(slots=True)
class AppRelations:
    """The rows of one app, with frames or references among them.

    `next_frame` is the first instant at which a frame becomes due that is not yet. `shared_frames`
    are the rows of frames of `shared`, due or not, where the app is another one. `row_lists` are
    the collections, `others` gives the pages and rows of another app, `unread` is why pages of some
    collections are not there. `reads` are the other apps whose pages were in lists of this one the
    last time, `shown` the pages as they were shown then.
    """

    shared_frames: Sequence[PageRow] = ()
    row_lists: Mapping[str, RowList] = field(default_factory=dict[str, RowList])
    others: Others = no_others
    unread: tuple[Problem, ...] = ()
    next_frame: datetime | None = None
    reads: Collection[str] = ()
    shown: Sequence[PageRow] = ()
    _around: Surroundings = field(default_factory=Surroundings)
    _known: dict[str, Related] = field(default_factory=dict[str, Related])
    _seen: Seen | None = None

    @property
    def frames(self) -> tuple[PageRow, ...]:
        """The rows of the frames that are due, those of `shared` among them."""
        return self._around.frames.rows

    @property
    def settings(self) -> SiteSettings | None:
        """The settings of the frames that are due; None where there is a mistake in them."""
        frames = self._around.frames
        return None if frames.faults else frames.settings

    def related(
        self, rows: Sequence[PageRow], now: datetime, unlisted: Collection[str]
    ) -> Sequence[PageRow]:
        """The pages of these rows, which are sorted by key, in the order of the rows.

        The very object of the last time where nothing differs.
        """
        seen, self._seen = self._seen, None
        if seen is None:
            # What was left in the middle is not known to hold, nor is what was short of something.
            self._around, self._known = Surroundings(), {}
        around = self._around
        around.row_lists, around.unread, around.others = self.row_lists, self.unread, self.others
        around.reread = _reread(seen.row_lists if seen else {}, self.row_lists)
        if seen is not None and seen.others:
            around.reread |= {
                source_of(*asked)
                for asked, pages in seen.others.items()
                if not self.others(*asked).is_read_as(pages)
            }
        altered = None
        if seen is not None and not any(changed_between(seen.shared_frames, self.shared_frames)):
            altered = self._altered(seen, rows, now, unlisted)
        made = altered or self._all(rows, now, unlisted)
        made.others = {asked: self.others(*asked) for asked in +made.reads}
        self.reads, self.shown = {app for app, _ in made.others}, made.found
        if not around.passing:
            self._seen = made
        return made.found

    def _all(self, rows: Sequence[PageRow], now: datetime, unlisted: Collection[str]) -> Seen:
        """Look at each row; one that is the same object, and what its page takes, is as it was."""
        around = self._around
        frames = [row for row in rows if frame_setting(row) is True]
        pages = [row for row in rows if frame_setting(row) is not True]
        around_all = (*frames, *self.shared_frames)
        instants = [at for row in pages if (at := row.published_at) is not None and at > now]
        later = [at for row in around_all if (at := row.published_at) and at > now]
        self.next_frame = min(later, default=None)
        if later:
            frames = [row for row in frames if is_due(row, now)]
        shared = [row for row in self.shared_frames if is_due(row, now)]
        if any(changed_between(around.frames.rows, (*frames, *shared))):
            default = around.languages.default
            around.frames = Frames.of(frames, shared)
            around.passing = around.passing or is_passing(around.frames.problems)
            if default != around.languages.default:
                # Lists show the language of each page.
                around.listed = ListedPages()
        framed = any(map(refers, around.frames.rows))
        referring = [framed or self._refers(row) for row in pages]

        def is_shown(row: PageRow) -> bool:
            return is_due(row, now) and row.key not in unlisted and not row.not_found

        lists = any(referring)
        if lists:
            shown = {row.key: row for row in pages if is_shown(row)}
            around.listed.replace(shown, around.languages.default)
        around.keys = set(map(_KEY, rows))
        groups = Groups.of(pages, is_shown, around.languages)
        known, self._known = self._known, {}
        for row, is_referring in zip(pages, referring, strict=True):
            self._known[row.key] = around.made(
                row, groups.around(row.key), known.get(row.key), refers=is_referring
            )
        return Seen(
            rows=rows,
            pages=pages,
            now=now,
            next_due=min([*instants, *later], default=None),
            unlisted=unlisted,
            shared_frames=self.shared_frames,
            row_lists=dict(self.row_lists),
            unread=self.unread,
            groups=groups,
            framed=framed,
            lists=lists,
            found=self._found(pages, now),
            in_parts={key for key, made in self._known.items() if made.parts},
            reads=Counter(chain.from_iterable(made.reads for made in self._known.values())),
        )

    def _altered(
        self, seen: Seen, rows: Sequence[PageRow], now: datetime, unlisted: Collection[str]
    ) -> Seen | None:
        """Look at rows that differ and at what that reaches; None where all are to be looked at."""
        gone, come = changed_between(seen.rows, rows)
        if self._around.reread or not seen.holds(gone, come, now, unlisted, self.unread):
            return None
        if not seen.lists and any(map(refers, come)):
            return None
        fresh = {row.key: row for row in come}

        def is_shown(row: PageRow) -> bool:
            return is_due(row, now) and row.key not in unlisted and not row.not_found

        keys = {*map(_KEY, gone), *fresh}
        reached = {*fresh}
        left_out = self._around.listed.left_out
        if seen.lists:
            reached |= self._asking(
                seen,
                {key: row if (row := fresh.get(key)) and is_shown(row) else None for key in keys},
            )
        if self._around.listed.left_out != left_out:
            # Each list tells of it.
            return None
        if keys:
            seen.pages = with_changed(seen.pages, gone, come, _KEY)
            self._around.keys.difference_update(keys)
            self._around.keys.update(fresh)
            # Another page may have the key of one of their parts now.
            reached |= seen.in_parts
            reached |= self._regrouped(seen, come, is_shown)
        for key in keys - fresh.keys():
            self._forget(key, seen)
        for key in reached:
            self._make_again(key, fresh.get(key), seen)
        instants = [row.published_at for row in come] + [seen.next_due]
        seen.rows, seen.now, seen.row_lists = rows, now, dict(self.row_lists)
        seen.next_due = min([at for at in instants if at and at > now], default=None)
        if reached or keys:
            seen.found = self._found(seen.pages, now)
        return seen

    def _asking(self, seen: Seen, rows: Mapping[str, PageRow | None]) -> set[str]:
        """The pages whose lists may show something else, now that these rows are so (None: gone),
        and the collections as they are.
        """
        if seen.askers is None:
            seen.askers = Askers()
            for key, made in self._known.items():
                seen.askers.put(key, made.answers)
        listed, found = self._around.listed, set[str]()
        before = listed.listing
        changes = listed.update(rows, self._around.languages.default)
        now = listed.listing
        if not same(before, now):
            altered = now.altered_since(before, changes)
            found |= seen.askers.concerned("", before.selections, altered)
        for name, rows_now in self.row_lists.items():
            found |= _concerned(seen.askers, name, seen.row_lists[name], rows_now)
        for asked, pages in seen.others.items():
            found |= _concerned(seen.askers, source_of(*asked), pages, self.others(*asked))
        return found

    def _regrouped(
        self, seen: Seen, come: Iterable[PageRow], is_shown: Callable[[PageRow], bool]
    ) -> set[str]:
        """The pages whose group of translations differs, once that is looked at again."""
        before = seen.groups
        if not before.by_page and all(original_setting(row) is None for row in come):
            return set()
        seen.groups = Groups.of(seen.pages, is_shown, self._around.languages)
        return {
            key
            for key in before.by_page.keys() | seen.groups.by_page.keys()
            if before.around(key) != seen.groups.around(key)
        }

    def _make_again(self, key: str, fresh: PageRow | None, seen: Seen) -> None:
        known = self._known.get(key)
        row = fresh or (known.row if known is not None else None)
        if row is None:
            return
        is_referring = seen.framed or (refers(row) if fresh or known is None else known.refers)
        made = self._around.made(row, seen.groups.around(key), known, refers=is_referring)
        if not same(known, made):
            self._forget(key, seen)
            self._known[key] = made
            seen.reads.update(made.reads)
            if made.parts:
                seen.in_parts.add(key)
            if seen.askers is not None:
                seen.askers.put(key, made.answers)

    def _forget(self, key: str, seen: Seen) -> None:
        made = self._known.pop(key, None)
        seen.in_parts.discard(key)
        if made is not None:
            seen.reads.subtract(made.reads)
        if made is not None and seen.askers is not None:
            seen.askers.drop(key, made.answers)

    def _found(self, pages: Sequence[PageRow], now: datetime) -> list[PageRow]:
        """What the rows of these pages became."""
        related = map(self._known.__getitem__, map(_KEY, pages))
        found = [*chain.from_iterable(map(_PAGES, related))]
        if any(map(_FEED, found)):
            wrong = misplaced_feeds(page for page in found if is_due(page, now))
            if wrong:
                found = [with_faults(page, wrong.get(page.key, ())) for page in found]
        return found

    def _refers(self, row: PageRow) -> bool:
        known = self._known.get(row.key)
        if known is None or not same(known.row, row) or not same(known.frames, self._around.frames):
            return refers(row)
        return known.refers


def _concerned(askers: Askers, source: str, was: _Asked, now: _Asked) -> set[str]:
    """The pages whose lists of a collection, or of another app, may show something else."""
    if same(was, now) or source not in askers.sources:
        return set()
    altered = now.altered_since(was)
    if altered is None:
        return askers.of(source)
    return askers.concerned(source, was.listing.selections, altered)


def _reread(before: Mapping[str, RowList], now: Mapping[str, RowList]) -> frozenset[str]:
    """The collections of which queries may mean something else than before."""
    return frozenset(
        name
        for name in {*before, *now}
        if name not in before
        or name not in now
        or not (same(before[name], now[name]) or now[name].is_read_as(before[name]))
    )
