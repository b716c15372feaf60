"""How deep a text nests: compilers run out of stack over one that nests too deep."""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node

MAX_DEPTH: Final = 5_000
_BRACKET: Final = re.compile(rb"[][(){}<>!~?]")
_OPENING: Final = b"([{<!~?"


def too_deep(text: bytes, root: Node) -> bool:
    """Whether the text nests deeper than MAX_DEPTH levels."""
    # Each level takes at least one byte.
    return len(text) > MAX_DEPTH and max(_tree_depth(root), _bracket_depth(text, root)) > MAX_DEPTH


def _tree_depth(root: Node) -> int:
    """How many levels the tree has; counting stops above MAX_DEPTH."""
    cursor = root.walk()
    deepest = depth = 0
    while deepest <= MAX_DEPTH:
        if cursor.goto_first_child():
            depth += 1
            deepest = max(deepest, depth)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return deepest
            depth -= 1
    return deepest


def _bracket_depth(text: bytes, root: Node) -> int:
    """How deep a text with a syntax error may nest at most: its tree need not show that."""
    if not root.has_error:
        return 0
    deepest = depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in _OPENING else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
