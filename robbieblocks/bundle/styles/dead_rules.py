"""Finds what a browser passes over in a component's CSS, and what never applies to anything.

Each is a warning: the rest of the stylesheet holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_text import property_name, walk
from robbieblocks.messages import printable

# At-rules that a component's stylesheet can't have, with what to do instead.
REFUSED: Final = {
    "import": "put the rules here; fonts come from the style tokens",
    "charset": "leave it out: the text is Unicode already",
    "namespace": "leave it out",
    "font-face": "name the font in a style token (font.*): it is hosted for every page",
    "scope": "leave it out: the rules hold for this component's blocks only",
    "apply": "put the classes into className, or write what they do",
    "tailwind": "leave it out: utility classes are there",
    "theme": "add tokens: they are Tailwind's theme",
    "utility": "write a class",
    "variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "custom-variant": "write what it stands for: a media query, :hover, or [data-theme]",
    "screen": "write a media query, such as @media (width >= 40rem)",
    "mixin": "write its declarations: this is CSS",
    "include": "write its declarations: this is CSS",
    "use": "leave it out: this is CSS",
    "extend": "write the declarations: this is CSS",
    "each": "write the rules out: this is CSS",
}
# Pseudo-classes of other tools, which make of them something else before browsers see them.
_FOREIGN_PSEUDO: Final = frozenset({"global", "local", "deep", "slotted", "v-deep", "export"})
# `::slotted()` is the one of them that browsers have, as a pseudo-element.
_THEMES: Final = frozenset({"dark", "light"})
_FOREIGN_FUNCTIONS: Final = {
    "theme": "write the token's custom property, such as var(--color-primary)",
    "--theme": "write the token's custom property, such as var(--color-primary)",
    "--spacing": "write a token, such as var(--spacing-md), or a length",
    "--alpha": "write color-mix(in srgb, var(--color-primary) 50%, transparent)",
    "darken": "write color-mix(in srgb, var(--color-primary), black 20%)",
    "lighten": "write color-mix(in srgb, var(--color-primary), white 20%)",
}


class Doubt(NamedTuple):
    """What is said of a place in a stylesheet."""

    node: Node
    what: str
    remedy: str


def in_selector(prelude: Sequence[Node], code: str) -> Iterator[Doubt]:
    """What makes a selector one that no browser takes, or that selects nothing.

    `code` is the component's, whose elements may have a class that otherwise a theme has elsewhere.
    """
    for before, node in pairwise(prelude):
        if before.type != "literal" or before.value not in (":", "."):
            continue
        name = node.lower_name if node.type == "function" else getattr(node, "lower_value", "")
        if before.value == ":" and name in _FOREIGN_PSEUDO:
            if name == "slotted" and _is_element(prelude, node):
                continue
            what = f":{name} is another tool's: browsers pass the whole rule over"
            yield Doubt(node, what, "leave it out: a component's rules hold in all of its blocks")
        elif before.value == "." and node.type == "ident" and node.value in _THEMES:
            if _names(code, node.value):
                continue
            what = f"nothing on a page has the class {node.value}, unless a script sets it"
            yield Doubt(node, what, f'write [data-theme="{node.value}"] for a node\'s theme')


def in_value(value: Sequence[Node]) -> Iterator[Doubt]:
    """Functions of other tools, for which browsers pass the whole declaration over."""
    for node in value:
        if node.type == "{} block":
            # Between tokens that would become one, the serializer puts a comment.
            name = tinycss2.serialize(node.content).replace("/**/", "").strip()
            what = "braces are no value: browsers pass the declaration over"
            known = re.fullmatch(r"[\w.-]+", name, re.ASCII)
            remedy = f"write var({property_name(name)})" if known else "write a value"
            yield Doubt(node, what, remedy)
    for node in walk(value):
        if node.type == "function" and node.lower_name in _FOREIGN_FUNCTIONS:
            what = f"{printable(node.lower_name)}() is another tool's: browsers do not know it"
            yield Doubt(node, what, _FOREIGN_FUNCTIONS[node.lower_name])


def _is_element(prelude: Sequence[Node], node: Node) -> bool:
    at = next(index for index, each in enumerate(prelude) if each is node)
    colons = [each.type == "literal" and each.value == ":" for each in prelude[max(0, at - 2) : at]]
    return colons == [True, True]


def _names(code: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){word}(?![\w-])", code) is not None
