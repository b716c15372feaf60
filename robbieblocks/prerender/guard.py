"""A block's HTML must keep to its wrapper, whatever a component puts into it.

React escapes text and attributes, but a component may set raw HTML or name elements that change
how all that follows is parsed (`<plaintext>`, an unclosed comment). A real HTML parser decides.
"""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

_FORBIDDEN: Final = (
    "base, link, title, meta:not([itemprop]), object, embed, applet, frame, frameset, noscript"
)
_NEEDS_A_LOOK: Final = re.compile(
    r"<(?:base|link|title|meta|object|embed|applet|frame|noscript|script|iframe)\b"
    r"|\s(?:id\s*=|data-rb-|on[a-z])",
    re.IGNORECASE,
)
# Whatever a layout may put around a block, so that an end tag too many is seen to close it.
_AROUND: Final = ("article", "section", "nav", "aside", "footer", "header", "main", "div")
_BEFORE: Final = (
    "<!doctype html><html><head></head><body>" + "".join(f"<{name}>" for name in _AROUND) + "<div>"
)
_AFTER: Final = (
    "</div><rb-end><form></form></rb-end>"
    + "".join(f"</{name}>" for name in reversed(_AROUND))
    + "</body></html>"
)
_INERT_SCRIPTS: Final = frozenset({"application/json", "application/ld+json"})
_RESERVED_ID: Final = re.compile(r"b\d+|rb-.*", re.DOTALL)


def fault(html: str) -> tuple[str, str] | None:
    """What is wrong with a block's HTML and what to do about it, or None.

    It must be closed within its wrapper, take none of the names that the page's own script goes
    by, and hold no element that acts on the whole document or that the page's CSP refuses.
    """
    document = LexborHTMLParser(_BEFORE + html + _AFTER)
    if not _kept_inside(document):
        return (
            "its HTML leaves the block: an element, attribute or comment is not closed, "
            "or closes what it did not open",
            "close every element in dangerouslySetInnerHTML, "
            "and use no <plaintext>, <html>, <head> or <body>",
        )
    return _forbidden(document) if _NEEDS_A_LOOK.search(html) else None


def _kept_inside(document: LexborHTMLParser) -> bool:
    root, head, node = document.root, document.head, document.body
    if root is None or head is None or root.attributes or head.first_child is not None:
        return False
    for name in _AROUND:
        if node is None or node.attributes or node.next is not None:
            return False
        node = node.first_child
        if node is None or node.tag != name:
            return False
    wrapper = node.first_child if node is not None else None
    end = wrapper.next if wrapper is not None else None
    inside = end.first_child if end is not None else None
    return (
        end is not None
        and end.tag == "rb-end"
        and end.next is None
        and len(document.css("rb-end")) == 1
        # A parser drops a <form> that comes while another one is open.
        and inside is not None
        and inside.tag == "form"
        and inside.first_child is None
        and inside.next is None
    )


def _forbidden(document: LexborHTMLParser) -> tuple[str, str] | None:
    for node in document.css(_FORBIDDEN):
        if node.tag == "title" and _within_svg(node):
            continue
        remedy = {
            "title": "set the page's meta_title",
            "meta": "set it in the page's metadata",
            "link": "put styles into css_styles; other links belong to the page's head",
        }.get(node.tag or "", "leave it out")
        return f"it renders <{node.tag}>, which acts on the whole page", remedy
    for node in document.css("script"):
        if (node.attributes.get("type") or "").strip().lower() not in _INERT_SCRIPTS:
            return (
                "it renders <script>, which the page's content security policy refuses",
                "import what it needs from an allowed package, or use the node's custom_scripts",
            )
    if document.css_first("iframe[srcdoc]") is not None:
        return "it renders <iframe srcdoc>, a page of its own", "give the iframe a src"
    for node in document.css("[id], [data-rb-component], [data-rb-block]"):
        taken = _taken_name(node)
        if taken:
            return f"it uses {taken}, which the page keeps for itself", "choose another name"
    return _inline_handler(document)


def _within_svg(node: LexborNode) -> bool:
    above = node.parent
    while above is not None and above.tag != "svg":
        above = above.parent
    return above is not None


def _taken_name(node: LexborNode) -> str:
    for name in node.attributes:
        if name.startswith("data-rb-"):
            return f"the attribute {name}"
    identifier = node.attributes.get("id") or ""
    return f'the id "{identifier}"' if _RESERVED_ID.fullmatch(identifier) else ""


def _inline_handler(document: LexborHTMLParser) -> tuple[str, str] | None:
    for node in document.css("body *"):
        for name in node.attributes:
            if name.startswith("on"):
                return (
                    f"raw HTML has the attribute {name}, which the page's CSP refuses",
                    "handle the event in React, on an element of the component's own",
                )
    return None
