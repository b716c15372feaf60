"""Finds numbers that lack a unit or have one too many, and lists without or with commas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.known_names import LENGTHS
from robbieblocks.css_faults.properties import is_known_property
from robbieblocks.css_text import by_comma, walk
from robbieblocks.messages import printable

_OVER: Final = "browsers pass the declaration over"
# Whose numbers are times, angles, lengths, or have no unit.
_TIMES: Final = frozenset(
    {"transition", "transition-duration", "transition-delay"}
    | {"animation-duration", "animation-delay"}
)
_ANGLES: Final = frozenset(
    {"rotate", "rotatex", "rotatey", "rotatez", "skew", "skewx", "skewy", "hue-rotate"}
)
_PIXELS: Final = frozenset(
    {"blur", "translate", "translatex", "translatey", "translatez", "translate3d", "drop-shadow"}
)
_PLAIN: Final = frozenset(
    {"z-index", "order", "opacity", "flex-grow", "flex-shrink", "font-weight", "orphans", "widows"}
)
_COMMAS: Final = frozenset(
    {"translate", "translate3d", "scale", "scale3d", "skew", "matrix", "minmax", "cubic-bezier"}
)
_GRADIENTS: Final = frozenset({"linear-gradient", "repeating-linear-gradient"})
_SIDES: Final = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
# What stands in a gradient beside colours.
_NO_COLORS: Final = frozenset(
    """
at bottom center circle closest-corner closest-side decreasing ellipse farthest-corner
farthest-side from hue in increasing left longer right shorter to top
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
# Properties and descriptors with texts in quotes.
_QUOTED: Final = frozenset(
    """
animation animation-name content font font-family font-feature-settings font-language-override
font-variation-settings grid grid-area grid-template grid-template-areas hyphenate-character
list-style list-style-type quotes string-set text-emphasis text-emphasis-style text-overflow
block-ellipsis line-clamp voice-family will-change
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
# Whose last part may be empty.
_OPEN: Final = frozenset({"var", "env", "attr", "if"})
_NEVER_EMPTY: Final = frozenset({"calc", "min", "max", "clamp", "rgb", "rgba", "hsl", "url"})
_COLORS: Final = frozenset({"rgb", "rgba", "hsl", "hsla"})


def in_arguments(value: Sequence[Node], declared: str) -> Iterator[Doubt]:
    """Numbers and lists of a declaration's value that browsers do not take."""
    yield from _of_property(value, declared)
    for node in walk(value):
        if node.type == "function":
            yield from _of_function(node)


def _of_property(value: Sequence[Node], declared: str) -> Iterator[Doubt]:
    for node in value:
        if node.type == "number" and node.value != 0 and declared in _TIMES:
            yield _without(node, "s")
        elif node.type == "dimension" and declared in _PLAIN:
            what = f"{declared} is a number, and has no unit: {_OVER}"
            yield Doubt(node, what, f"write {node.representation[:20]}")
        elif node.type == "literal" and node.value == "," and declared in LENGTHS - {"box-shadow"}:
            yield Doubt(node, f"there is a comma where none belongs: {_OVER}", "write a space")
        elif node.type == "literal" and node.value == ":" and declared == "aspect-ratio":
            yield Doubt(node, f"a ratio has no colon: {_OVER}", "write it with /, such as 16 / 9")
        elif declared[:1] not in ("", "-") and is_known_property(declared):
            yield from _foreign(node, declared)
    if declared == "grid-template-areas":
        rows = [node for node in value if node.type == "string"]
        counts = [len(node.value.split()) for node in rows]
        for node, count in zip(rows, counts, strict=True):
            if count != counts[0]:
                what = f"this row has {count} areas, and the first one has {counts[0]}: {_OVER}"
                yield Doubt(node, what, "name as many in each row; . stands for an empty one")
                return


def _foreign(node: Node, declared: str) -> Iterator[Doubt]:
    """Sums and texts where no property has them."""
    if node.type == "() block" or (node.type == "literal" and node.value in ("*", "+", "-")):
        what = f"a sum stands outside of calc(): {_OVER}"
        yield Doubt(node, what, "write calc(...) around it")
    elif node.type == "string" and declared not in _QUOTED:
        what = f"a text in quotes is no value of {printable(declared)}: {_OVER}"
        yield Doubt(node, what, f"write {node.value[:20].strip() or 'a value'}, without quotes")


def _of_function(node: Node) -> Iterator[Doubt]:
    name = node.lower_name
    said = [each for each in node.arguments if _is_said(each)]
    if name == "var" and not (said and said[0].type == "ident" and said[0].value[:2] == "--"):
        right = f"var(--{said[0].value})" if said and said[0].type == "ident" else "var(--name)"
        yield Doubt(node, f"var() names no custom property: {_OVER}", f"write {right}")
    elif not said and name in _NEVER_EMPTY:
        yield Doubt(node, f"{name}() is empty: {_OVER}", "write a value into it")
    else:
        yield from _in_units(node)
        yield from _in_parts(node)


def _in_units(node: Node) -> Iterator[Doubt]:
    unit = "deg" if node.lower_name in _ANGLES else "px" if node.lower_name in _PIXELS else ""
    for each in node.arguments if unit else ():
        if each.type == "number" and each.value != 0:
            yield _without(each, unit)
            return


def _in_parts(node: Node) -> Iterator[Doubt]:
    """What is wrong with the parts that commas separate."""
    name = node.lower_name
    parts = [[each for each in part if _is_said(each)] for part in by_comma(node.arguments)]
    if name in _COMMAS:
        lost = next((part[1] for part in parts if len(part) > 1 and not _has_sign(part)), None)
        if lost is not None:
            yield Doubt(lost, f"{name}() needs a comma here: {_OVER}", "write a comma before it")
    if name in _COLORS:
        yield from _in_color(node, parts)
    elif name.endswith("-gradient"):
        yield from _in_direction(name, parts)
        yield from _in_gradient(parts)
    if len(parts) > 1 and not parts[-1] and name not in _OPEN:
        yield Doubt(node, f"{printable(name)}() ends with a comma: {_OVER}", "take the comma away")


def _in_direction(name: str, parts: Sequence[Sequence[Node]]) -> Iterator[Doubt]:
    """The first part of a linear gradient."""
    first = parts[0][0] if parts and len(parts[0]) == 1 else None
    if first is None or name not in _GRADIENTS:
        return
    if first.type == "number" and first.value != 0:
        yield _without(first, "deg")
    elif first.type == "ident" and first.lower_value in _SIDES:
        what = f"a gradient goes to a side: {_OVER}"
        yield Doubt(first, what, f"write to {_SIDES[first.lower_value]}")


def _in_gradient(parts: Sequence[Sequence[Node]]) -> Iterator[Doubt]:
    """Two colours beside each other."""
    for part in parts:
        colors = [
            each
            for each in part
            if each.type == "hash" or (each.type == "ident" and each.lower_value not in _NO_COLORS)
        ]
        directed = any(each.type == "ident" and each.lower_value in _NO_COLORS for each in part)
        if len(colors) > 1 and not directed:
            yield Doubt(colors[1], f"a gradient has commas: {_OVER}", "write a comma before it")
            return


def _in_color(node: Node, parts: Sequence[Sequence[Node]]) -> Iterator[Doubt]:
    """Colours with too few numbers, or without the % that commas ask for."""
    said = [each for part in parts for each in part]
    numbers = [each for each in said if each.type in ("number", "percentage", "dimension")]
    if any(each.type == "ident" and each.lower_value == "from" for each in said):
        return
    if (color := next((each for each in said if each.type == "hash"), None)) is not None:
        what = f"{node.lower_name}() takes numbers, and no colour: {_OVER}"
        remedy = f"write color-mix(in srgb, #{color.value[:8]} 50%, transparent)"
        yield Doubt(color, what, remedy)
        return
    if any(each not in numbers and each.serialize() != "/" for each in said):
        return  # variables, `none` and sums may be any number of numbers
    name = node.lower_name
    if len(numbers) not in (3, 4):
        what = f"{name}() has {len(numbers)} numbers: {_OVER}"
        yield Doubt(node, what, "write three, and one more for how opaque it is")
    elif name.startswith("hsl") and len(parts) > 1:
        plain = next((each for each in numbers[1:3] if each.type == "number"), None)
        if plain is not None:
            number = plain.representation[:20]
            what = f"with commas {printable(number)} needs a %: {_OVER}"
            yield Doubt(plain, what, f"write {number}%")


def _without(node: Node, unit: str) -> Doubt:
    number = node.representation[:20]
    return Doubt(node, f"{printable(number)} has no unit: {_OVER}", f"write {number}{unit}")


def _is_said(node: Node) -> bool:
    return node.type not in ("whitespace", "comment")


def _has_sign(nodes: Sequence[Node]) -> bool:
    """Whether something stands among them that is no value of its own."""
    return any(node.type in ("literal", "[] block") for node in nodes)
