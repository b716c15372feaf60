"""Pages of one node that want one route, looked for again only where a route may be new."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from robbieblocks.assemble import check_routes
from robbieblocks.errors import Problem
from robbieblocks.model import NodeRow, PageRow, Snapshot


@dataclass(slots=True)
class RouteConflicts:
    """Remembers, for the content that it saw last, among which apps' pages no two clash."""

    _pages: tuple[PageRow, ...] = ()
    _seen_at: datetime | None = None
    _clean: set[frozenset[str]] = field(default_factory=set)

    def conflicts(self, content: Snapshot, node: NodeRow) -> dict[str, tuple[Problem, ...]]:
        """The node's pages that want another's place, each with the problem that names both."""
        if not self._as_before(content):
            self._clean.clear()
        self._pages, self._seen_at = content.pages, content.taken_at
        apps = frozenset(node.apps)
        if apps in self._clean:
            return {}
        found: dict[str, tuple[Problem, ...]] = {}
        for problem in check_routes(content, node):
            found[problem.key] = (*found.get(problem.key, ()), problem)
        if not found:
            self._clean.add(apps)
        return found

    def _as_before(self, content: Snapshot) -> bool:
        """Whether the pages that count, and their routes, are those of the last time."""
        if content.pages is self._pages and content.taken_at == self._seen_at:
            return True
        if len(content.pages) != len(self._pages):
            return False
        both = zip(content.pages, self._pages, strict=True)
        changed = [(now, before) for now, before in both if now is not before]
        return all(_alike(now, before) for now, before in changed) and not self._came_up(content)

    def _came_up(self, content: Snapshot) -> bool:
        """Whether a page counts now that was to come when the routes were seen last."""
        first, last = self._seen_at, content.taken_at
        dues = [page.published_at for page in content.pages if page.published_at is not None]
        return first is not None and bool([due for due in dues if first < due <= last])


def _alike(one: PageRow, other: PageRow) -> bool:
    return (one.key, one.app, one.route, one.published_at) == (
        other.key,
        other.app,
        other.route,
        other.published_at,
    )
