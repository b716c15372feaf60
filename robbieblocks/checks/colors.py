"""The colours that CSS values name, with variables and gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_colors import Color, color
from robbieblocks.css_text import by_comma

_MAX_DEPTH: Final = 8


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
