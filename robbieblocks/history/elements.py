"""Elements of a page as it is served, and the blocks that they are in."""

from __future__ import annotations

import re
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from robbieblocks.errors import UsageError
from robbieblocks.messages import printable
from robbieblocks.model import order_of_id

_BLOCK: Final = re.compile(r"(?:f\d{1,9})?b-?\d{1,10}")
_IDENTIFIER: Final = re.compile(r"[A-Za-z_][\w-]*")


def found(html: str, selector: str) -> tuple[str, LexborNode | None]:
    """The element that is meant, as a tag with its id or class, and the block that it is in.

    Raises UsageError for a selector that is none, or that selects nothing.
    """
    if not selector:
        return "", None
    tree = LexborHTMLParser(html)
    try:
        element = (
            tree.css_first(f"#{selector}") if _IDENTIFIER.fullmatch(selector) else None
        ) or tree.css_first(selector)
    except (SelectolaxError, ValueError) as error:
        raise UsageError(f"{printable(selector)} is no CSS selector: {error}") from None
    if element is None:
        raise UsageError(
            f"the page has no element {printable(selector)} as it is served; what scripts add "
            "later is not in it"
        )
    name = element.attributes.get("id") or element.attributes.get("class") or ""
    return f"<{element.tag}>" + (f" {name}" if name else ""), _block(element)


def _block(element: LexborNode) -> LexborNode | None:
    at: LexborNode | None = element
    while at is not None and "data-rb-component" not in (at.attributes or {}):
        at = at.parent
    return at


def components(block: LexborNode | None) -> list[str]:
    """The keys of the components that a block consists of."""
    return ((block.attributes.get("data-rb-component") if block else "") or "").split()


def order(block: LexborNode | None) -> int | None:
    """The order of a block on its page, by the id of its element."""
    name = (block.attributes.get("id") if block else "") or ""
    return order_of_id(name) if _BLOCK.fullmatch(name) else None
