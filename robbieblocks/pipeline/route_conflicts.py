"""Published pages of one node that want one route, and the redirects of its other paths."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from robbieblocks.assemble import (
    NO_REDIRECTS,
    NodeRedirects,
    TakenPlaces,
    check_routes,
    has_redirects,
    redirects_of,
    release_path,
)
from robbieblocks.errors import Problem
from robbieblocks.model import Manifest, NodeRow, PageRow, Snapshot, changed_between
from robbieblocks.row_faults import is_passing

# Where more pages have changed, looking at all of them is as quick.
_CHANGED_MAX = 500


@dataclass(slots=True)
class RouteConflicts:
    """Finds conflicts and redirects; looks again only where a route or a redirect may be new.

    `_free` has the places of the pages of sets of apps that had no conflict in the content that was
    checked last, and `_redirects` what nodes had then, by the node's apps and its id.
    `_next_at` is when the first page of that content will be published whose time had not come.
    """

    _pages: tuple[PageRow, ...] = ()
    _frames: tuple[PageRow, ...] = ()
    _checked_at: datetime | None = None
    _next_at: datetime | None = None
    _free: dict[frozenset[str], TakenPlaces] = field(
        default_factory=dict[frozenset[str], TakenPlaces]
    )
    _redirects: dict[tuple[frozenset[str], str], NodeRedirects] = field(
        default_factory=dict[tuple[frozenset[str], str], NodeRedirects]
    )

    def conflicts(
        self, content: Snapshot, node: NodeRow, live: Callable[[str], Manifest | None]
    ) -> dict[str, tuple[Problem, ...]]:
        """The node's pages that want another page's route, with problems that name both.

        `live` gives an app's live manifest on the node, and is asked only where there is a
        conflict.
        """
        self._look(content)
        apps = frozenset(node.apps)
        if apps in self._free:
            return {}
        found: dict[str, tuple[Problem, ...]] = {
            problem.key: (problem,) for problem in check_routes(content, node, _LivePages(live).has)
        }
        places = TakenPlaces()
        if not found and places.alter((), _placed(content.pages, apps, content.taken_at)):
            self._free[apps] = places
        return found

    def redirects(self, content: Snapshot, node: NodeRow) -> NodeRedirects:
        """The node's redirects, and what is wrong with those that its rows state."""
        self._look(content)
        key = frozenset(node.apps), node.id
        found = self._redirects.get(key)
        if found is None:
            found = redirects_of(content, node)
            if not is_passing(chain.from_iterable(found.problems.values())):
                self._redirects[key] = found
        return found

    def _look(self, content: Snapshot) -> None:
        """Forget what was found where this content may give something else."""
        gone, come = changed_between(self._pages, content.pages)
        if not self._can_follow(content, len(gone) + len(come)):
            self._free.clear()
            self._redirects.clear()
            self._next_at = _first_to_come(content.pages, content.taken_at)
        else:
            self._follow(gone, come, content)
        self._pages, self._frames = content.pages, content.frames
        self._checked_at = content.taken_at

    def _can_follow(self, content: Snapshot, changed: int) -> bool:
        """Whether all pages that were not due still aren't, and few have changed."""
        if self._checked_at is None or content.taken_at < self._checked_at:
            return False
        if self._next_at is not None and self._next_at <= content.taken_at:
            return False
        return changed <= _CHANGED_MAX

    def _follow(self, gone: Sequence[PageRow], come: Sequence[PageRow], content: Snapshot) -> None:
        """Put the pages that changed in their places."""
        routing = [*map(_routing, gone)] == [*map(_routing, come)]
        if not routing:
            at = content.taken_at
            # Nobody became due since: who is not due now had no place.
            self._free = {
                apps: places
                for apps, places in self._free.items()
                if places.alter(_placed(gone, apps, at), _placed(come, apps, at))
            }
            later = _first_to_come(come, at)
            self._next_at = min(filter(None, (self._next_at, later)), default=None)
        frames = changed_between(self._frames, content.frames)
        if not routing or [*map(_routing, frames[0])] != [*map(_routing, frames[1])]:
            new = any(map(has_redirects, (*come, *frames[1])))
            self._redirects = {
                key: found
                for key, found in self._redirects.items()
                if found is NO_REDIRECTS and not new
            }


@dataclass(slots=True)
class _LivePages:
    """Which pages are live on a node, each app's manifest read once."""

    read: Callable[[str], Manifest | None]
    _paths: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])

    def has(self, page: PageRow) -> bool:
        """Whether the page is live at the route that its row has now."""
        if page.app not in self._paths:
            manifest = self.read(page.app)
            entries = manifest.pages if manifest else ()
            self._paths[page.app] = {entry.key: entry.path for entry in entries}
        return self._paths[page.app].get(page.key) == release_path(page.route)


def _placed(pages: Iterable[PageRow], apps: frozenset[str], now: datetime) -> list[PageRow]:
    """Those of the pages of these apps whose time has come."""
    return [
        page
        for page in pages
        if page.app in apps and not (page.published_at and page.published_at > now)
    ]


def _first_to_come(pages: Iterable[PageRow], now: datetime) -> datetime | None:
    instants = [page.published_at for page in pages if page.published_at is not None]
    return min([at for at in instants if at > now], default=None)


def _routing(page: PageRow) -> tuple[object, ...]:
    stated = page.metadata if page.relates is not False else None
    redirects = (
        (stated.get("redirect_from"), stated.get("redirects")) if isinstance(stated, dict) else ()
    )
    return (
        *(page.key, page.app, page.route, page.not_found),
        *(page.published_at, redirects, page.part_of),
    )
