"""The files of a node that are not pages: robots.txt and sitemaps."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import Final
from urllib.parse import quote

from robbieblocks.model import AssembledPage, BrandedNode
from robbieblocks.prerender.page.head import text_of

_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"


def is_listed(page: AssembledPage) -> bool:
    """Whether search engines may list a page: `robots` in its metadata says neither `noindex` nor
    `none`.
    """
    said = text_of(page.metadata, "robots").lower()
    return not {"noindex", "none"}.intersection(re.split(r"[\s,]+", said))


def robots(node: BrandedNode) -> bytes:
    """robots.txt (RFC 9309): allows everything, names the sitemap of a node with an address."""
    lines = ["User-agent: *", "Allow: /"]
    if node.base_url:
        lines += ["", f"Sitemap: {_base(node)}/sitemap.xml"]
    return ("\n".join(lines) + "\n").encode()


def sitemap(routes: Iterable[str], node: BrandedNode) -> bytes | None:
    """The sitemap of one app's pages (sitemaps.org); None on a node without an address, because
    its URLs must be absolute.
    """
    if not node.base_url:
        return None
    urls = (f"<url><loc>{_loc(node, route)}</loc></url>" for route in sorted(routes))
    return _xml("urlset", urls)


def sitemap_index(apps: Iterable[str], node: BrandedNode) -> bytes | None:
    """The index of the apps' sitemaps; None on a node without an address."""
    if not node.base_url:
        return None
    names = (f"/sitemap-{app}.xml" for app in sorted(apps))
    return _xml(
        "sitemapindex", (f"<sitemap><loc>{_loc(node, name)}</loc></sitemap>" for name in names)
    )


def _base(node: BrandedNode) -> str:
    return node.base_url.rstrip("/")


def _loc(node: BrandedNode, path: str) -> str:
    return escape(_base(node) + quote(path), quote=False)


def _xml(root: str, items: Iterable[str]) -> bytes:
    body = "".join(f"{item}\n" for item in items)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_SITEMAPS}">\n'
    return f"{head}{body}</{root}>\n".encode()
