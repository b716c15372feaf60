"""The addresses that a node answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from robbieblocks.assemble import index_of, release_path
from robbieblocks.checks.markup import Markup
from robbieblocks.model import ASSET_PREFIX, FAVICON_FILE, INDEX_FILE, NodeRow, search_file
from robbieblocks.pipeline import InspectedPage, Inspection
from robbieblocks.settings import SearchSettings

# What answers on every node and is no file of a release.
_ANSWERED: Final = frozenset({"/healthz"})
# What the shared app's release has; that may be among those that were not asked for.
_SHARED: Final = frozenset({"/404.html", "/robots.txt", "/sitemap.xml", "/tokens.json"})


def addresses_of(
    node: str,
    inspection: Inspection,
    pages: Sequence[tuple[InspectedPage, Markup]],
    search: SearchSettings,
) -> dict[str, Markup | None]:
    """What a node answers, by path, with the markup of pages that were made.

    Other forms of a page's address, which lead to it, are among them. `search` says which apps
    have an index, which is made once pages are live.
    """
    content = inspection.content
    row = next(each for each in content.nodes if each.id == node)
    now = content.taken_at
    routes = {
        page.route: None
        for page in content.pages
        if page.app in row.apps and not (page.published_at and page.published_at > now)
    }
    made = {page.page.route: found for page, found in pages if page.node == node}
    made_files = inspection.files.get(node, frozenset())
    known: dict[str, Markup | None] = dict.fromkeys((*_ANSWERED, *made_files, *_assets(pages)))
    known |= {f"/{search_file(app)}": None for app in row.apps if search.has(app)}
    known |= dict.fromkeys(_of_others(row, inspection))
    if index_of(content, row).homes:
        known |= {"/": None, f"/{INDEX_FILE}": None}
    library = content.library
    known |= {ASSET_PREFIX + name: None for name in library.assets_of(library.media)}
    known |= {each.row.served_path: None for each in library.media.values()}
    for route, found in {**routes, **made}.items():
        other = route.removesuffix("/") if route.endswith("/") else route + "/"
        for path in (other, f"/{release_path(route)}", route):
            known[path] = found
    return known


def _of_others(row: NodeRow, inspection: Inspection) -> Iterator[str]:
    """The files of a node's releases that were not made: of apps and pages not asked for."""
    yield from _SHARED
    brand = inspection.brands.get(row.id)
    if brand is not None and brand.ico is not None:
        yield f"/{FAVICON_FILE}"
    for app in row.apps:
        yield f"/sitemap-{app}.xml"
        yield from (f"/styles-{app}.{end}" for end in ("css", "svg"))
    for page in inspection.content.pages:
        if page.feed is not None and row.base_url and page.app in row.apps:
            yield from (
                f"/{page.feed.path(release_path(page.route), form)}" for form in page.feed.forms
            )


def _assets(pages: Sequence[tuple[InspectedPage, Markup]]) -> Iterator[str]:
    for page, _ in pages:
        yield from (ASSET_PREFIX + asset.name for asset in page.document.assets)
