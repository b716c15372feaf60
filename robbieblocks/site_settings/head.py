"""Reads `head`: links and metas for the head of pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from robbieblocks.messages import printable
from robbieblocks.model import HeadElement
from robbieblocks.site_settings.stated import Stated

_MOST: Final = 100
_LINK: Final = ("rel", "href", "as", "type", "hreflang", "media", "sizes", "title", "crossorigin")
_RELS: Final = (
    "alternate",
    "author",
    "canonical",
    "dns-prefetch",
    "help",
    "license",
    "me",
    "next",
    "preconnect",
    "prefetch",
    "preload",
    "prev",
    "privacy-policy",
    "search",
    "terms-of-service",
    "webmention",
)
_PRELOADED: Final = ("fetch", "font", "image")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "rel": _RELS,
    "as": _PRELOADED,
    "crossorigin": ("anonymous", "use-credentials"),
}
# What a page says by other means, or may not say: a policy, another address, another encoding.
_OTHER_METAS: Final[Mapping[str, str]] = {
    "description": "write the page's meta_description",
    "robots": "write `robots` into the page's metadata",
    "viewport": "the page has it already",
    "color-scheme": "write `theme` into the node's branding",
    "theme-color": "it follows from the token color.background",
    "og:title": "write `og_title` into the page's metadata",
    "og:description": "write `og_description` into the page's metadata",
    "og:image": "write `og_image` into the page's metadata",
    "og:type": "write `og_type` into the page's metadata",
    "og:url": "it follows from the node's base_url",
    "og:site_name": "it is the node's name",
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[._:-][A-Za-z0-9]+)*")
# Without white space, quotes and controls; scripts have no place in it.
_ADDRESS: Final = re.compile(r"(?:https://|mailto:|/(?!/))[!#-&(-;=?-\[\]_a-~]*")
_PLAIN: Final = re.compile(r"[A-Za-z0-9 .,:;=()/*+_-]{1,200}")


def read_head(stated: Stated) -> tuple[HeadElement, ...]:
    """The elements of an object with `links` and `metas`, each a list of objects."""
    members = stated.members(("links", "metas"))
    links = members["links"].items(_MOST) if "links" in members else []
    metas = members["metas"].items(_MOST) if "metas" in members else []
    return (*map(_link, links), *map(_meta, metas))


def _link(stated: Stated) -> HeadElement:
    members = stated.members(_LINK, required=("rel", "href"))
    found = [(name, _link_value(name, members[name])) for name in _LINK if name in members]
    said = dict(found)
    if said.get("rel") == "preload" and not said.get("as"):
        stated.report("a preload says not what it is", f"add as: {' or '.join(_PRELOADED)}")
    return HeadElement("link", tuple(found))


def _link_value(name: str, stated: Stated) -> str:
    words = _WORDS.get(name)
    if words:
        return stated.choice(words)
    value = stated.text()
    if name == "href" and value and not _ADDRESS.fullmatch(value):
        remedy = "write a path, or an https or mailto URL, other letters percent-encoded"
        stated.report(f"{printable(value)} is no address", remedy)
    elif name not in ("href", "title") and value and not _PLAIN.fullmatch(value):
        stated.report(f"{printable(value)} is no {name} of a link", "use plain letters")
    return value


def _meta(stated: Stated) -> HeadElement:
    members = stated.members(("name", "property", "content"), required=("content",))
    names = [name for name in ("name", "property") if name in members]
    if len(names) != 1:
        stated.report("a meta has a name or a property", 'such as name = "author"; never both')
        return HeadElement("meta", ())
    inner = members[names[0]]
    name = inner.text()
    if name and (len(name) > 100 or not _NAME.fullmatch(name)):
        inner.report(f"{printable(name)} is no name of a meta", "such as google-site-verification")
    elif name.lower() in _OTHER_METAS:
        inner.report(f"{printable(name)} is not written here", _OTHER_METAS[name.lower()])
    content = members["content"].text() if "content" in members else ""
    return HeadElement("meta", ((names[0], name), ("content", content)))
