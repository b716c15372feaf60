"""Finds selectors that no browser takes, or that select nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from tinycss2.ast import Node

from robbieblocks.css_faults.doubt import Doubt
from robbieblocks.css_faults.known_names import PSEUDO_CLASSES, PSEUDO_ELEMENTS
from robbieblocks.css_faults.values import UNSEEN
from robbieblocks.css_text import walk
from robbieblocks.messages import nearest, printable

# Pseudo-classes of other tools, which make of them something else before browsers see them.
_FOREIGN_PSEUDO: Final = frozenset(
    {"global", "local", "deep", "slotted", "v-deep", "ng-deep", "export"}
)
_IN_ALL_BLOCKS: Final = "leave it out: a component's rules hold in all of its blocks"
# What only `@page` has.
_OF_PAGES: Final = {"first": "first-child", "left": "first-child", "right": "last-child"}
_COMBINATORS: Final = frozenset(">+~")
_THEMES: Final = frozenset({"dark", "light"})
_TRANSITION: Final = "view-transition"


def in_selector(prelude: Sequence[Node], code: str | None) -> Iterator[Doubt]:
    """What makes a selector one that no browser takes, or that selects nothing.

    `code` is the component's, whose elements may have a class that otherwise a theme has elsewhere;
    None where any script may set such a class.
    """
    yield from _in_combinators(prelude)
    yield from _marks(prelude)
    for node in walk(prelude):
        if node.type == "ident" and UNSEEN.search(node.value):
            what = "a space that is none, or a letter that nobody sees, is part of the selector"
            yield Doubt(node, what, "type it anew, with plain spaces")
            return
    for nodes in (prelude, *(node.arguments for node in walk(prelude) if node.type == "function")):
        colons = 0
        for before, node in pairwise(nodes):
            colons = colons + 1 if before.type == "literal" and before.value == ":" else 0
            if colons and node.type in ("ident", "function"):
                yield from _in_pseudo(node, is_element=colons == 2)
                if code is not None and colons == 2:
                    yield from _in_transition(node)
            elif before.type == "literal" and before.value == "." and node.type == "ident":
                yield from _in_class(node, code)


def names_transition(node: Node) -> bool:
    """Whether a pseudo-element is that of a transition, and names something beside the page."""
    if node.type != "function" or not node.lower_name.startswith(_TRANSITION):
        return False
    names = [each for each in node.arguments if each.type != "whitespace"]
    first = names[0].value if names else ""
    return bool(names) and first != "root" and not (first == "*" and len(names) == 1)


def _in_combinators(prelude: Sequence[Node]) -> Iterator[Doubt]:
    said = [node for node in prelude if node.type not in ("whitespace", "comment")]
    for before, node in pairwise(said):
        if all(each.type == "literal" and each.value in _COMBINATORS for each in (before, node)):
            what = f"{before.value}{node.value} is no combinator: browsers pass the whole rule over"
            yield Doubt(before, what, _IN_ALL_BLOCKS)
            return


def _marks(prelude: Sequence[Node]) -> Iterator[Doubt]:
    """A `.`, `:` or `#` without a name, or with one that begins with a digit."""
    over = "browsers pass the whole rule over"
    for index, before in enumerate(prelude):
        mark = before.value if before.type == "literal" else ""
        behind = prelude[index + 1] if index + 1 < len(prelude) else None
        kind = "" if behind is None else behind.type
        is_colon = behind is not None and kind == "literal" and behind.value == ":"
        if (mark == "." and kind != "ident") or (
            mark == ":" and kind not in ("ident", "function") and not is_colon
        ):
            yield Doubt(before, f"{mark} has no name behind it: {over}", "take it away, or name it")
            return
        if before.type == "hash" and not before.is_identifier:
            what = f"#{printable(before.value)} begins with a digit: {over}"
            yield Doubt(before, what, "begin the name with a letter")
            return


def _in_pseudo(node: Node, *, is_element: bool) -> Iterator[Doubt]:
    name = node.lower_name if node.type == "function" else node.lower_value
    known, other = PSEUDO_CLASSES, PSEUDO_ELEMENTS
    if is_element:
        known, other = other, known
    elif name in _OF_PAGES:
        what = f":{name} is there for printed pages alone: browsers pass the whole rule over"
        yield Doubt(node, what, f"write :{_OF_PAGES[name]}")
        return
    if name in known or name.startswith("-"):
        return
    mark, turned = ("::", ":") if is_element else (":", "::")
    if name in _FOREIGN_PSEUDO:
        what = f":{name} is another tool's: browsers pass the whole rule over"
        yield Doubt(node, what, _IN_ALL_BLOCKS)
        return
    near = nearest(name, known, most=1)
    remedy = f"did you mean {mark}{near[0]}?" if near else "mend it, or remove the rule"
    if name in other:
        remedy = f"write {turned}{name}"
    what = f"no browser has {mark}{printable(name)}: they pass the whole rule over"
    yield Doubt(node, what, remedy)


def _in_transition(node: Node) -> Iterator[Doubt]:
    name = node.lower_name if node.type == "function" else node.lower_value
    if name.startswith(_TRANSITION) and not names_transition(node):
        what = f"::{printable(name)} without a name is the whole page's: no component's rule has it"
        yield Doubt(node, what, "write the view-transition-name, or put the rule into custom_css")


def _in_class(node: Node, code: str | None) -> Iterator[Doubt]:
    if code is not None and node.value in _THEMES and not _names(code, node.value):
        what = f"nothing on a page has the class {node.value}, unless a script sets it"
        yield Doubt(node, what, f'write [data-theme="{node.value}"] for a node\'s theme')


def _names(code: str, word: str) -> bool:
    return re.search(rf"(?<![\w-]){word}(?![\w-])", code) is not None
