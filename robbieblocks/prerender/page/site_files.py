"""The files of a node that are not pages: robots.txt and sitemaps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from typing import Final, NamedTuple
from urllib.parse import quote

from robbieblocks.model import AssembledPage, BrandedNode
from robbieblocks.names import may_be_listed

_SITEMAPS: Final = "http://www.sitemaps.org/schemas/sitemap/0.9"
_XHTML: Final = ' xmlns:xhtml="http://www.w3.org/1999/xhtml"'


class SitemapEntry(NamedTuple):
    """A page in a sitemap. `modified` is the date of its last change, or "", `alternates` are the
    `hreflang` and route of its translations.
    """

    route: str
    modified: str = ""
    alternates: tuple[tuple[str, str], ...] = ()


def is_listed(page: AssembledPage) -> bool:
    """Whether search engines may list a page: `robots` in its metadata says neither `noindex` nor
    `none`.
    """
    return may_be_listed(page.metadata.get("robots"))


def robots(node: BrandedNode) -> bytes:
    """robots.txt (RFC 9309): allows everything, names the sitemap of a node with an address."""
    lines = ["User-agent: *", "Allow: /"]
    if node.base_url:
        lines += ["", f"Sitemap: {_base(node)}/sitemap.xml"]
    return ("\n".join(lines) + "\n").encode()


def sitemap(entries: Iterable[SitemapEntry], node: BrandedNode) -> bytes | None:
    """The sitemap of one app's pages (sitemaps.org), with their translations as Google documents
    it; None on a node without an address, because its URLs must be absolute.
    """
    if not node.base_url:
        return None
    pages = sorted(entries)
    urls = (
        f"<url><loc>{_loc(node, page.route)}</loc>{_modified(page)}{_alternates(node, page)}</url>"
        for page in pages
    )
    return _xml("urlset", urls, _XHTML if any(page.alternates for page in pages) else "")


def sitemap_index(apps: Iterable[str], node: BrandedNode) -> bytes | None:
    """The index of the apps' sitemaps; None on a node without an address."""
    if not node.base_url:
        return None
    names = (f"/sitemap-{app}.xml" for app in sorted(apps))
    return _xml(
        "sitemapindex", (f"<sitemap><loc>{_loc(node, name)}</loc></sitemap>" for name in names)
    )


def _modified(page: SitemapEntry) -> str:
    return f"<lastmod>{page.modified}</lastmod>" if page.modified else ""


def _alternates(node: BrandedNode, page: SitemapEntry) -> str:
    return "".join(
        [
            f'<xhtml:link rel="alternate" hreflang="{escape(lang)}" '
            f'href="{escape(_base(node) + quote(route))}"/>'
            for lang, route in page.alternates
        ]
    )


def _base(node: BrandedNode) -> str:
    return node.base_url.rstrip("/")


def _loc(node: BrandedNode, path: str) -> str:
    return _escaped(_base(node), path)


# An edit makes the sitemap anew: of ten thousand addresses nearly all are those of before.
@lru_cache(maxsize=20_000)
def _escaped(base: str, path: str) -> str:
    return escape(base + quote(path), quote=False)


def _xml(root: str, items: Iterable[str], more: str = "") -> bytes:
    body = "".join(f"{item}\n" for item in items)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_SITEMAPS}"{more}>\n'
    return f"{head}{body}</{root}>\n".encode()
