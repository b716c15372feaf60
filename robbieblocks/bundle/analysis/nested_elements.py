"""Finds where a component's text has one element inside another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import SourcePosition
from robbieblocks.bundle.analysis.trees import tree

_TAGS: Final = """
    (jsx_opening_element name: (identifier) @tag)
    (jsx_self_closing_element name: (identifier) @tag)
"""


def element_inside(code: str, outer: str, inner: str) -> SourcePosition | None:
    """The first `inner` element inside an `outer` one, else the only one of either.

    None where the text does not tell: a component renders the other's children, or has many.
    """
    found = QueryCursor(query(_TAGS)).captures(tree(code.encode("utf-8", "surrogatepass")))
    tags = sorted(found.get("tag", ()), key=lambda node: node.start_byte)
    inners = [tag for tag in tags if text_of(tag) == inner]
    for tag in inners:
        if outer in _around(tag):
            return _position(code, tag)
    for alone in (inners, [tag for tag in tags if text_of(tag) == outer]):
        if len(alone) == 1:
            return _position(code, alone[0])
    return None


def _around(tag: Node) -> Iterator[str]:
    """The names of the elements that an element stands in, by the node of its name."""
    own = tag.parent
    node = own.parent if own is not None else None
    while node is not None:
        opening = node.child_by_field_name("open_tag") if node.type == "jsx_element" else None
        name = opening.child_by_field_name("name") if opening is not None else None
        if opening != own and name is not None:
            yield text_of(name)
        node = node.parent


def _position(code: str, tag: Node) -> SourcePosition:
    line = tag.start_point.row
    text = code.encode("utf-8", "surrogatepass").split(b"\n")[line]
    column = len(text[: tag.start_point.column].decode("utf-8", "surrogatepass"))
    return SourcePosition(line + 1, column + 1)
