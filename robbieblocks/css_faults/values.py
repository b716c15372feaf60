"""Finds declarations and conditions that browsers pass over, of which they tell nobody."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_faults.arguments import in_arguments
from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.keywords import wrong_keyword
from robbieblocks.css_faults.known_names import FUNCTIONS, LENGTHS, UNITS
from robbieblocks.css_faults.properties import is_known_property, property_message
from robbieblocks.css_text import property_name, walk
from robbieblocks.messages import nearest, printable

_FOREIGN_FUNCTIONS: Final = {
    "theme": "write the token's custom property, such as var(--color-primary)",
    "--theme": "write the token's custom property, such as var(--color-primary)",
    "--spacing": "write a token, such as var(--spacing-md), or a length",
    "--alpha": "write color-mix(in srgb, var(--color-primary) 50%, transparent)",
    "darken": "write color-mix(in srgb, var(--color-primary), black 20%)",
    "lighten": "write color-mix(in srgb, var(--color-primary), white 20%)",
}
_VENDORS: Final = ("--", "-webkit-", "-moz-", "-ms-", "-o-")
_SUMS: Final = frozenset({"calc", "min", "max", "clamp"})
_NUMBERS: Final = frozenset({"number", "percentage", "dimension", "function", "() block"})
_CURLY: Final = re.compile("[\u201c\u201d\u2018\u2019]")
# Spaces that CSS takes for letters, and letters without width.
UNSEEN: Final = re.compile("[\u00a0\u00ad\u2000-\u200f\u2028-\u202f\u205f\u2060\u3000\ufeff]")
_COLOR: Final = re.compile(r"(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})", re.IGNORECASE)
_OVER: Final = "browsers pass the declaration over"


def in_declaration(declaration: Node) -> Iterator[Doubt]:
    """A property that no browser has, and what browsers pass over of its value.

    A custom property may be anything.
    """
    if declaration.name.startswith("--"):
        return
    if not is_known_property(declaration.lower_name):
        yield Doubt(declaration, *property_message(declaration.lower_name))
    yield from in_value(declaration.value, declaration.lower_name)


def in_value(value: Sequence[Node], declared: str) -> Iterator[Doubt]:
    """The first thing for which browsers pass a declaration of `declared` over."""
    if any(node.type == "ident" and node.lower_value == "progid" for node in value):
        return
    if doubt := next(in_arguments(value, declared), None):
        yield doubt
        return
    for finder in (
        _braces,
        _second_colon,
        _exclamation,
        _sums,
        unknown_functions,
        foreign_signs,
        _words,
    ):
        if doubt := next(finder(value), None):
            yield doubt
            return
    yield from wrong_keyword(value, declared)
    if declared in LENGTHS:
        yield from without_unit(value, _OVER)


def _text(block: Node) -> str:
    text: str = tinycss2.serialize(block.content)
    return text


def _braces(value: Sequence[Node]) -> Iterator[Doubt]:
    for node in value:
        if node.type == "{} block":
            # Between tokens that would become one, the serializer puts a comment.
            name = _text(node).replace("/**/", "").strip()
            known = re.fullmatch(r"[\w.-]+", name, re.ASCII)
            remedy = f"write var({property_name(name)})" if known else "write a value"
            yield Doubt(node, f"braces are no value: {_OVER}", remedy)


def _second_colon(value: Sequence[Node]) -> Iterator[Doubt]:
    before: Node | None = None
    for node in value:
        if node.type == "literal" and node.value == ":":
            name = printable(before.value) if before is not None else "it"
            yield Doubt(
                before or node, f"there is a second colon: {_OVER}", f"put a ; before {name}"
            )
        before = node if node.type == "ident" else before


def _exclamation(value: Sequence[Node]) -> Iterator[Doubt]:
    """A word behind `!` that is no `important`."""
    for before, node in pairwise(value):
        if before.type == "literal" and before.value == "!":
            what = f"!{printable(node.serialize())} is no value: {_OVER}"
            yield Doubt(before, what, "write !important at the end")


def foreign_signs(value: Sequence[Node]) -> Iterator[Doubt]:
    """Names of tokens and of variables as other tools write them."""
    for nodes in _lists(value):
        for index, node in enumerate(nodes):
            if node.type == "at-keyword":
                yield _variable(node, f"@{node.value}", node.value)
            elif node.type == "literal" and node.value in (".", "$"):
                around = [
                    each
                    for each in nodes[max(0, index - 1) : index + 2]
                    if each is node or each.type not in ("literal", "whitespace")
                ]
                name = ".".join(each.value for each in around if each.type == "ident")
                text = tinycss2.serialize(around).strip().replace("/**/", "")
                yield _variable(node, text, name.removeprefix("--"))


def _variable(node: Node, text: str, name: str) -> Doubt:
    return Doubt(
        node, f"{printable(text)} is no value: {_OVER}", f"write var({property_name(name)})"
    )


def _sums(value: Sequence[Node]) -> Iterator[Doubt]:
    for node in walk(value):
        if node.type == "function" and node.lower_name in _SUMS:
            for nodes in (
                node.arguments,
                *(b.content for b in walk(node.arguments) if _grouped(b)),
            ):
                yield from _in_sum(nodes)


def _grouped(node: Node) -> bool:
    return bool(node.type == "() block")


def _in_sum(nodes: Sequence[Node]) -> Iterator[Doubt]:
    what = f"a + or - has no space on both sides: {_OVER}"
    said = [node for node in nodes if node.type not in ("whitespace", "comment")]
    for before, node in pairwise(said):
        if before.type in _NUMBERS and node.type in _NUMBERS:
            text = node.serialize()
            if text[0] in "+-":
                remedy = (
                    f"write {text[0]} {text[1:]}" if len(text) < 40 else "put a space behind it"
                )
                yield Doubt(node, what, remedy)
            else:
                what = f"between two values there is no operator: {_OVER}"
                yield Doubt(node, what, "write + - * or /, or a comma where there are several")
    for before, node in pairwise(nodes):
        signs = [each for each in (before, node) if each.type == "literal" and each.value in "+-"]
        if signs and not any(each.type in ("whitespace", "comment") for each in (before, node)):
            yield Doubt(signs[0], what, f"put spaces around {signs[0].value}")


def unknown_functions(value: Sequence[Node]) -> Iterator[Doubt]:
    """Functions of other tools, and those that no browser has."""
    for node in walk(value):
        if node.type != "function" or node.lower_name in FUNCTIONS:
            continue
        name = node.lower_name
        what = f"{printable(name)}() is another tool's: browsers do not know it"
        if name in _FOREIGN_FUNCTIONS:
            yield Doubt(node, what, _FOREIGN_FUNCTIONS[name])
        elif name == "-var":
            what = f"-var() is no function: {_OVER}"
            yield Doubt(node, what, "write calc(-1 * var(...))")
        elif not name.startswith(_VENDORS):
            near = nearest(name, FUNCTIONS, most=1)
            remedy = f"did you mean {near[0]}()?" if near else "write what it stands for"
            yield Doubt(node, f"no browser has {printable(name)}(): {_OVER}", remedy)


def _words(value: Sequence[Node]) -> Iterator[Doubt]:
    for node in walk(value):
        if node.type == "hash" and not _COLOR.fullmatch(node.value):
            what = f"#{printable(node.value)} is no colour: {_OVER}"
            yield Doubt(node, what, "write 3, 4, 6 or 8 of 0-9 and a-f")
        elif node.type == "dimension" and node.lower_unit not in UNITS:
            unit = printable(node.lower_unit)
            near = nearest(unit, UNITS, most=1)
            remedy = f"did you mean {near[0]}?" if near else "write a unit, such as px or rem"
            if "-" in unit:
                remedy = "put spaces around -"
            yield Doubt(node, f"no unit is named {unit}: {_OVER}", remedy)
        elif node.type == "ident" and _CURLY.search(node.value):
            what = f"curly quotes are letters in CSS: {_OVER}"
            yield Doubt(node, what, "write straight quotes")
        elif node.type == "ident" and UNSEEN.search(node.value):
            what = f"a space that is none, or a letter that nobody sees, is part of it: {_OVER}"
            yield Doubt(node, what, "type it anew, with plain spaces")


def without_unit(value: Iterable[Node], over: str) -> Iterator[Doubt]:
    """The first number that lacks a unit; `over` says what browsers do about it."""
    for node in value:
        if node.type == "number" and node.value != 0:
            number = node.representation
            yield Doubt(node, f"{printable(number)} has no unit: {over}", f"write {number[:20]}px")
            return


def _lists(value: Sequence[Node]) -> Iterator[Sequence[Node]]:
    yield value
    for node in walk(value):
        if node.type == "function":
            yield node.arguments
        elif node.type == "() block":
            yield node.content
