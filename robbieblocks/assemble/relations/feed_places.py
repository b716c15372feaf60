"""The places of feeds, which lie beside their pages: two of one folder can't have one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from robbieblocks.assemble.routes import release_path, route_problem
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import PageRow


def misplaced_feeds(pages: Iterable[PageRow]) -> Mapping[str, tuple[Problem, ...]]:
    """What is wrong with pages whose feed has another's place, by their keys.

    Of two feeds the place is that of the page that comes first; a page at it goes before both.
    """
    rows = list(pages)
    with_feeds = [row for row in rows if row.feed is not None and route_problem(row.route) is None]
    if not with_feeds:
        return {}
    wanted = {
        row.feed.path(release_path(row.route), form)
        for row in with_feeds
        if row.feed
        for form in row.feed.forms
    }
    owners = {
        path: f"the page {printable(row.key)}"
        for row in rows
        if (path := row.route.strip("/")) in wanted
    }
    found: dict[str, tuple[Problem, ...]] = {}
    for row in with_feeds:
        for form in row.feed.forms if row.feed else ():
            path = row.feed.path(release_path(row.route), form) if row.feed else ""
            owner = owners.setdefault(path, f"the feed of page {printable(row.key)}")
            if owner != f"the feed of page {printable(row.key)}":
                problem = Problem(
                    entity="page",
                    key=printable(row.key),
                    field="metadata",
                    pointer="/feed",
                    what=f"its feed lies at /{path}, where {owner} is",
                    remedy="change a route, or take the form out of forms",
                )
                found[row.key] = (*found.get(row.key, ()), problem)
    return found
