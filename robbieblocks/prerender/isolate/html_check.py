"""What raw HTML a component may render: it must stay inside its block's wrapper element.

React escapes text and attributes. But a component may set raw HTML, or render elements that change
how the rest of the page is parsed (`<plaintext>`, an unclosed comment). So an HTML parser decides.
"""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

_FORBIDDEN: Final = (
    "base, link, title, meta:not([itemprop]), object, embed, applet, frame, frameset, noscript"
)
_MAYBE_FORBIDDEN: Final = re.compile(
    r"<(?:base|link|title|meta|object|embed|applet|frame|noscript|script|iframe)\b"
    r"|\s(?:id\s*=|data-rb-|on[a-z])",
    re.IGNORECASE,
)
# Elements that a layout may have around a block: an end tag too many would close one of them.
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


def html_problem(html: str) -> tuple[str, str] | None:
    """What is wrong with a block's HTML, and what to do about it; None where it is allowed.

    The HTML must close every element that it opens and no other. It must not use ids and attributes
    that the page's own script looks for, nor hold an element that acts on the whole document, or
    that the page's content security policy refuses.
    """
    document = LexborHTMLParser(_BEFORE + html + _AFTER)
    if not _stays_inside(document):
        return (
            "its HTML leaves the block: an element, attribute or comment is not closed, "
            "or closes what it did not open",
            "close every element in dangerouslySetInnerHTML, "
            "and use no <plaintext>, <html>, <head> or <body>",
        )
    return _forbidden(document) if _MAYBE_FORBIDDEN.search(html) else None


def _stays_inside(document: LexborHTMLParser) -> bool:
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
        # A parser ignores a <form> inside another one, so this one shows that none is open.
        and inside is not None
        and inside.tag == "form"
        and inside.first_child is None
        and inside.next is None
    )


def _forbidden(document: LexborHTMLParser) -> tuple[str, str] | None:
    for node in document.css(_FORBIDDEN):
        if node.tag == "title" and _inside_svg(node):
            continue
        fix = {
            "title": "set the page's meta_title",
            "meta": "set it in the page's metadata",
            "link": "put styles into css_styles; other links belong to the page's head",
        }.get(node.tag or "", "leave it out")
        return f"it renders <{node.tag}>, which acts on the whole page", fix
    for node in document.css("script"):
        if (node.attributes.get("type") or "").strip().lower() not in _INERT_SCRIPTS:
            return (
                "it renders <script>, which the page's content security policy refuses",
                "import what it needs from an allowed package, or use the node's custom_scripts",
            )
    if document.css_first("iframe[srcdoc]") is not None:
        return "it renders <iframe srcdoc>, a page of its own", "give the iframe a src"
    for node in document.css("[id], [data-rb-component], [data-rb-block]"):
        reserved = _reserved_name(node)
        if reserved:
            return f"it uses {reserved}, which the page itself uses", "choose another name"
    return _inline_handler(document)


def _inside_svg(node: LexborNode) -> bool:
    above = node.parent
    while above is not None and above.tag != "svg":
        above = above.parent
    return above is not None


def _reserved_name(node: LexborNode) -> str:
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
