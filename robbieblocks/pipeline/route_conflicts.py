"""Published pages of one node that want one route, and the redirects of its other paths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain

from robbieblocks.assemble import NodeRedirects, check_routes, redirects_of, release_path
from robbieblocks.errors import Problem
from robbieblocks.model import Manifest, NodeRow, PageRow, Snapshot, same
from robbieblocks.row_faults import is_passing


@dataclass(slots=True)
class RouteConflicts:
    """Finds conflicts and redirects; looks again only where a route or a redirect may be new.

    `_free` are sets of apps whose pages had no conflict in the content that was checked last, and
    `_redirects` what nodes had then, by the node's apps and its id.
    `_next_at` is when the first page of that content will be published whose time had not come.
    """

    _pages: tuple[PageRow, ...] = ()
    _frames: tuple[PageRow, ...] = ()
    _checked_at: datetime | None = None
    _next_at: datetime | None = None
    _free: set[frozenset[str]] = field(default_factory=set[frozenset[str]])
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
        if not found:
            self._free.add(apps)
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
        if not self._has_same_routes(content):
            self._free.clear()
            self._redirects.clear()
            self._next_at = min(
                [
                    page.published_at
                    for page in content.pages
                    if page.published_at is not None and page.published_at > content.taken_at
                ],
                default=None,
            )
        self._pages, self._frames = content.pages, content.frames
        self._checked_at = content.taken_at

    def _has_same_routes(self, content: Snapshot) -> bool:
        """Whether the published pages, and their routes, are those that were checked last."""
        if len(content.pages) != len(self._pages) or self._checked_at is None:
            return False
        if len(content.frames) != len(self._frames):
            return False
        if content.taken_at < self._checked_at:
            return False
        if self._next_at is not None and self._next_at <= content.taken_at:
            return False
        if same(content.pages, self._pages) and same(content.frames, self._frames):
            return True
        both = chain(
            zip(content.pages, self._pages, strict=True),
            zip(content.frames, self._frames, strict=True),
        )
        changed = [(now, before) for now, before in both if not same(now, before)]
        return all(_routing(now) == _routing(before) for now, before in changed)


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


def _routing(page: PageRow) -> tuple[object, ...]:
    stated = page.metadata if page.relates is not False else None
    redirects = (
        (stated.get("redirect_from"), stated.get("redirects")) if isinstance(stated, dict) else ()
    )
    return page.key, page.app, page.route, page.published_at, redirects, page.part_of
