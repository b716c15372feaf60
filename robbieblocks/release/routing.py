"""Which file of a release answers which path of an address, and which paths lead to another."""

from __future__ import annotations

from urllib.parse import unquote

from robbieblocks.model import INDEX_FILE, NOT_FOUND_FILE, Manifest, is_not_found_file


def routes_of(manifest: Manifest) -> tuple[dict[str, str], dict[str, str]]:
    """By path: the file that answers it; and the route to which another form of it leads.

    Pages are found by their route, other files by their own path, and the index of the node's apps,
    which is no page, at `/`. Paths are decoded.
    """
    pages = {unquote(page.route): page for page in manifest.pages}
    page_files = {page.path for page in manifest.pages}
    routes = {f"/{path}": path for path in manifest.files if path not in page_files}
    redirects: dict[str, str] = {}
    if (index := routes.pop(f"/{INDEX_FILE}", None)) is not None:
        routes["/"], redirects[f"/{INDEX_FILE}"] = index, "/"
    for route, page in pages.items():
        other = route.removesuffix("/") if route.endswith("/") else route + "/"
        redirects[other] = redirects[f"/{page.path}"] = route
    routes |= {route: page.path for route, page in pages.items()}
    return routes, redirects


def not_found_files(manifest: Manifest) -> dict[str, str]:
    """The files that answer addresses without a page, by the path of the folder below which they
    do: empty for all, else as `/shop`. Paths are decoded.
    """
    return {
        f"/{path}".removesuffix(f"/{NOT_FOUND_FILE}"): path
        for path in manifest.files
        if is_not_found_file(path)
    }
