"""Where the redirects of a node's rows lead: clashes and circles found, chains made short."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter

from robbieblocks.assemble.origins import of_page
from robbieblocks.assemble.redirects.reading import Stated, has_redirects, read_redirects
from robbieblocks.assemble.routes import place_of, release_path
from robbieblocks.assemble.values import ValueProblem
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import (
    GONE,
    WILDCARD,
    NodeRow,
    PageRow,
    Redirect,
    Redirects,
    Snapshot,
    bare_path,
)
from robbieblocks.row_faults import blame


@dataclass(frozen=True, slots=True)
class NodeRedirects:
    """A node's redirects, by the app that states them, and the problems of rows, by their key.

    Of a row with a problem there is none.
    """

    by_app: Mapping[str, tuple[Redirect, ...]] = field(
        default_factory=dict[str, tuple[Redirect, ...]]
    )
    problems: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )


NO_REDIRECTS = NodeRedirects()


def redirects_of(snapshot: Snapshot, node: NodeRow) -> NodeRedirects:
    """The redirects that a node's pages and frames state, with all that is wrong with them.

    Pages whose `published_at` has not come are left out. A route that a page has can't be a source,
    nor can one that another row states: of two rows the first by its key keeps it. What leads to a
    path that is redirected itself leads where that one does; a circle is a problem.
    """
    apps = set(node.apps)
    rows = [
        row
        for row in snapshot.pages
        if row.relates is not False
        and row.app in apps
        and not row.part_of
        and has_redirects(row)
        and _is_due(row, snapshot)
    ]
    rows += [frame for frame in snapshot.frames if frame.app in apps and has_redirects(frame)]
    if not rows:
        return NO_REDIRECTS
    pages = {
        place.path: page
        for page in reversed(snapshot.pages)
        if page.app in apps
        and _is_due(page, snapshot)
        and (place := place_of(page.route, page.not_found)) is not None
    }
    return _Resolving(sorted(rows, key=attrgetter("key")), pages, node).resolved()


def _is_due(page: PageRow, snapshot: Snapshot) -> bool:
    return page.published_at is None or page.published_at <= snapshot.taken_at


class _Resolving:
    def __init__(
        self, rows: Iterable[PageRow], pages: Mapping[str, PageRow], node: NodeRow
    ) -> None:
        self._rows = rows
        self._pages = pages
        self._node = node.id
        self._base = node.base_url.strip().rstrip("/") + "/"
        self._problems: dict[str, list[Problem]] = {}

    def resolved(self) -> NodeRedirects:
        stated: list[tuple[PageRow, Stated, Redirect]] = []
        taken: dict[str, PageRow] = {}
        for row in self._rows:
            with self._blame(row):
                found, wrong = read_redirects(row)
                for problem in wrong:
                    self._add(row, problem)
                for each in found:
                    if (clash := self._clash(row, each, taken)) is not None:
                        self._add(row, clash)
                    else:
                        stated.append((row, each, self._rule(row, each)))
        table = Redirects.of([rule for _, _, rule in stated])
        above = _folders_above(table.below)
        short: list[tuple[PageRow, Redirect]] = []
        for row, each, rule in stated:
            with self._blame(row):
                made = self._shortened(row, each, rule, table, above)
                if made is not None:
                    short.append((row, made))
        by_app: dict[str, list[Redirect]] = {}
        for row, made in short:
            if not self._problems[row.key]:
                by_app.setdefault(row.app, []).append(made)
        return NodeRedirects(
            {app: tuple(made) for app, made in by_app.items()},
            {key: tuple(found) for key, found in self._problems.items() if found},
        )

    def _blame(self, row: PageRow) -> blame:
        return blame(self._problems.setdefault(row.key, []).append, "page", row.key, "metadata")

    def _add(self, row: PageRow, problem: ValueProblem) -> None:
        self._problems[row.key].append(of_page(row, "metadata", problem))

    def _clash(
        self, row: PageRow, stated: Stated, taken: dict[str, PageRow]
    ) -> ValueProblem | None:
        """What keeps a redirect from its source, which it takes otherwise."""
        at = f"{stated.pointer}/from" if stated.target or stated.status == GONE else stated.pointer
        is_wildcard = stated.source.endswith(WILDCARD)
        page = None if is_wildcard else self._page_at(stated.source)
        if page is not None and page.key == row.key:
            return ValueProblem(at, f"{stated.source} is the page's own route", "leave it out")
        if page is not None:
            what = f"on node {self._node} the route {stated.source} is that of page {page.key}"
            return ValueProblem(at, what, "leave it out, or give that page another route")
        place = stated.source if is_wildcard else bare_path(stated.source)
        other = taken.get(place)
        if other is None:
            taken[place] = row
            return None
        whose = "this row" if other is row else f"page {printable(other.key)}"
        what = f"on node {self._node} {stated.source} is redirected by {whose}, too"
        return ValueProblem(at, what, "keep one of the two")

    def _page_at(self, path: str) -> PageRow | None:
        return self._pages.get(release_path(path).casefold())

    def _rule(self, row: PageRow, stated: Stated) -> Redirect:
        if stated.target or stated.status == GONE:
            target = self._own_path(stated.target) or stated.target
            return Redirect(stated.source, target, stated.status, row.key)
        return Redirect(stated.source, row.route, stated.status, row.key, row.key)

    def _own_path(self, target: str) -> str:
        """The path of a URL of the node itself, which may be redirected again; "" of another.

        One with a query, a fragment, encoded letters or an empty part stays a URL.
        """
        if not target.startswith("https:") or not target.startswith(self._base):
            return ""
        path = target.removeprefix(self._base[:-1])
        return "" if re.search(r"[?#%]|//", path) else path

    def _shortened(
        self,
        row: PageRow,
        stated: Stated,
        rule: Redirect,
        table: Redirects,
        above: Collection[str],
    ) -> Redirect | None:
        """The redirect to where it leads in the end; None, with a problem, where it never ends."""
        if rule.page or rule.status == GONE or not rule.target.startswith("/"):
            return rule
        at = f"{stated.pointer}/to"
        if rule.target.endswith(WILDCARD):
            folder = rule.target.removesuffix(WILDCARD)
            if folder not in above and table.find_below(folder) is None:
                return rule
            what = f"on node {self._node} paths below {rule.target} are redirected again"
            self._add(row, ValueProblem(at, what, "name the folder to which they lead in the end"))
            return None
        passed = {rule.source}
        target = rule.target
        while (page := self._page_at(target)) is None:
            following = table.find(target)
            if following is None:
                return rule._replace(target=target)
            if following.source in passed:
                what = f"on node {self._node} {rule.source} leads in a circle, by {target}"
                self._add(row, ValueProblem(at, what, "name a page's route"))
                return None
            if following.status == GONE:
                what = f"on node {self._node} it leads to {target}, which is gone (410)"
                self._add(row, ValueProblem(at, what, "name a page's route, or take status 410"))
                return None
            passed.add(following.source)
            target = following.target_of(target)
            if not target.startswith("/"):
                return rule._replace(target=target)
        return rule._replace(target=page.route, page=page.key)


def _folders_above(folders: Iterable[str]) -> frozenset[str]:
    """The folders themselves, and each folder in which one of them lies."""
    found: set[str] = set()
    for folder in folders:
        while folder not in found:
            found.add(folder)
            folder = folder.rpartition("/")[0]
    return frozenset(found)
