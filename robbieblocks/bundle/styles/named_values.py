"""Which values name a counter style, a fallback position or a palette of a stylesheet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_text import walk


@dataclass(frozen=True, slots=True)
class Kind:
    """An at-rule that defines a name.

    `properties` take such a name, also as descriptors; so do, behind their first argument,
    `functions` of any property. `code` is what a component's code has of them.
    """

    title: str
    properties: frozenset[str]
    code: re.Pattern[str]
    functions: frozenset[str] = frozenset()
    is_dashed: bool = True

    def named(self, value: Sequence[Node], declared: str) -> Iterator[Node]:
        """The identifiers of a declaration's value that may be such a name."""
        if declared in self.properties:
            yield from (token for token in walk(value) if token.type == "ident")
            return
        for token in walk(value) if self.functions else ():
            if token.type == "function" and token.lower_name in self.functions:
                yield from [each for each in token.arguments if each.type == "ident"][1:]


KINDS: Final[Mapping[str, Kind]] = {
    "counter-style": Kind(
        "the counter style",
        frozenset({"list-style", "list-style-type", "system", "fallback"}),
        re.compile(r"\blist(?:-?[sS]tyle|-\[)|\bcounters?\("),
        frozenset({"counter", "counters"}),
        is_dashed=False,
    ),
    "position-try": Kind(
        "the position",
        frozenset({"position-try", "position-try-fallbacks"}),
        re.compile(r"\bposition-?[tT]ry"),
    ),
    "font-palette-values": Kind(
        "the palette", frozenset({"font-palette"}), re.compile(r"\bfont-?[pP]alette")
    ),
}
