"""Where each app of a node begins: what the page at `/` and the 404 page lead to."""

from __future__ import annotations

from robbieblocks.assemble.pages import title_of
from robbieblocks.assemble.placeholders import with_fallbacks
from robbieblocks.assemble.routes import has_place, release_path
from robbieblocks.model import (
    INDEX_FILE,
    SHARED_APP,
    AppHome,
    NodeIndex,
    NodeRow,
    PageRow,
    Snapshot,
)


def index_of(snapshot: Snapshot, node: NodeRow) -> NodeIndex:
    """What a node offers at an instant: of each app that it enables, the page at which it begins.

    That is the one at `/<app>/`; where there is none, the one with the shortest route. It follows
    from the rows alone, so that equal rows give equal pages: a page that is held back counts.
    """
    wanted = set(node.apps)
    found: dict[str, tuple[tuple[bool, int, str], PageRow]] = {}
    taken = False
    for page in snapshot.pages:
        if page.app not in wanted or (
            page.published_at is not None and page.published_at > snapshot.taken_at
        ):
            continue
        bare = page.route.strip("/")
        order = bare != page.app, bare.count("/"), page.route
        if page.app in found and found[page.app][0] <= order and bare:
            continue
        if not _is_route(page):
            continue
        taken = taken or release_path(page.route) == INDEX_FILE
        if page.app not in found or order < found[page.app][0]:
            found[page.app] = order, page
    enabled = [app for app in dict.fromkeys(node.enabled_apps) if app != SHARED_APP]
    return NodeIndex(
        apps=node.apps,
        homes=tuple(_home(found[app][1]) for app in enabled if app in found),
        root_is_taken=taken,
    )


def _home(page: PageRow) -> AppHome:
    return AppHome(
        app=page.app,
        route=page.route,
        title=title_of(page),
        description=with_fallbacks(page.meta_description or "").strip(),
    )


def _is_route(page: PageRow) -> bool:
    return not page.not_found and has_place(page)
