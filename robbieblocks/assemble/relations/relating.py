"""Pages with what they take from others: done once the rows are read, before all other steps.

So all that follows sees pages as they are shown. A page's row stays the same object as long as
what it takes is equal: publishing a post rewrites the lists that it enters, and no other page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Final

from robbieblocks.assemble.collections.making import MadePages
from robbieblocks.assemble.relations.app_relations import AppRelations
from robbieblocks.assemble.relations.frames import default_language, frame_setting
from robbieblocks.assemble.relations.not_found import NotFoundPages, is_not_found_page
from robbieblocks.assemble.relations.other_apps import (
    AppPages,
    Elsewhere,
    Given,
    OfferedPages,
    OfferedRows,
    Others,
    all_is_there,
    no_others,
)
from robbieblocks.assemble.relations.taking import refers
from robbieblocks.assemble.relations.translations import original_setting
from robbieblocks.model import (
    NO_SETTINGS,
    SHARED_APP,
    PageRow,
    Snapshot,
    changed_between,
    with_changed,
)

_KEY: Final = attrgetter("key")
# Where more rows have changed, looking at all of them is as quick.
_CHANGED_MAX: Final = 500


@dataclass(slots=True)
class Relations:
    """What was made of each app's rows the last time.

    `_rows` are the rows that were sorted into `_by_app`, where those of each app are in the order
    of their keys; `_relating` is how many of an app's rows take something from others, or lend it,
    `_lost` how many are 404 pages, `_frames` its frames. `_offered` are the pages of apps that
    lists in others have asked for, `_offered_rows` the rows of collections.
    """

    _rows: Sequence[PageRow] = ()
    _by_app: dict[str, Sequence[PageRow]] = field(default_factory=dict[str, Sequence[PageRow]])
    _relating: Counter[str] = field(default_factory=Counter[str])
    _lost: Counter[str] = field(default_factory=Counter[str])
    _not_found: dict[str, NotFoundPages] = field(default_factory=dict[str, NotFoundPages])
    _apps: dict[str, AppRelations] = field(default_factory=dict[str, AppRelations])
    _frames: dict[str, tuple[PageRow, ...]] = field(
        default_factory=dict[str, "tuple[PageRow, ...]"]
    )
    _offered: dict[str, OfferedPages] = field(default_factory=dict[str, OfferedPages])
    _offered_rows: dict[str, OfferedRows] = field(default_factory=dict[str, OfferedRows])
    _made: MadePages = field(default_factory=MadePages)
    _shown: tuple[PageRow, ...] = ()

    @property
    def reads(self) -> Mapping[str, Collection[str]]:
        """The other apps whose pages are in lists of an app, by app, where there are some."""
        return {name: app.reads for name, app in self._apps.items() if app.reads}

    def rows(self, app: str) -> Sequence[PageRow]:
        """The rows of an app as they were the last time, by key, with those of collections."""
        return self._by_app.get(app, ())

    def shown(self, app: str) -> Sequence[PageRow]:
        """The pages of an app of `reads`, as they were shown the last time."""
        return self._apps[app].shown

    def applied(
        self,
        content: Snapshot,
        now: datetime,
        unlisted: Collection[str] = (),
        elsewhere: Elsewhere = all_is_there,
    ) -> Snapshot:
        """The content with its pages as they are shown at an instant; frames are not among them.

        No list has the pages whose keys are `unlisted`; `elsewhere` says what lists in other apps
        lack. The very snapshot where no page takes anything from another, and there are no
        collections.
        """
        content = self._made.applied(content)
        self._sort(content.pages)
        apps = {name for name, count in self._relating.items() if count}
        shared_frames = self._frames.get(SHARED_APP, ())
        if shared_frames:
            apps |= self._by_app.keys()
        self._apps = {name: app for name, app in self._apps.items() if name in apps}
        if not apps:
            return content
        row_lists = self._made.row_lists(content, unlisted, now)
        offers = _Offers(partial(self._offer, now=now, unlisted=unlisted, elsewhere=elsewhere))
        pages: list[Sequence[PageRow]] = []
        for name, own in sorted(self._by_app.items()):
            if name in apps:
                app = self._apps.setdefault(name, AppRelations())
                app.row_lists, app.unread = row_lists, self._made.unread.get(name, ())
                app.shared_frames = () if name == SHARED_APP else shared_frames
                app.others = offers.of
                if self._lost[name]:
                    lost = self._not_found.setdefault(name, NotFoundPages())
                    own = lost.placed(own, app.shared_frames, now)
                pages.append(app.related(own, now, unlisted))
            else:
                pages.append(own)
        shown = tuple(chain.from_iterable(pages))
        if any(changed_between(self._shown, shown)):
            self._shown = shown
        instants = {name: at for name, app in self._apps.items() if (at := app.next_frame)}
        frames = tuple(
            [each for name, app in self._apps.items() for each in app.frames if each.app == name]
        )
        settings = {name: app.settings for name, app in self._apps.items()}
        return replace(
            content,
            pages=self._shown,
            frames=frames,
            frame_instants=instants,
            app_settings={name: own for name, own in settings.items() if own != NO_SETTINGS},
        )

    def _sort(self, rows: Sequence[PageRow]) -> None:
        """Have the rows of each app together, in the order of their keys."""
        gone, come = changed_between(self._rows, rows)
        # Where this ends in the middle, all are sorted the next time.
        known, self._by_app = self._by_app, {}
        if not known or len(gone) + len(come) > _CHANGED_MAX:
            by_app: dict[str, list[PageRow]] = {}
            for row in rows:
                by_app.setdefault(row.app, []).append(row)
            known.clear()
            known.update((name, sorted(own, key=_KEY)) for name, own in by_app.items())
            self._relating = Counter(row.app for row in rows if _relates(row))
            self._lost = Counter(row.app for row in rows if is_not_found_page(row))
        else:
            for name in {row.app for row in (*gone, *come)}:
                left = [row for row in gone if row.app == name]
                new = [row for row in come if row.app == name]
                own = with_changed(known.get(name, ()), left, new, _KEY)
                known[name] = own
                self._relating[name] += sum(map(_relates, new)) - sum(map(_relates, left))
                self._lost[name] += sum(map(is_not_found_page, new))
                self._lost[name] -= sum(map(is_not_found_page, left))
                if not own:
                    del known[name]
        for name in {row.app for row in (*gone, *come) if frame_setting(row) is True}:
            frames = (row for row in known.get(name, ()) if frame_setting(row) is True)
            self._frames[name] = tuple(frames)
        self._rows, self._by_app = rows, known

    def _offer(
        self,
        app: str,
        collection: str,
        *,
        now: datetime,
        unlisted: Collection[str],
        elsewhere: Elsewhere,
    ) -> AppPages:
        """The pages of an app, or of a collection there, for lists in others."""
        rows = self._by_app.get(app, ())
        hidden = elsewhere(app, rows)
        if hidden is None:
            self._offered.pop(app, None)
            self._offered_rows.pop(collection, None)
            return no_others(app)
        if collection:
            found = self._made.rows_for_others(collection, hidden)
            if found is None or found.app != app:
                return no_others(app)
            return self._offered_rows.setdefault(collection, OfferedRows()).of(found)
        shared = self._frames.get(SHARED_APP, ()) if app != SHARED_APP else ()
        given = Given(
            rows=rows,
            unread=self._made.unread.get(app, ()),
            hidden=hidden,
            unlisted=unlisted,
            language=default_language(self._frames.get(app, ()), shared, now),
            now=now,
        )
        return self._offered.setdefault(app, OfferedPages()).of(given)


class _Offers:
    """What lists ask for of each app, made once in a pass."""

    def __init__(self, made: Others) -> None:
        self._made = made
        self._known: dict[tuple[str, str], AppPages] = {}

    def of(self, app: str, collection: str) -> AppPages:
        known = self._known.get((app, collection))
        if known is None:
            known = self._known[app, collection] = self._made(app, collection)
        return known


def _relates(row: PageRow) -> bool:
    return row.relates is not False and (
        frame_setting(row) is True
        or refers(row)
        or original_setting(row) is not None
        or is_not_found_page(row)
    )
