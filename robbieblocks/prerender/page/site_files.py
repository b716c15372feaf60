"""The files of a node that are not pages: robots.txt and sitemaps."""

from __future__ import annotations

from collections.abc import Iterable
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


def sitemap(lines: Iterable[str], *, has_alternates: bool) -> bytes:
    """The sitemap of pages (sitemaps.org), of their lines; `has_alternates` says whether there are
    translations in them.
    """
    return _xml("urlset", lines, _XHTML if has_alternates else "")


def sitemap_line(page: SitemapEntry, base_url: str) -> str:
    """The line of one page, with its translations as Google documents it."""
    base = base_url.rstrip("/")
    modified = f"<lastmod>{page.modified}</lastmod>" if page.modified else ""
    others = [
        f'<xhtml:link rel="alternate" hreflang="{escape(lang)}" href="{escape(base + quote(to))}"/>'
        for lang, to in page.alternates
    ]
    return f"<url><loc>{_loc(base, page.route)}</loc>{modified}{''.join(others)}</url>\n"


def sitemap_index(apps: Iterable[str], node: BrandedNode) -> bytes | None:
    """The index of the apps' sitemaps; None on a node without an address."""
    if not node.base_url:
        return None
    names = (f"/sitemap-{app}.xml" for app in sorted(apps))
    return _xml(
        "sitemapindex",
        (f"<sitemap><loc>{_loc(_base(node), name)}</loc></sitemap>\n" for name in names),
    )


def _base(node: BrandedNode) -> str:
    return node.base_url.rstrip("/")


def _loc(base: str, path: str) -> str:
    return escape(base + quote(path), quote=False)


def _xml(root: str, lines: Iterable[str], more: str = "") -> bytes:
    body = "".join(lines)
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_SITEMAPS}"{more}>\n'
    return f"{head}{body}</{root}>\n".encode()
