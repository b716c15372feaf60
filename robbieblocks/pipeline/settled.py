"""Which pages a plan need not look at again: those that were live as their rows want them, where
nothing differs since.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Final

from robbieblocks.assemble import PreparedPage, is_due
from robbieblocks.model import Manifest, PageEntries, Sha256, changed_between
from robbieblocks.pipeline.fingerprints import Fingerprints

_KEY: Final = attrgetter("key")
# Where a larger part of the pages is looked at, looking at all of them is as quick.
_PART: Final = 8
NO_ENTRIES: Final = PageEntries(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What a run's pages are compared by: the pages as they are to be, and the live ones; the hash
    of the branding, what knows the pages' fingerprints, and the instant.
    """

    pages: Sequence[PreparedPage]
    live: Manifest | None
    brand: Sha256
    fingerprints: Fingerprints
    now: datetime

    @property
    def entries(self) -> PageEntries:
        """The entries of the live pages."""
        return self.live.page_entries if self.live else NO_ENTRIES


@dataclass(slots=True)
class SettledPages:
    """What a run's pages were compared by the last time, and which are looked at in any case."""

    _last: Compared | None = None
    _again: frozenset[str] = frozenset()

    def to_look_at(self, now: Compared) -> frozenset[str] | None:
        """The keys of pages that may differ from their live version; None where all may.

        All others are live as they are to be.
        """
        last, entries = self._last, now.entries
        if last is None or last.brand != now.brand or last.now > now.now:
            return None
        dropped = now.fingerprints.dropped_since(last.fingerprints)
        if dropped is None or not entries.are_in_order:
            return None
        pages = changed_between(last.pages, now.pages)
        live = entries.changed_since(last.entries)
        found = {*self._again, *dropped, *entries.without_card}
        found.update(page.key for part in pages for page in part)
        found.update(entry.key for part in live for entry in part)
        return frozenset(found) if len(found) * _PART <= len(now.pages) else None

    def note(self, now: Compared, looked_at: frozenset[str] | None, open_: Iterable[str]) -> None:
        """Keep what was compared now. `looked_at` is as `to_look_at` gave it; `open_` are the keys
        of those pages with which something is to be done.
        """
        if looked_at is None:
            self._again = frozenset({*open_, *_timed(now.pages, now.now)})
        else:
            timed = _timed(among(now.pages, looked_at), now.now)
            self._again = (self._again - looked_at).union(open_, timed)
        self._last = now

    def forget(self) -> None:
        """Look at all pages the next time."""
        self._last = None


def among(pages: Sequence[PreparedPage], keys: Collection[str]) -> list[PreparedPage]:
    """Those of the pages, which are sorted by key, that have these keys."""
    found: list[PreparedPage] = []
    for key in sorted(keys):
        place = bisect_left(pages, key, key=_KEY)
        if place < len(pages) and pages[place].key == key:
            found.append(pages[place])
    return found


def _timed(pages: Iterable[PreparedPage], now: datetime) -> Iterable[str]:
    """The keys of pages that time changes, or that the node's settings may refuse."""
    return [page.key for page in pages if page.conditions or page.embeds or not is_due(page, now)]
