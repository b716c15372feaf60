"""The tree of a component's text, by tree-sitter's TSX grammar."""

from __future__ import annotations

import re
from typing import Final

from tree_sitter import Node, Parser

from robbieblocks.bundle.analysis.queries import TSX

_IMPORT: Final = re.compile(rb"""\bimport\(\s*+(?:"[^"\n]*+"|'[^'\n]*+')\s*+\)""")
# What no type argument of a call has, but for functions and objects; and what begins them.
_OTHER: Final = re.compile(rb"[^\w$\s.,|&\[\]\"'<>]")
_OPENING: Final = re.compile(rb"[\w$]<")
# Longer type arguments are read as before.
_REACH: Final = 200


def tree(text: bytes) -> Node:
    """The root of a text's tree, whose places are those of the text.

    The grammar knows no `import("x")` among the type arguments of a call: `f<import("x").T>()` is a
    comparison to it. There it is read as a name of the same length.
    """
    return Parser(TSX).parse(_without_imported_types(text)).root_node


def _without_imported_types(text: bytes) -> bytes:
    found = list(_IMPORT.finditer(text)) if b"import(" in text else []
    if not found:
        return text
    named = bytearray(text)
    for each in found:
        named[each.start() : each.end()] = b"_" * (each.end() - each.start())
    known = bytes(named)
    for each in found:
        if not _is_type_argument(known, each.start(), each.end()):
            named[each.start() : each.end()] = each[0]
    return bytes(named)


def _is_type_argument(text: bytes, start: int, end: int) -> bool:
    """Whether what stands there is between `name<` and `>(`, and nothing but types beside it."""
    before = _OTHER.split(text[max(0, start - _REACH) : start])[-1]
    after = text[end : end + _REACH]
    stop = _OTHER.search(after)
    return (
        _OPENING.search(before) is not None
        and stop is not None
        and stop[0] == b"("
        and after[: stop.start()].rstrip().endswith(b">")
    )
