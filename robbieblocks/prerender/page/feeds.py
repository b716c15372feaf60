"""A page's feeds: which files they are, and how the page names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from robbieblocks.model import AssembledPage, BrandedNode, FeedForm

FEED_TYPES: Final[Mapping[FeedForm, str]] = {
    "atom": "application/atom+xml",
    "rss": "application/rss+xml",
    "json": "application/feed+json",
}


def feed_files(page: AssembledPage, node: BrandedNode) -> dict[str, bytes]:
    """The page's feeds by release path; none on a node without an address: links must be whole."""
    feed = page.feed
    if feed is None or not node.base_url:
        return {}
    # Few sites have feeds, and the XML library takes 8 ms of each command to load.
    from robbieblocks.prerender.page.feed_documents import WRITERS

    base = node.base_url.rstrip("/")
    return {feed.path(page.path, form): WRITERS[form](page, feed, base) for form in feed.forms}


def links(page: AssembledPage) -> tuple[tuple[str, str], ...]:
    """The type and the URL path of each of the page's feeds."""
    feed = page.feed
    if feed is None:
        return ()
    return tuple(
        [(FEED_TYPES[form], quote("/" + feed.path(page.path, form))) for form in feed.forms]
    )
