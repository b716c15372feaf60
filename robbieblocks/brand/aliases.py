"""Tokens that name others: `{color.primary}` stands for that token's value on the same node.

The value is put in its place, and no `var()`: fonts, the browser's theme colour and checks of
contrast need the value itself. A node has one theme, so no other value could come in later.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Final

from robbieblocks.brand.css import CssProblem
from robbieblocks.css_text import named_tokens
from robbieblocks.messages import printable

MAX_NAMED: Final = 100
_MAX_CIRCLES: Final = 20
_SHOWN_OF_A_CIRCLE: Final = 6

# Categories whose values can't take each other's place; sizes are used for many things.
_KINDS: Final = {
    **{name: name for name in ("color", "shadow", "animation")},
    **dict.fromkeys(("spacing", "radius", "font"), "size or font"),
}


def in_order(aliases: Mapping[str, Sequence[str]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """The keys of values that name tokens, each after those that it names, and the circles.

    A key is in no more than one circle, and then not among the ordered ones. Of very many circles
    the first are found; what they keep from being ordered is left out.
    """
    graph = {key: aliases[key] for key in sorted(aliases)}
    circles: list[tuple[str, ...]] = []
    while True:
        sorter = TopologicalSorter(graph)
        try:
            sorter.prepare()
        except CycleError as error:
            # The exception's second argument is the circle, its first key again at its end.
            circle: list[str] = error.args[1]
            circles.append(tuple(circle[:0:-1]))
            if len(circles) < _MAX_CIRCLES:
                graph = {key: names for key, names in graph.items() if key not in circle}
                continue
        break
    order: list[str] = []
    while ready := sorter.get_ready():
        order += (key for key in ready if key in graph)
        sorter.done(*ready)
    return order, circles


def circle_problem(circle: Sequence[str], replaced: Container[str]) -> tuple[str, CssProblem]:
    """What is wrong with a circle, and which of its keys is told: an override, where it has one."""
    key = next((key for key in circle if key in replaced), min(circle))
    at = circle.index(key)
    others = [*circle[at + 1 :], *circle[:at]]
    shown = [printable(name) for name in others[:_SHOWN_OF_A_CIRCLE]]
    way = f" by way of {' -> '.join(shown)}{', …' if len(others) > len(shown) else ''}"
    what = f"the value names its own token{way if others else ''}"
    return key, CssProblem(
        what, "give one of them a value of its own" if others else "write a value"
    )


def alias_problem(key: str, text: str, categories: Mapping[str, str]) -> CssProblem | None:
    """What is wrong with a value that only names another token, for its category, or None."""
    name = named_tokens(text)[0]
    own, other = categories.get(key, ""), categories.get(name, "")
    kinds = {kind for kind in map(_KINDS.get, (own, other)) if kind}
    if len(kinds) > 1 and text.strip()[1:-1].strip() == name:
        what = f"the value is {{{name}}}, whose category is {other}, and not {own}"
        return CssProblem(what, f"name a token of the category {own}")
    return None
