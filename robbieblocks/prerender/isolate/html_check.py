"""What raw HTML a component may render: it must stay inside its block's wrapper element.

React escapes text and attributes. But a component may set raw HTML, or render elements that change
how the rest of the page is parsed (`<plaintext>`, an unclosed comment). So an HTML parser decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

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
_WHOLE_PAGE: Final = re.compile(r"<(html|head|body)(?=[\s/>])", re.IGNORECASE)
_INERT_SCRIPTS: Final = frozenset({"application/json", "application/ld+json"})
_RESERVED_ID: Final = re.compile(r"(?:f\d+)?b-?\d+|rb-.*", re.DOTALL)
# Elements that act on the whole page, or hold another one, and what to do instead.
_LEAVE_OUT: Final = "leave it out"
_OTHER_NAME: Final = "choose another name"
# With one of these a <meta> acts on the page, even if it is microdata as well.
_ACTING: Final = frozenset({"http-equiv", "charset", "name"})
_FORBIDDEN: Final = {
    "title": "set the page's meta_title",
    "meta": "set it in the page's metadata",
    "link": "put styles into css_styles; other links belong to the page's head",
    **dict.fromkeys(
        ("base", "object", "embed", "applet", "frame", "frameset", "noscript"), _LEAVE_OUT
    ),
}
# `document.x` finds these elements by name before its own members (HTML 3.1.7, DOM tree accessors).
_NAMED: Final = ("form", "iframe", "img")
# The members of `document` in Chromium, without event handlers and constants.
_DOCUMENT_MEMBERS: Final = frozenset(
    """
activeElement activeViewTransition addEventListener adoptNode adoptedStyleSheets alinkColor all
anchors append appendChild applets ariaNotify baseURI bgColor body captureEvents
caretPositionFromPoint caretRangeFromPoint characterSet charset childElementCount childNodes
children clear cloneNode close compareDocumentPosition compatMode constructor contains contentType
cookie createAttribute createAttributeNS createCDATASection createComment createDocumentFragment
createElement createElementNS createEvent createExpression createNSResolver createNodeIterator
createProcessingInstruction createRange createTextNode createTreeWalker currentScript
customElementRegistry defaultView designMode dir dispatchEvent doctype documentElement documentURI
domain elementFromPoint elementsFromPoint embeds evaluate execCommand exitFullscreen
exitPictureInPicture exitPointerLock featurePolicy fgColor firstChild firstElementChild fonts
forms fragmentDirective fullscreen fullscreenElement fullscreenEnabled getAnimations
getElementById getElementsByClassName getElementsByName getElementsByTagName
getElementsByTagNameNS getRootNode getSelection hasChildNodes hasFocus hasOwnProperty
hasStorageAccess hasUnpartitionedCookieAccess head hidden images implementation importNode
inputEncoding insertBefore isConnected isDefaultNamespace isEqualNode isPrototypeOf isSameNode
lastChild lastElementChild lastModified linkColor links location lookupNamespaceURI lookupPrefix
moveBefore nextSibling nodeName nodeType nodeValue normalize open ownerDocument parentElement
parentNode pictureInPictureElement pictureInPictureEnabled plugins pointerLockElement prepend
prerendering previousSibling propertyIsEnumerable queryCommandEnabled queryCommandIndeterm
queryCommandState queryCommandSupported queryCommandValue querySelector querySelectorAll
readyState referrer releaseEvents removeChild removeEventListener replaceChild replaceChildren
requestStorageAccess requestStorageAccessFor rootElement scripts scrollingElement
startViewTransition styleSheets textContent timeline title toLocaleString toString valueOf
visibilityState vlinkColor wasDiscarded when write writeln xmlEncoding xmlStandalone xmlVersion
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)


def parsed(html: str) -> LexborHTMLParser:
    """A block's HTML inside a page, as a browser reads it."""
    return LexborHTMLParser(_BEFORE + html + _AFTER)


def block_node(document: LexborHTMLParser) -> LexborNode | None:
    """The wrapper of the block in what `parsed` gives."""
    node = document.body
    for _ in (*_AROUND, "div"):
        node = node.first_child if node is not None else None
    return node


def html_problem(html: str | LexborHTMLParser) -> tuple[str, str] | None:
    """What is wrong with a block's HTML, and what to do about it; None where it is allowed.

    The HTML must close every element that it opens and no other. It must not use ids and attributes
    that the page's own script looks for, nor names that hide members of `document`, nor hold an
    element that acts on the whole document, or that the page's content security policy refuses.
    """
    document = parsed(html) if isinstance(html, str) else html
    if not _stays_inside(document):
        return (
            "its HTML leaves the block: an element, attribute or comment is not closed, "
            "or closes what it did not open",
            "close every element in dangerouslySetInnerHTML, "
            "and use no <plaintext>, <html>, <head> or <body>",
        )
    if document.body is None:
        return None
    return next(filter(None, map(_node_problem, _nodes(document.body))), None)


def whole_page(written: str) -> tuple[str, str] | None:
    """As `html_problem`, of React's HTML: elements of the page itself, of which it has one each.

    React takes the page's own in their place and shows in it what they hold (React 19).
    """
    found = _WHOLE_PAGE.search(written)
    if found is None:
        return None
    what = f"it renders <{found[1].lower()}>, which every page has already"
    return what, "take it away, or write a <div>: a block is a part of a page"


def _nodes(node: LexborNode) -> Iterator[LexborNode]:
    """All nodes below this one, those of templates and declarative shadow roots included."""
    yield from node.traverse()
    for fragment in node.template_fragments():
        yield from _nodes(fragment)


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


def _node_problem(node: LexborNode) -> tuple[str, str] | None:
    tag, attributes = node.tag or "", node.attributes
    if tag in _FORBIDDEN and not _is_harmless(node):
        return f"it renders <{tag}>, which acts on the whole page", _FORBIDDEN[tag]
    if tag == "script" and (attributes.get("type") or "").strip().lower() not in _INERT_SCRIPTS:
        return (
            "it renders <script>, which the page's content security policy refuses",
            "name its address in `scripts` of the node's or the app's settings"
            if "src" in attributes
            else "import what it needs from an allowed package, or use the node's custom_scripts",
        )
    if tag == "iframe" and "srcdoc" in attributes:
        return "it renders <iframe srcdoc>, a page of its own", "give the iframe a src"
    return _attribute_problem(tag, attributes)


def _attribute_problem(tag: str, attributes: Mapping[str, str | None]) -> tuple[str, str] | None:
    for name, value in attributes.items():
        if name.startswith("data-rb-"):
            return f"it uses the attribute {name}, which the page itself uses", _OTHER_NAME
        if name == "id" and _RESERVED_ID.fullmatch(value or ""):
            return f'it uses the id "{value}", which the page itself uses', _OTHER_NAME
        if name.startswith("on"):
            return (
                f"raw HTML has the attribute {name}, which the page's CSP refuses",
                "handle the event in React, on an element of the component's own",
            )
    if tag in _NAMED and "name" in attributes:
        for value in (attributes["name"], attributes.get("id")):
            if value in _DOCUMENT_MEMBERS:
                what = f'a <{tag}> has the name or id "{value}", which hides document.{value}'
                return what, _OTHER_NAME
    return None


def _is_harmless(node: LexborNode) -> bool:
    """Whether this is a picture's title, or microdata that says nothing of the page."""
    if node.tag == "meta":
        return "itemprop" in node.attributes and not _ACTING & node.attributes.keys()
    above = node.parent if node.tag == "title" else None
    while above is not None and above.tag != "svg":
        above = above.parent
    return above is not None
