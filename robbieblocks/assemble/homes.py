"""Where each app of a node begins: what the page at `/` and the 404 page lead to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from robbieblocks.assemble.pages import title_of
from robbieblocks.assemble.placeholders import with_fallbacks
from robbieblocks.assemble.routes import has_place
from robbieblocks.model import (
    INDEX_FILE,
    SHARED_APP,
    AppHome,
    NodeIndex,
    NodeRow,
    PageRow,
    Snapshot,
    changed_between,
)

# Where more rows have changed, looking at all of them is as quick.
_CHANGED_MAX = 500


_Order = tuple[bool, int, str]


@dataclass(frozen=True, slots=True)
class _Homes:
    """The index of a node, and by app which page it begins at, before which others would come."""

    index: NodeIndex
    found: Mapping[str, tuple[_Order, PageRow]]

    def may_differ(self, page: PageRow) -> bool:
        """Whether the index may be another one with this page, or without it."""
        if page.app not in self.index.apps:
            return False
        home = self.found.get(page.app)
        if home is None or _is_root(page):
            return True
        return _order(page) <= home[0] or page.key == home[1].key


@dataclass(slots=True)
class NodeIndexes:
    """What nodes offered in the content that was looked at last, by the apps that they enable.

    `_next_due` is the first instant at which a page of that becomes due that was not.
    """

    _pages: Sequence[PageRow] = ()
    _at: datetime | None = None
    _next_due: datetime | None = None
    _known: dict[tuple[str, ...], _Homes] = field(default_factory=dict[tuple[str, ...], _Homes])

    def of(self, snapshot: Snapshot, node: NodeRow) -> NodeIndex:
        """As `index_of`; nothing is looked at again where no page differs that could matter."""
        gone, come = changed_between(self._pages, snapshot.pages)
        now = snapshot.taken_at
        later = [at for page in come if (at := page.published_at) and at > now]
        if self._next_due is not None:
            later.append(self._next_due)
        is_due = self._next_due is not None and self._next_due <= now
        if is_due or self._at is None or now < self._at or len(gone) + len(come) > _CHANGED_MAX:
            self._known.clear()
            dates = (page.published_at for page in snapshot.pages)
            later = [at for at in dates if at is not None and at > now]
        elif gone or come:
            self._known = {
                apps: homes
                for apps, homes in self._known.items()
                if not any(map(homes.may_differ, (*gone, *come)))
            }
        self._pages, self._at, self._next_due = snapshot.pages, now, min(later, default=None)
        apps = tuple(node.enabled_apps)
        known = self._known.get(apps)
        if known is None:
            known = self._known[apps] = _homes_of(snapshot, node)
        return known.index


def index_of(snapshot: Snapshot, node: NodeRow) -> NodeIndex:
    """What a node offers at an instant: of each app that it enables, the page at which it begins.

    That is the one at `/<app>/`; where there is none, the one with the shortest route. It follows
    from the rows alone, so that equal rows give equal pages: a page that is held back counts.
    """
    return _homes_of(snapshot, node).index


def _homes_of(snapshot: Snapshot, node: NodeRow) -> _Homes:
    wanted = set(node.apps)
    found: dict[str, tuple[_Order, PageRow]] = {}
    taken = False
    for page in snapshot.pages:
        if page.app not in wanted or (
            page.published_at is not None and page.published_at > snapshot.taken_at
        ):
            continue
        order = _order(page)
        if page.app in found and found[page.app][0] <= order and not _is_root(page):
            continue
        if not _is_route(page):
            continue
        taken = taken or _is_root(page)
        if page.app not in found or order < found[page.app][0]:
            found[page.app] = order, page
    enabled = [app for app in dict.fromkeys(node.enabled_apps) if app != SHARED_APP]
    index = NodeIndex(
        apps=node.apps,
        homes=tuple(_home(found[app][1]) for app in enabled if app in found),
        root_is_taken=taken,
    )
    return _Homes(index, found)


def _is_root(page: PageRow) -> bool:
    """Whether a page with a valid route stands at `/`."""
    return page.route in ("/", f"/{INDEX_FILE}")


def _order(page: PageRow) -> _Order:
    bare = page.route.strip("/")
    return bare != page.app, bare.count("/"), page.route


def _home(page: PageRow) -> AppHome:
    return AppHome(
        app=page.app,
        route=page.route,
        title=title_of(page),
        description=with_fallbacks(page.meta_description or "").strip(),
    )


def _is_route(page: PageRow) -> bool:
    return not page.not_found and has_place(page)
