"""The elements of a page's HTML that rules look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from robbieblocks.model import order_of_id
from robbieblocks.prerender import PageDocument

# What holds an address, beside href and src.
_SELECTOR: Final = "[id],[href],[src],[srcset],[poster],[style],img,input[type=image],a[name]"
_KEPT: Final = frozenset(
    {"id", "href", "src", "srcset", "poster", "style", "alt", "width", "height", "name", "class"}
    | {"role", "aria-hidden", "aria-label", "aria-labelledby", "title"}
)


class Element(NamedTuple):
    """An element, and the order of the block that it is in; None outside of all blocks."""

    tag: str
    attributes: dict[str, str]
    block: int | None


@dataclass(frozen=True, slots=True)
class Markup:
    """A page's body: its elements in blocks, then the others, and each `class` of a block once.

    `ids` are what a fragment of an address can name.
    """

    elements: tuple[Element, ...] = ()
    classes: tuple[tuple[str, int], ...] = ()
    ids: frozenset[str] = frozenset()


def read(document: PageDocument) -> Markup:
    """The markup of a page, without what is a node's own."""
    # The slots of nodes are in the head.
    body = LexborHTMLParser(b"".join(document.parts[0::2])).body
    elements: list[Element] = []
    classes: dict[tuple[str, int], None] = {}
    ids: set[str] = set()
    # A component may use the class, too: the wrapper of its block is the outer one.
    for wrapper in body.css("div.rb-block:not(.rb-block .rb-block)") if body else ():
        name = wrapper.id or "b0"
        block = order_of_id(name)
        ids.add(name)
        elements += _elements(wrapper, block)
        for each in wrapper.css("[class]"):
            if each.mem_id != wrapper.mem_id:
                classes[each.attributes["class"] or "", block] = None
        wrapper.decompose()
    if body:
        elements += _elements(body, None)
    ids.update(each.attributes.get("id", "") for each in elements)
    ids.update(each.attributes.get("name", "") for each in elements if each.tag == "a")
    return Markup(tuple(elements), tuple(classes), frozenset(ids))


def _elements(inside: LexborNode, block: int | None) -> Iterator[Element]:
    # A list of selectors finds a node once for each that it matches, and the outer one as well.
    nodes = {each.mem_id: each for each in inside.css(_SELECTOR)}
    for number, each in nodes.items():
        if number != inside.mem_id:
            found = {name: text or "" for name, text in each.attributes.items() if name in _KEPT}
            yield Element(each.tag or "", found, block)
