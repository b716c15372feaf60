"""Colours as numbers, and their contrast (WCAG 2.2, relative luminance and contrast ratio)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple

import lightningcss
import tinycss2
import tinycss2.color4
from tinycss2.ast import Node

from robbieblocks.css_text import by_comma
from robbieblocks.row_faults import is_fault

# It reads no colour function but rgb(), so that all others are computed for it.
_OLD_BROWSER: Final = ["chrome 60"]
_COMPUTED: Final = re.compile(r"a\{color:([^;}]+)")
_MAX_CHARACTERS: Final = 1_000
_MAX_DEPTH: Final = 8
MOST: Final = 21.0


class Color(NamedTuple):
    """A colour in sRGB: three parts and the opacity, each from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float

    def over(self, ground: Color) -> Color:
        """What is seen where this lies on an opaque colour."""
        red, green, blue = (
            self.alpha * own + (1 - self.alpha) * under
            for own, under in zip(self[:3], ground[:3], strict=True)
        )
        return Color(red, green, blue, 1.0)

    @property
    def luminance(self) -> float:
        """The relative luminance, from 0 to 1."""
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in self[:3]
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=4096)
def color(text: str) -> Color | None:
    """The colour that a CSS value without variables names; None for everything else."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        css = lightningcss.process_stylesheet(
            f"a{{color:{text}}}", minify=True, browsers_list=_OLD_BROWSER
        )
        found = _COMPUTED.match(css)
        parsed = tinycss2.color4.parse_color(found[1]) if found else None
    except BaseException as error:
        if not is_fault(error):
            raise
        return None
    if parsed is None or not hasattr(parsed, "to"):
        return None
    in_srgb = parsed.to("srgb")
    red, green, blue = (part or 0.0 for part in in_srgb.coordinates)
    return Color(red, green, blue, in_srgb.alpha)


def colors(text: str) -> list[Color] | None:
    """The colours of a background's value: one, or those of a gradient.

    None where a picture may cover them; empty where there is none.
    """
    found: list[Color] = []
    for node in tinycss2.parse_component_value_list(text):
        if node.type == "url" or (node.type == "function" and node.lower_name in _PICTURES):
            return None
        if node.type == "function" and node.lower_name.endswith("gradient"):
            found += filter(None, map(color, _stops(node)))
        elif (one := color(node.serialize())) is not None:
            found.append(one)
    return found


_PICTURES: Final = frozenset({"url", "image", "image-set", "cross-fade", "element", "paint"})


def _stops(gradient: Node) -> Iterator[str]:
    for part in by_comma(gradient.arguments):
        yield from (node.serialize() for node in part if node.type != "whitespace")


def substituted(
    nodes: list[Node], value_of: Callable[[str], list[Node] | None], depth: int = 0
) -> str | None:
    """Values as text with each `var(--x)` replaced; None where one has neither value nor fallback.

    `value_of` gives what a custom property is set to.
    """
    if depth > _MAX_DEPTH:
        return None
    parts: list[str] = []
    for node in nodes:
        if node.type != "function":
            parts.append(node.serialize())
            continue
        if node.lower_name == "var":
            inside = _variable(node, value_of)
            text = None if inside is None else substituted(inside, value_of, depth + 1)
        else:
            inner = substituted(node.arguments, value_of, depth + 1)
            text = None if inner is None else f"{node.name}({inner})"
        if text is None:
            return None
        parts.append(text)
    return "".join(parts)


def _variable(node: Node, value_of: Callable[[str], list[Node] | None]) -> list[Node] | None:
    name, *rest = by_comma(node.arguments)
    named = next((each.value for each in name if each.type == "ident"), "")
    value = value_of(named)
    if value is not None or not rest:
        return value
    comma = next(i for i, each in enumerate(node.arguments) if each.type == "literal")
    return node.arguments[comma + 1 :]
