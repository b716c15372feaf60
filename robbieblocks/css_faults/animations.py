"""The keyframes that animations name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from difflib import SequenceMatcher
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.messages import nearest, printable

DEFINED: Final = re.compile(
    r"@(?:-webkit-|-moz-|-o-)?keyframes\s+[\"']?([\w-]+(?: [\w-]+)*)", re.ASCII
)
_NAMES: Final = frozenset({"animation-name", "-webkit-animation-name"})
_SHORTHANDS: Final = frozenset({"animation", "-webkit-animation"})
_ANY: Final = frozenset(
    {"none", "initial", "inherit", "unset", "revert", "revert-layer", "important"}
)
# What else stands in the shorthand, by what it sets: the first word of a kind is no name there.
_TIMING: Final = "ease ease-in ease-in-out ease-out linear step-end step-start"
_KINDS: Final = (
    *(_TIMING, "infinite", "normal reverse alternate alternate-reverse"),
    *("none forwards backwards both", "running paused"),
)
_KIND: Final = {word: kind for kind in _KINDS for word in kind.split()}
_OTHERS: Final = _ANY | _KIND.keys() | {"accumulate", "add", "allow-discrete", "auto", "replace"}
# Functions that are a timing as well.
_TIMINGS: Final = frozenset({"cubic-bezier", "linear", "steps"})
_LIKENESS: Final = 0.75


def animated(declaration: Node) -> Iterator[tuple[Node, str]]:
    """The names of keyframes in an animation, each with its node, but for those in variables."""
    name = declaration.lower_name
    if name not in _NAMES | _SHORTHANDS:
        return
    others = _ANY if name in _NAMES else _OTHERS
    for node in declaration.value:
        is_name = node.type == "string" or (
            node.type == "ident" and node.lower_value not in others and node.value[:2] != "--"
        )
        if is_name:
            yield node, node.value


def shorthand_keywords(value: Iterable[Node]) -> Iterator[Node]:
    """The words of an `animation` that are keywords there, although keyframes may be named so.

    The first `ease` of an animation is its timing, a second one the name (CSS Animations 1, 4.9).
    """
    said = set[str]()
    for node in value:
        if node.type == "literal" and node.value == ",":
            said.clear()
        elif node.type == "function" and node.lower_name in _TIMINGS:
            said.add(_TIMING)
        elif node.type == "number":
            said.add("infinite")
        elif node.type == "ident":
            kind = _KIND.get(node.lower_value)
            if kind is not None and kind not in said:
                said.add(kind)
                yield node


def unknown_keyframes(
    declaration: Node, known: Collection[str], *, surely: bool
) -> Iterator[Doubt]:
    """Animations whose keyframes are not among `known`.

    Unless that is `surely` all that there are, only what is almost one of them.
    """
    for node, name in animated(declaration):
        if name in known:
            continue
        near = nearest(name, known, most=1)
        alike = near and SequenceMatcher(None, name, near[0]).ratio() >= _LIKENESS
        if alike or surely:
            remedy = f"did you mean {near[0]}?" if near else "add @keyframes of this name"
            yield Doubt(node, f"no keyframes are named {printable(name)}", remedy)
