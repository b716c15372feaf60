"""The addresses that a node answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote

from robbieblocks.assemble import index_of, release_path
from robbieblocks.checks.markup import Markup
from robbieblocks.model import ASSET_PREFIX, INDEX_FILE
from robbieblocks.pipeline import InspectedPage, Inspection

# What every node has besides its pages.
_FILES: Final = frozenset({"/404.html", "/robots.txt", "/sitemap.xml", "/tokens.json", "/healthz"})


def addresses_of(
    node: str, inspection: Inspection, pages: Sequence[tuple[InspectedPage, Markup]]
) -> dict[str, Markup | None]:
    """What a node answers, by path, with the markup of pages that were made.

    Other forms of a page's address, which lead to it, are among them.
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
    known: dict[str, Markup | None] = dict.fromkeys((*_FILES, *_assets(pages)))
    if row.base_url:
        feeds = (feed for page, _ in pages if page.node == node for feed in page.document.feeds)
        known |= {unquote(path): None for _, path in feeds}
    known |= {f"/sitemap-{app}.xml": None for app in row.apps}
    known |= {f"/styles-{app}.{end}": None for app in row.apps for end in ("css", "svg")}
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


def _assets(pages: Sequence[tuple[InspectedPage, Markup]]) -> Iterator[str]:
    for page, _ in pages:
        yield from (ASSET_PREFIX + asset.name for asset in page.document.assets)
