"""The sitemap of an app, of which an edit alters the lines that differ."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain
from operator import itemgetter
from typing import Final

from robbieblocks.assemble import PreparedPage
from robbieblocks.model import PageEntry, Translation, changed_between
from robbieblocks.prerender import SitemapEntry, sitemap, sitemap_line

_Line = tuple[SitemapEntry, str]
_TEXT: Final = itemgetter(1)


@dataclass(slots=True)
class _Known:
    """The sitemap of some pages, on a node with this address.

    `routes` are those of the live pages that may be listed, by key, `modified` is when pages
    changed last, `translations` are those of pages in groups. `order` has the lines of all pages,
    sorted, `lines` each by its page.
    """

    base_url: str
    held: Set[str]
    entries: Sequence[PageEntry] = ()
    pages: Sequence[PreparedPage] = ()
    routes: dict[str, str] = field(default_factory=dict[str, str])
    modified: dict[str, str] = field(default_factory=dict[str, str])
    translations: dict[str, Sequence[Translation]] = field(
        default_factory=dict[str, Sequence[Translation]]
    )
    lines: dict[str, _Line] = field(default_factory=dict[str, _Line])
    order: list[_Line] = field(default_factory=list[_Line])

    def update(self, entries: Sequence[PageEntry], pages: Sequence[PreparedPage]) -> None:
        """Have the sitemap be that of these live pages, made of these."""
        gone, come = changed_between(self.entries, entries)
        left, new = changed_between(self.pages, pages)
        for entry in gone:
            self.routes.pop(entry.key, None)
        self.routes.update((entry.key, entry.route) for entry in come if entry.listed)
        for page in left:
            self.modified.pop(page.key, None)
            self.translations.pop(page.key, None)
        for page in new:
            if page.row.modified and page.key not in self.held:
                self.modified[page.key] = max(page.row.modified, _date(page.row.published_at))
            if page.page.translations:
                self.translations[page.key] = page.page.translations
        keys = {each.key for each in chain(gone, come)}
        keys.update(each.key for each in chain(left, new))
        if keys:
            # Each names those of its group that are live.
            self._alter(keys.union(self.translations))
        self.entries, self.pages = entries, pages

    def _alter(self, keys: Set[str]) -> None:
        fresh: list[_Line] = []
        for key in keys:
            entry, known = self._entry(key), self.lines.get(key)
            if known is not None and known[0] == entry:
                continue
            if known is not None:
                del self.order[bisect_left(self.order, known)]
                del self.lines[key]
            if entry is not None:
                self.lines[key] = line = entry, sitemap_line(entry, self.base_url)
                fresh.append(line)
        if len(fresh) * 4 > len(self.order):
            self.order = sorted([*self.order, *fresh])
        else:
            for line in fresh:
                insort(self.order, line)

    def _entry(self, key: str) -> SitemapEntry | None:
        route = self.routes.get(key)
        if route is None:
            return None
        live = [each for each in self.translations.get(key, ()) if each.key in self.routes]
        alternates: tuple[tuple[str, str], ...] = ()
        if len(live) > 1:
            others = [("x-default", self.routes[each.key]) for each in live if each.default]
            alternates = (*[(each.lang, self.routes[each.key]) for each in live], *others)
        return SitemapEntry(route, self.modified.get(key, ""), alternates)


@dataclass(slots=True)
class Sitemaps:
    """The sitemaps that a process made last, one an app."""

    _known: dict[str, _Known] = field(default_factory=dict[str, _Known])

    def file(
        self,
        app: str,
        base_url: str,
        live: Sequence[PageEntry],
        pages: Sequence[PreparedPage],
        *,
        held: Set[str],
        more: Iterable[SitemapEntry],
    ) -> bytes | None:
        """The sitemap of those live pages that search engines may list, and of `more`; None on a
        node without an address.

        A page changed last when its rows did, or when it appeared. Of one that is `held`, nobody
        knows how much of that is live.
        """
        # One that is left in the middle is made anew.
        known = self._known.pop(app, None)
        if not base_url:
            return None
        if known is None or known.base_url != base_url or known.held != held:
            known = _Known(base_url, frozenset(held))
        known.update(live, pages)
        self._known[app] = known
        lines = known.order
        if added := [(entry, sitemap_line(entry, base_url)) for entry in more]:
            lines = sorted([*lines, *added])
        has_alternates = bool(known.translations) and any(entry.alternates for entry, _ in lines)
        return sitemap(map(_TEXT, lines), has_alternates=has_alternates)


def _date(instant: datetime | None) -> str:
    return instant.astimezone(UTC).date().isoformat() if instant is not None else ""
