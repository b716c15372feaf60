"""The keyframes that animations name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from difflib import SequenceMatcher
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.messages import nearest, printable

DEFINED: Final = re.compile(r"@(?:-webkit-|-moz-|-o-)?keyframes\s+[\"']?([\w-]+)", re.ASCII)
_NAMES: Final = frozenset({"animation-name", "-webkit-animation-name"})
_SHORTHANDS: Final = frozenset({"animation", "-webkit-animation"})
_ANY: Final = frozenset(
    {"none", "initial", "inherit", "unset", "revert", "revert-layer", "important"}
)
# What else stands in the shorthand, which may be the name of keyframes nowhere else.
_OTHERS: Final = _ANY | frozenset(
    """
accumulate add allow-discrete alternate alternate-reverse auto backwards both ease ease-in
ease-in-out ease-out forwards infinite linear normal paused replace reverse running step-end
step-start
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)
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
