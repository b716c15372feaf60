"""Published pages of one node that want one route."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from robbieblocks.assemble import check_routes
from robbieblocks.errors import Problem
from robbieblocks.model import NodeRow, PageRow, Snapshot, same


@dataclass(slots=True)
class RouteConflicts:
    """Finds conflicts; checks again only where a route may be new.

    `_free` are sets of apps whose pages had no conflict in the content that was checked last.
    """

    _pages: tuple[PageRow, ...] = ()
    _checked_at: datetime | None = None
    _free: set[frozenset[str]] = field(default_factory=set[frozenset[str]])

    def conflicts(self, content: Snapshot, node: NodeRow) -> dict[str, tuple[Problem, ...]]:
        """The node's pages that want another page's route, with problems that name both."""
        if not self._has_same_routes(content):
            self._free.clear()
        self._pages, self._checked_at = content.pages, content.taken_at
        apps = frozenset(node.apps)
        if apps in self._free:
            return {}
        found: dict[str, tuple[Problem, ...]] = {}
        for problem in check_routes(content, node):
            found[problem.key] = (*found.get(problem.key, ()), problem)
        if not found:
            self._free.add(apps)
        return found

    def _has_same_routes(self, content: Snapshot) -> bool:
        """Whether the published pages, and their routes, are those that were checked last."""
        if same(content.pages, self._pages) and content.taken_at == self._checked_at:
            return True
        if len(content.pages) != len(self._pages):
            return False
        both = zip(content.pages, self._pages, strict=True)
        changed = [(now, before) for now, before in both if not same(now, before)]
        return all(_routing(now) == _routing(before) for now, before in changed) and not (
            self._is_any_published_since(content)
        )

    def _is_any_published_since(self, content: Snapshot) -> bool:
        """Whether a page's `published_at` lies between the last check and this one."""
        first, last = self._checked_at, content.taken_at
        instants = [page.published_at for page in content.pages if page.published_at is not None]
        return first is not None and bool([at for at in instants if first < at <= last])


def _routing(page: PageRow) -> tuple[object, ...]:
    return page.key, page.app, page.route, page.published_at
