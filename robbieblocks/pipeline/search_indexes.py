"""The indexes for search: made within a command's build, and beside a worker's builds."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from robbieblocks import release
from robbieblocks import toolchain as toolchains
from robbieblocks.model import Manifest, PageEntry, Sha256
from robbieblocks.pipeline.beside import BesideBuilds
from robbieblocks.pipeline.maintenance import MAINTENANCE_LOGGER
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.rest import Rest
from robbieblocks.release import SiteRoot
from robbieblocks.search import Index, SearchPage, Tags, index_key, make_index
from robbieblocks.settings import Settings

Progress = Callable[[str], None]

PageTags = Mapping[str, Tags]
"""The tags of those pages that have some, by page key: their HTML does not say them."""

_WAIT_MAX_S: Final = 60.0
_PAUSE_S: Final = 30.0
_PAUSE_MAX_S: Final = 3600.0


class _Requested(NamedTuple):
    """An index that is wanted: not before `due_at`, and at the next pause after `latest`, both
    monotonic times. `tries` says how often it failed.
    """

    site_root: SiteRoot
    tags: PageTags
    due_at: float
    latest: float
    tries: int = 0


@dataclass(slots=True, kw_only=True)
class SearchIndexes(BesideBuilds):
    """The index of each target that was made last, and a thread that makes them.

    Where they are made `later`, no build waits: the thread makes the index of what is live, once
    builds rest, or at the next pause where they have not rested for `wait_max_s` seconds, and calls
    `on_ready`; the next build puts it into a release. What failed is tried again after a pause.
    """

    settings: Settings
    progress: Progress
    wait_max_s: float = _WAIT_MAX_S
    _made: dict[Target, Index] = field(default_factory=dict[Target, Index])
    _requested: dict[Target, _Requested] = field(default_factory=dict[Target, _Requested])
    _failed: dict[Target, str] = field(default_factory=dict[Target, str])
    _identity: str = ""

    @classmethod
    def of(
        cls, settings: Settings, progress: Progress, rest: Rest, *, later: bool
    ) -> SearchIndexes | None:
        """None where no app has an index: then nothing is fetched or started."""
        if not settings.search.apps:
            return None
        return cls(settings=settings, progress=progress, rest=rest, later=later)

    def has(self, app: str) -> bool:
        """Whether the app has an index."""
        return self.settings.search.has(app)

    def key(self, pages: Iterable[PageEntry], files: Mapping[str, Sha256], tags: PageTags) -> str:
        """What the index of these pages is made from. Raises ToolchainUnavailable."""
        if not self._identity:
            self._identity, _ = toolchains.ensure_pagefind(self.settings, self.progress)
        return index_key(
            self._identity,
            [(each.route, files[each.path], tags.get(each.key, ())) for each in searched(pages)],
        )

    def made(self, target: Target, key: str) -> Index | None:
        """The index with this key, where it was made last."""
        known = self._made.get(target)
        return known if known is not None and known.listing.key == key else None

    def make(self, target: Target, key: str, pages: Iterable[SearchPage]) -> Index | None:
        """Make and keep an index, as `make_index` does. Raises as that and `key` do."""
        _, program = toolchains.ensure_pagefind(self.settings, self.progress)
        index = make_index(program, key, pages, go_on=lambda: not self._closing)
        if index is not None:
            self._made[target] = index
        return index

    def request(self, site_root: SiteRoot, target: Target, tags: PageTags) -> None:
        """Have the index made of what will be live once builds rest, with these tags."""
        now = time.monotonic()
        with self._changed:
            before = self._requested.get(target)
            latest = min(now + self.wait_max_s, before.latest if before else math.inf)
            self._requested[target] = _Requested(site_root, tags, now, latest)
            self._wake(self._run, "search")

    def _run(self) -> None:
        while (next_one := self._next()) is not None:
            target, wanted = next_one
            try:
                self._index_live(wanted.site_root, target, wanted.tags)
            except Exception as error:  # noqa: BLE001 -- it would end the thread, and no one would know
                if not self._closing:
                    self._tell(target, str(error) or type(error).__name__)
                self._try_later(target, wanted)

    def _try_later(self, target: Target, failed: _Requested) -> None:
        """Want it again after a pause, the longer the more often it failed."""
        pause_s = min(_PAUSE_S * 4.0 ** min(failed.tries, 10), _PAUSE_MAX_S)
        due_at = time.monotonic() + pause_s
        again = failed._replace(due_at=due_at, latest=due_at + self.wait_max_s)
        with self._changed:
            # Another build may have asked meanwhile.
            self._requested.setdefault(target, again._replace(tries=failed.tries + 1))

    def _next(self) -> tuple[Target, _Requested] | None:
        """A target whose index is to be made now; None at the end."""
        with self._changed:
            while self._requested and not self._closing:
                target, wanted = min(self._requested.items(), key=lambda item: item[1].due_at)
                rest_s = self.rest.left_s(latest=wanted.latest)
                early_s = wanted.due_at - time.monotonic()
                if rest_s == 0 and early_s <= 0:
                    return target, self._requested.pop(target)
                self._changed.wait(None if rest_s is None else max(rest_s, early_s))
            self._thread = None
            return None

    def _index_live(self, site_root: SiteRoot, target: Target, tags: PageTags) -> None:
        manifest = release.live(site_root, target.node, target.app)
        if manifest is None:
            return
        key = self.key(manifest.pages, manifest.files, tags)
        if self.made(target, key) is not None:
            return
        folder = release.live_folder(site_root, target.node, target.app)
        if self.make(target, key, pages_in(str(folder), manifest, tags)) is None:
            return  # another release is live by now; its build has asked again
        self._failed.pop(target, None)
        with self._changed:
            self._ready.add(target.app)
        self.on_ready()

    def _tell(self, target: Target, why: str) -> None:
        """Log a failure once, until it goes well or fails otherwise."""
        if self._failed.get(target) != why:
            self._failed[target] = why
            MAINTENANCE_LOGGER.log(
                logging.WARNING,
                "making the index for search of %s/%s failed: %s",
                *(target.node, target.app, why),
            )


def searched(pages: Iterable[PageEntry]) -> list[PageEntry]:
    """The pages that an index has: those that search engines may list."""
    return [each for each in pages if each.listed]


def pages_in(folder: str, manifest: Manifest, tags: PageTags) -> list[SearchPage]:
    """The pages that an index has, in a release's folder."""
    files = manifest.files
    return [
        SearchPage(each.route, f"{folder}/{each.path}", files[each.path], tags.get(each.key, ()))
        for each in searched(manifest.pages)
    ]
