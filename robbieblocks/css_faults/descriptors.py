"""Finds what an at-rule with descriptors, such as `@property`, lacks, and what it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import tinycss2
from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.messages import nearest, printable


class _Rule(NamedTuple):
    """The descriptors that a rule has, and those without which browsers pass it over."""

    known: frozenset[str]
    needed: tuple[tuple[str, str], ...] = ()


_SIDES: Final = ("block", "block-end", "block-start", "bottom", "inline", "inline-end")
_ALL_SIDES: Final = (*_SIDES, "inline-start", "left", "right", "top")
_SIZES: Final = ("width", "height", "block-size", "inline-size")
# What a position may say (CSS Anchor Positioning).
_POSITION: Final = frozenset(
    {
        *("inset", "top", "right", "bottom", "left", "margin"),
        *(f"inset-{side}" for side in _ALL_SIDES),
        *(f"margin-{side}" for side in _ALL_SIDES),
        *(f"{bound}{size}" for bound in ("", "min-", "max-") for size in _SIZES),
        *("align-self", "justify-self", "place-self", "position-anchor", "position-area"),
    }
)
_RULES: Final[Mapping[str, _Rule]] = {
    "property": _Rule(
        frozenset({"syntax", "inherits", "initial-value"}),
        (("syntax", "syntax: '<length>'"), ("inherits", "inherits: false")),
    ),
    "counter-style": _Rule(
        frozenset({"system", "symbols", "additive-symbols", "negative", "prefix", "suffix"})
        | {"range", "pad", "fallback", "speak-as"}
    ),
    "font-palette-values": _Rule(
        frozenset({"font-family", "base-palette", "override-colors"}),
        (("font-family", "font-family with the name of the font"),),
    ),
    "view-transition": _Rule(frozenset({"navigation", "types"})),
    "position-try": _Rule(_POSITION),
}


def in_descriptors(rule: Node) -> Iterator[Doubt]:
    """What browsers pass over of an at-rule, and for what they pass all of it over."""
    name = rule.lower_at_keyword
    about = _RULES.get(name)
    if about is None:
        return
    found = tinycss2.parse_blocks_contents(rule.content or (), True, True)
    said = {each.lower_name: each for each in found if each.type == "declaration"}
    for descriptor, each in said.items():
        if descriptor not in about.known:
            near = nearest(descriptor, about.known, most=1)
            remedy = f"did you mean {near[0]}?" if near else "leave it out"
            yield Doubt(each, f"@{name} has no {printable(descriptor)}: it does nothing", remedy)
            return
    over = "browsers pass the rule over"
    for descriptor, example in about.needed:
        if descriptor not in said:
            yield Doubt(rule, f"@{name} lacks {descriptor}: {over}", f"write {example}")
            return
    if name == "property":
        yield from _initial(rule, said, over)
    elif name == "counter-style" and not _has_symbols(said):
        yield Doubt(rule, f"@{name} lacks symbols: {over}", "write symbols: with one in quotes")


def _initial(rule: Node, said: Mapping[str, Node], over: str) -> Iterator[Doubt]:
    syntax = next((each.value for each in said["syntax"].value if each.type == "string"), None)
    if syntax is None:
        what = f"the syntax of @property is no text: {over}"
        yield Doubt(said["syntax"], what, "write it in quotes, such as '<length>'")
    elif syntax.strip() != "*" and "initial-value" not in said:
        remedy = "write initial-value, such as 0px, or syntax: '*'"
        yield Doubt(rule, f"@property lacks initial-value: {over}", remedy)


def _has_symbols(said: Mapping[str, Node]) -> bool:
    if "symbols" in said or "additive-symbols" in said:
        return True
    return "system" in said and any(
        each.type == "ident" and each.lower_value == "extends" for each in said["system"].value
    )
