"""Feeds as files: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final, TypeAlias
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from robbieblocks.model import AssembledPage, Feed, FeedForm, FeedItem
from robbieblocks.prerender.page.feeds import FEED_TYPES
from robbieblocks.prerender.page.head import SAFE_IN_ADDRESSES, sendable, text_of

Writer: TypeAlias = Callable[[AssembledPage, Feed, str], bytes]
"""Makes a feed of a page's; the text is the node's address, without a slash at its end."""

_ATOM: Final = "http://www.w3.org/2005/Atom"
_JSON_FEED: Final = "https://jsonfeed.org/version/1.1"
# What XML 1.0 can't hold.
_NO_XML: Final = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# What feeds say where no item has a time: they must say one, and equal rows give equal bytes.
_NO_TIME: Final = "1970-01-01T00:00:00+00:00"


def _url(base: str, path: str) -> str:
    return base + quote(path)


def _newest(feed: Feed) -> str:
    return max((item.published_at for item in feed.items if item.published_at), default=_NO_TIME)


def _title(page: AssembledPage, feed: Feed) -> str:
    return sendable(feed.title or page.title)


def _image(item: FeedItem, base: str) -> str:
    if item.image.startswith("media:"):
        # There is no such file.
        return ""
    address = base + item.image if item.image.startswith("/") else item.image
    return quote(address, safe=SAFE_IN_ADDRESSES)


def _add(parent: Element, name: str, text: str = "", **attributes: str) -> Element:
    """An element with a text, without the characters that XML can't hold."""
    element = SubElement(parent, name, attributes)
    element.text = _NO_XML.sub("", text) or None
    return element


def _xml(root: Element) -> bytes:
    text = tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode("utf-8", "replace")


def _atom(page: AssembledPage, feed: Feed, base: str) -> bytes:
    root = Element("feed", {"xmlns": _ATOM})
    here = _url(base, page.route)
    _add(root, "id", here)
    _add(root, "title", _title(page, feed))
    _add(root, "updated", _newest(feed))
    _add(root, "link", rel="alternate", href=here)
    _add(root, "link", rel="self", href=_url(base, "/" + feed.path(page.path, "atom")))
    author = _add(root, "author")
    _add(author, "name", text_of(page.metadata, "author") or _title(page, feed))
    for item in feed.items:
        entry = _add(root, "entry")
        _add(entry, "id", _url(base, item.route))
        _add(entry, "title", item.title)
        _add(entry, "updated", item.published_at or _NO_TIME)
        _add(entry, "link", rel="alternate", href=_url(base, item.route))
        if item.description:
            _add(entry, "summary", item.description)
    return _xml(root)


def _rss(page: AssembledPage, feed: Feed, base: str) -> bytes:
    root = Element("rss", {"version": "2.0", "xmlns:atom": _ATOM})
    channel = _add(root, "channel")
    _add(channel, "title", _title(page, feed))
    _add(channel, "link", _url(base, page.route))
    _add(channel, "description", page.description or _title(page, feed))
    own = _url(base, "/" + feed.path(page.path, "rss"))
    _add(channel, "atom:link", rel="self", href=own, type=FEED_TYPES["rss"])
    _add(channel, "lastBuildDate", _rfc_822(_newest(feed)))
    for item in feed.items:
        entry = _add(channel, "item")
        _add(entry, "title", item.title)
        _add(entry, "link", _url(base, item.route))
        _add(entry, "guid", _url(base, item.route))
        if item.published_at:
            _add(entry, "pubDate", _rfc_822(item.published_at))
        if item.description:
            _add(entry, "description", item.description)
    return _xml(root)


def _rfc_822(time: str) -> str:
    return format_datetime(datetime.fromisoformat(time).astimezone(UTC), usegmt=True)


def _json(page: AssembledPage, feed: Feed, base: str) -> bytes:
    items: list[dict[str, str]] = []
    for item in feed.items:
        told = {
            "id": _url(base, item.route),
            "url": _url(base, item.route),
            "title": item.title,
            "content_text": item.description or item.title,
            "date_published": item.published_at,
            "image": _image(item, base),
        }
        items.append({name: sendable(text) for name, text in told.items() if text})
    whole = {
        "version": _JSON_FEED,
        "title": _title(page, feed),
        "home_page_url": _url(base, page.route),
        "feed_url": _url(base, "/" + feed.path(page.path, "json")),
        "items": items,
    }
    return (json.dumps(whole, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


WRITERS: Final[Mapping[FeedForm, Writer]] = {"atom": _atom, "rss": _rss, "json": _json}
