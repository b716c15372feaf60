"""Pages with what they take from others: done once the rows are read, before all other steps.

So all that follows sees pages as they are shown. A page's row stays the same object as long as
what it takes is equal: publishing a post rewrites the lists that it enters, and no other page.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Final

from robbieblocks.assemble.collections.making import MadePages
from robbieblocks.assemble.collections.row_lists import RowList
from robbieblocks.assemble.relations.feed_places import misplaced_feeds
from robbieblocks.assemble.relations.feeds import feed_setting
from robbieblocks.assemble.relations.frames import Frames, frame_setting
from robbieblocks.assemble.relations.listing import Listing
from robbieblocks.assemble.relations.order import Change
from robbieblocks.assemble.relations.page_data import data_of
from robbieblocks.assemble.relations.parts import (
    MAX_PARTS,
    part_key,
    part_of,
    part_route,
    parts_problem,
    taken_key,
)
from robbieblocks.assemble.relations.references import References, has_reference
from robbieblocks.assemble.relations.related import Related
from robbieblocks.assemble.relations.taking import with_blocks, with_faults, with_feed
from robbieblocks.assemble.relations.translations import (
    Group,
    Groups,
    as_translation,
    original_setting,
    translations_data,
)
from robbieblocks.errors import Problem
from robbieblocks.model import (
    NO_SETTINGS,
    Json,
    JsonObject,
    Languages,
    PageRow,
    SiteSettings,
    Snapshot,
    equal_json,
    same,
)
from robbieblocks.row_faults import blame

_KEY: Final = attrgetter("key")


@dataclass(slots=True)
class Relations:
    """What was made of each app's rows the last time."""

    _apps: dict[str, _App] = field(default_factory=dict[str, "_App"])
    _made: MadePages = field(default_factory=MadePages)

    def applied(self, content: Snapshot, now: datetime, unlisted: Collection[str] = ()) -> Snapshot:
        """The content with its pages as they are shown at an instant; frames are not among them.

        No list has the pages whose keys are `unlisted`. The very snapshot where no page takes
        anything from another, and there are no collections.
        """
        content = self._made.applied(content)
        apps: set[str] = set()
        for row in content.pages:
            if row.relates is not False and row.app not in apps and _relates(row):
                apps.add(row.app)
        self._apps = {name: app for name, app in self._apps.items() if name in apps}
        if not apps:
            return content
        rows: dict[str, list[PageRow]] = {name: [] for name in apps}
        pages: list[PageRow] = []
        for row in content.pages:
            rows.get(row.app, pages).append(row)
        row_lists = self._made.row_lists(content, unlisted)
        for name, own in rows.items():
            app = self._apps.setdefault(name, _App())
            app.row_lists, app.unread = row_lists, self._made.unread.get(name, ())
            pages += app.related(sorted(own, key=_KEY), now, unlisted)
        instants = {name: at for name, app in self._apps.items() if (at := app.next_frame)}
        frames = tuple([frame for app in self._apps.values() for frame in app.frames])
        settings = {name: app.settings for name, app in self._apps.items()}
        return replace(
            content,
            pages=tuple(pages),
            frames=frames,
            frame_instants=instants,
            app_settings={name: own for name, own in settings.items() if own != NO_SETTINGS},
        )


def _relates(row: PageRow) -> bool:
    return frame_setting(row) is True or _refers(row) or original_setting(row) is not None


def _refers(row: PageRow) -> bool:
    """Whether a row has a feed, or its props have references, or it is made of another row."""
    return row.relates is not False and (
        row.made is not None
        or feed_setting(row) is not None
        or has_reference([block.props for block in row.blocks])
    )


@dataclass(slots=True)
class _App:
    """The rows of one app, with frames or references among them.

    `next_frame` is the first instant at which a frame becomes due that is not yet. `row_lists` are
    the collections, `unread` is why pages of some are not there.
    """

    row_lists: Mapping[str, RowList] = field(default_factory=dict[str, RowList])
    unread: tuple[Problem, ...] = ()
    next_frame: datetime | None = None
    _frames: Frames = field(default_factory=partial(Frames.of, ()))
    _listing: Listing = field(default_factory=partial(Listing, ()))
    _data: dict[str, tuple[PageRow, JsonObject]] = field(
        default_factory=dict[str, "tuple[PageRow, JsonObject]"]
    )
    _known: dict[str, Related] = field(default_factory=dict[str, Related])

    @property
    def frames(self) -> tuple[PageRow, ...]:
        """The rows of the frames that are due."""
        return self._frames.rows

    @property
    def settings(self) -> SiteSettings | None:
        """The settings of the frames that are due; None where there is a mistake in them."""
        return None if self._frames.faults else self._frames.settings

    @property
    def _languages(self) -> Languages:
        return self._frames.settings.languages

    def related(
        self, rows: Sequence[PageRow], now: datetime, unlisted: Collection[str]
    ) -> list[PageRow]:
        """The pages of these rows, which are sorted by key, in the order of the rows."""
        frames = [row for row in rows if frame_setting(row) is True]
        pages = [row for row in rows if frame_setting(row) is not True]
        later = [at for row in frames if (at := row.published_at) and at > now]
        self.next_frame = min(later, default=None)
        if later:
            frames = [row for row in frames if _is_due(row, now)]
        before = self._frames.rows
        if len(before) != len(frames) or not all(map(same, before, frames)):
            default = self._languages.default
            self._frames = Frames.of(frames)
            if default != self._languages.default:
                # Lists show the language of each page.
                self._data, self._listing = {}, Listing(())
        framed = any(map(_refers, frames))
        referring = [framed or self._refers(row) for row in pages]

        def is_shown(row: PageRow) -> bool:
            return _is_due(row, now) and row.key not in unlisted

        if any(referring):
            self._list([*filter(is_shown, pages)])
        keys = {row.key for row in rows}
        groups = Groups.of(pages, is_shown, self._languages)
        known, self._known = self._known, {}
        found: list[PageRow] = []
        for row, refers in zip(pages, referring, strict=True):
            group = groups.around(row.key)
            made = self._made(row, group, known.get(row.key), keys, refers=refers)
            self._known[row.key] = made
            found += made.pages
        wrong = misplaced_feeds(page for page in found if _is_due(page, now))
        if wrong:
            found = [with_faults(page, wrong.get(page.key, ())) for page in found]
        return found

    def _refers(self, row: PageRow) -> bool:
        known = self._known.get(row.key)
        if known is None or not same(known.row, row) or not same(known.frames, self._frames):
            return _refers(row)
        return known.refers

    def _list(self, rows: Sequence[PageRow]) -> None:
        """Make the listing of these pages anew where one differs in what lists show of it."""
        changes: list[Change] = []
        data: dict[str, tuple[PageRow, JsonObject]] = {}
        before = self._data
        for row in rows:
            known = before.get(row.key)
            if known is None or not same(known[0], row):
                fresh = data_of(row, self._languages.default)
                if known is not None and equal_json(known[1], fresh):
                    fresh = known[1]
                else:
                    changes.append((known[1] if known is not None else None, fresh))
                known = row, fresh
            data[row.key] = known
        changes += [(page, None) for key, (_, page) in before.items() if key not in data]
        if changes:
            self._listing = self._listing.changed(changes)
        self._data = data

    def _made(
        self,
        row: PageRow,
        group: Group,
        known: Related | None,
        keys: Collection[str],
        *,
        refers: bool,
    ) -> Related:
        if (
            known is not None
            and same(known.row, row)
            and same(known.frames, self._frames)
            and known.group == group
            and (known.listing is None or known.unread == self.unread)
            and known.taken == taken_key(known.parts, keys)
            and (still := known.still(self._listing, self.row_lists)) is not None
        ):
            return still
        made = Related(row, self._frames, group, None, (), refers, unread=self.unread)
        faults: list[Problem] = []
        with blame(faults.append, "page", row.key):
            page = self._in_group(self._frames.around(row), group)
            made = self._replaced(made, page, keys) if refers else replace(made, pages=(page,))
        if faults:
            made = replace(made, pages=(replace(row, faults=tuple(faults)),))
        if known is not None:
            before = {page.key: page for page in known.pages}
            pages = [
                old if (old := before.get(page.key)) is not None and old.is_equal(page) else page
                for page in made.pages
            ]
            made = replace(made, pages=tuple(pages))
        return made

    def _in_group(self, page: PageRow, group: Group) -> PageRow:
        """The page with what is known of its language; the very row where nothing is."""
        default = self._languages.default
        if not group.pages and default == page.default_lang:
            return with_faults(page, group.faults)
        known = replace(page, default_lang=default, translations=group.pages)
        return with_faults(known, group.faults)

    def _replaced(self, made: Related, page: PageRow, keys: Collection[str]) -> Related:
        """The page, and its further parts, with references replaced."""
        languages = self._languages
        data = data_of(page, languages.default)
        translations = partial(
            translations_data, as_translation(page, languages), made.group.pages, languages
        )
        references = References(
            page, data, self._listing, self.row_lists, self.unread, translations=translations
        )
        if feed_setting(page) is not None:
            references.faults.update(dict.fromkeys(self.unread))
        whole = with_feed(with_blocks(page, references), str(data["lang"]), references)
        answers = references.answers
        made = replace(made, asked=references.asked, answers=tuple(answers))
        query = references.paginated
        if query is None:
            if references.own_lists:
                whole = replace(whole, modified="")
            lists = references.lists or feed_setting(page) is not None
            return replace(made, listing=self._listing if lists else None, pages=(whole,))
        count = max(1, -(-references.total // query.limit))
        parts = tuple([part_key(page.key, n) for n in range(2, min(count, MAX_PARTS) + 1)])
        taken = taken_key(parts, keys)
        made = replace(made, listing=self._listing, parts=parts, taken=taken)
        wrong = parts_problem(page, count, references.listed, taken)
        if wrong is not None:
            return replace(made, pages=(with_faults(whole, (wrong,)),))
        routes: list[Json] = [part_route(page.route, n) for n in range(1, count + 1)]
        pages: list[PageRow] = []
        for number in range(1, count + 1):
            row = replace(part_of(page, number), modified="")
            data = data_of(row, languages.default)
            told = References(
                row, data, self._listing, self.row_lists, self.unread, number, routes, translations
            )
            pages.append(with_blocks(row, told))
            answers += told.answers
        made = replace(made, answers=tuple(answers))
        first = replace(pages[0], feed=whole.feed, faults=whole.faults)
        return replace(made, pages=(first, *pages[1:]))


def _is_due(row: PageRow, now: datetime) -> bool:
    return row.published_at is None or row.published_at <= now
