"""Goes through a whole stylesheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_faults.descriptors import in_descriptors
from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.queries import in_media, in_sizes
from robbieblocks.css_faults.selectors import in_selector
from robbieblocks.css_faults.values import in_declaration

# In @supports a browser is asked first; the others have properties of their own.
_NOT_JUDGED: Final = frozenset(
    {"supports", "font-face", "font-feature-values", "font-palette-values", "property", "page"}
    | {"counter-style", "view-transition", "color-profile", "position-try", "function"}
)
KEYFRAMES: Final = frozenset({"keyframes", "-webkit-keyframes", "-moz-keyframes", "-o-keyframes"})


# Deeper rules are an error of their own.
_MAX_DEPTH: Final = 32


def in_sheet(rules: Iterable[Node], code: str | None, depth: int = _MAX_DEPTH) -> Iterator[Doubt]:
    """What browsers pass over of a stylesheet or block, rules in rules included.

    `code` is what `in_selector` is given. Rules that stand `depth` deep are passed over.
    """
    for rule in rules if depth else ():
        if rule.type == "declaration":
            yield from in_declaration(rule)
        elif rule.type == "qualified-rule":
            yield from in_selector(rule.prelude, code)
            yield from in_sheet(_inside(rule), code, depth - 1)
        elif rule.type == "at-rule" and rule.content is not None:
            yield from _in_at_rule(rule, code, depth - 1)


def _in_at_rule(rule: Node, code: str | None, depth: int) -> Iterator[Doubt]:
    if rule.lower_at_keyword in KEYFRAMES:
        # Instead of selectors these have percentages.
        for frame in _inside(rule):
            if frame.type == "qualified-rule":
                yield from in_sheet(_inside(frame), code, depth)
        return
    if rule.lower_at_keyword == "media":
        yield from in_media(rule.prelude)
    elif rule.lower_at_keyword == "container":
        yield from in_sizes(rule.prelude)
    yield from in_descriptors(rule)
    if rule.lower_at_keyword not in _NOT_JUDGED:
        yield from in_sheet(_inside(rule), code, depth)


def _inside(rule: Node) -> list[Node]:
    found: list[Node] = tinycss2.parse_blocks_contents(rule.content or (), True, True)
    return found
