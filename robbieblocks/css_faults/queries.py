"""Finds conditions of `@media` and `@container` that never hold, of which browsers tell nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.values import foreign_signs, unknown_functions, without_unit
from robbieblocks.css_text import by_comma, walk
from robbieblocks.messages import printable

_OVER: Final = "browsers pass the query over"
_LENGTH: Final = "write the length, such as 40rem"
_SIZE: Final = re.compile(
    r"\s*+(?:min-|max-)?(?:width|height|inline-size|block-size)\b", re.IGNORECASE
)
# Those of today, and those that never match any more.
_MEDIA: Final = frozenset(
    {"all", "print", "screen", "speech", "aural", "braille", "embossed", "handheld"}
    | {"projection", "tty", "tv"}
)
_JOINING: Final = frozenset({"and", "or", "not", "only"})


def in_media(prelude: Sequence[Node]) -> Iterator[Doubt]:
    """The first thing for which a media query never matches."""
    for node in walk(prelude):
        if node.type == "function" and node.lower_name == "var":
            what = f"var() is not known in a media query: {_OVER}"
            yield Doubt(node, what, _LENGTH)
            return
    yield from [*_joined(prelude), *in_sizes(prelude), *_medium(prelude)][:1]


def _medium(prelude: Sequence[Node]) -> Iterator[Doubt]:
    """The word that begins a query, where it is no medium."""
    for part in by_comma(prelude):
        said = _said(part)
        if said and said[0].type == "ident" and said[0].lower_value in ("only", "not"):
            del said[0]
        if said and said[0].type == "ident" and said[0].lower_value not in _MEDIA:
            what = f"no browser knows the medium {printable(said[0].value)}: {_OVER}"
            yield Doubt(said[0], what, "write a condition, such as (width < 40rem)")


def in_sizes(prelude: Sequence[Node]) -> Iterator[Doubt]:
    """The first thing for which a query of `@media` or `@container` never holds."""
    found = [*_read_as_functions(prelude), *unknown_functions(prelude)]
    found += [doubt._replace(remedy=_LENGTH) for doubt in foreign_signs(prelude)]
    for node in prelude:
        if node.type == "() block" and _SIZE.match(tinycss2.serialize(node.content)):
            said = _said(node.content)
            if len(said) == 2 and said[0].type == "ident":
                what = f"{printable(said[0].value)} has no colon: {_OVER}"
                found.append(Doubt(said[1], what, "write a colon before it"))
            found += without_unit(node.content, _OVER)
    yield from found[:1]


def _read_as_functions(prelude: Sequence[Node]) -> Iterator[Doubt]:
    for node in walk(prelude):
        if node.type == "function" and node.lower_name in _JOINING:
            what = f"{node.lower_name}( is read as a function: {_OVER}"
            yield Doubt(node, what, f"put a space before the bracket: {node.lower_name} (")
            return


def _joined(prelude: Sequence[Node]) -> Iterator[Doubt]:
    """A condition without brackets, or without `and` before it."""
    for before, node in pairwise(_said(prelude)):
        if node.type == "literal" and node.value == ":":
            what = f"a condition has no brackets: {_OVER}"
            yield Doubt(before, what, "put brackets around it, such as (max-width: 40rem)")
        elif node.type == "() block" and (
            before.type == "() block"
            or (before.type == "ident" and before.lower_value not in _JOINING)
        ):
            yield Doubt(
                node, f"before a condition there is no `and`: {_OVER}", "write and before it"
            )


def _said(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.type not in ("whitespace", "comment")]
