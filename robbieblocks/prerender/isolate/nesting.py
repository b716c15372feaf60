"""Finds where an HTML parser makes another tree of a block's HTML than React has.

React writes the elements that a component has, in whatever order. A browser's parser closes some,
moves others, and adds some (`<tbody>`). Then React finds other nodes than its own when it hydrates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from robbieblocks.prerender.isolate.html_check import block_node, parsed

# React escapes "<" in texts and ">" in attributes.
_TOKEN: Final = re.compile(
    r"<!--(?P<comment>.*?)(?:-->|\Z)|</(?P<end>[A-Za-z][^\s/>]*+)[^>]*+>"
    r"|<(?P<start>[A-Za-z][^\s/>]*+)(?P<rest>[^>]*+)>|(?P<text>[^<]++)|<",
    re.DOTALL,
)
_RAW: Final = "rb-raw"
_VOID: Final = frozenset(
    (
        *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param"),
        *("source", "track", "wbr"),
    )
)
# What stands in them is no HTML, or lies in a tree of its own.
_OPAQUE: Final = frozenset({"style", "script", "textarea", "template"})
_FOREIGN: Final = frozenset({"svg", "math"})
_TEXT: Final = "text"
# Nothing but their own parent takes them.
_TABLE_PARTS: Final = frozenset(
    ("caption", "col", "colgroup", "tbody", "td", "tfoot", "th", "thead", "tr")
)
# A parser puts what a template holds into a document of its own, in which React looks for nothing.
_IN_TEMPLATE: Final = re.compile(
    r"<template(?:\s[^<>]*+)?>(?:<(?P<name>[a-z][^\s/>]*+)|(?P<text>[^<]))", re.IGNORECASE
)
_RAW_TEXT: Final = re.compile(
    r"<(?P<name>iframe|noembed|noframes|xmp)(?:\s[^<>]*+)?>[^<&]*+&", re.IGNORECASE
)
# A parser ends the first where the second begins, or passes the second over.
_SPLIT_CONTROLS: Final = frozenset({"a a", "button button", "form form"})
# Browsers keep a copy of the chosen option in it.
_COPY: Final = "selectedcontent"
# To name what is wrong, so many ways from the block to an element are tried.
_MAX_ASKED: Final = 200


@dataclass(slots=True)
class _Element:
    """An element as React wrote it, or text.

    It is `opaque` where what stands in it is not compared, `is_blank` where it is text without a
    letter, which a parser leaves in tables.
    """

    name: str
    opaque: bool = False
    is_blank: bool = False
    children: list[_Element] = field(default_factory=list)


def misnested_in(document: LexborHTMLParser, written: str) -> str:
    """The names of two elements, of which the parser does not take the second in the first; or "".

    `written` is React's HTML with a mark in place of raw HTML. Text is called `text`.
    """
    wrapper = block_node(document)
    root = _tree(written)
    if wrapper is None or root is None or _is_same(root, wrapper):
        return ""
    if f"<{_COPY}" in written and _is_same(root, wrapper, copies=True):
        return f"select {_COPY}"
    if culprits := _culprits(root):
        return culprits
    return "block raw" if f"<!--{_RAW}-->" in written else "block element"


def in_template(written: str) -> str:
    """As `misnested_in`, of a block that lives in the browser: what React has in a `<template>`."""
    found = _IN_TEMPLATE.search(written)
    return f"template {found['name'] or _TEXT}".lower() if found is not None else ""


def escaped_text(written: str) -> str:
    """As `in_template`: text with `&` in an element in which a parser reads no entities."""
    found = _RAW_TEXT.search(written)
    return f"{found['name'].lower()} {_TEXT}" if found is not None else ""


def split_control(document: LexborHTMLParser, html: str) -> str:
    """As `misnested_in`, of all HTML, but only a control that a parser closes before another one.

    Raw HTML may leave end tags out, and parts of tables, which is no fault.
    """
    found = misnested_in(document, html)
    return found if found in _SPLIT_CONTROLS else ""


def _is_same(root: _Element, wrapper: LexborNode, *, copies: bool = False) -> bool:
    """Whether the parser has the same elements; `copies`, whatever it copied into one of them."""
    pending = [(root, wrapper)]
    while pending:
        element, node = pending.pop()
        if element.opaque or (copies and element.name == _COPY):
            continue
        there = list(_children(node))
        if [child.name for child in element.children] != [_name(child) for child in there]:
            return False
        pending += zip(element.children, there, strict=True)
    return True


def _culprits(root: _Element) -> str:
    """The first element that a parser moves when it stands in the elements around it, and nothing
    else does, and which of them does not take it.
    """
    asked: set[tuple[str, ...]] = set()
    pending: list[tuple[_Element, tuple[str, ...]]] = [(root, ())]
    while pending and len(asked) < _MAX_ASKED:
        element, around = pending.pop()
        path = (*around, element.name) if element.name else around
        if path not in asked and not element.is_blank:
            asked.add(path)
            if path and not _stays(path):
                return f"{_outer(around, element.name)} {element.name}"
        pending += [(child, path) for child in reversed(element.children)]
    return ""


def _stays(path: Sequence[str]) -> bool:
    """Whether a parser leaves elements inside each other as they are."""
    names = [name for name in path if name != _TEXT]
    inner = "x" if _TEXT in path else ""
    ends = "".join(f"</{name}>" for name in reversed(names) if name not in _VOID)
    html = "".join(f"<{name}>" for name in names) + inner + ends
    tree, wrapper = _tree(html), block_node(parsed(html))
    return tree is None or wrapper is None or _is_same(tree, wrapper)


def _outer(around: Sequence[str], inner: str) -> str:
    """The innermost element that does not take `inner`: not always it is the one around it."""
    for at in range(len(around) - 1, -1, -1):
        if not _stays((around[at], inner)) and (inner not in _TABLE_PARTS or at == len(around) - 1):
            return around[at]
    return around[-1] if around else "block"


class _Reader:
    """Reads HTML as it was written: each element ends at its own end tag."""

    def __init__(self) -> None:
        self.root = _Element("")
        self._open = [self.root]
        self._foreign = 0

    @property
    def is_whole(self) -> bool:
        """Whether each element that was opened was closed."""
        return len(self._open) == 1

    def read(self, written: str) -> bool:
        """Read all of it; False where an end tag closes another element than the last."""
        at = 0
        while at < len(written):
            found = _TOKEN.match(written, at)
            if found is None:
                return False
            at = found.end()
            if found["comment"] is not None:
                self._open[-1].opaque |= found["comment"] == _RAW
            elif found["end"] is not None:
                if not self._close(found["end"].lower()):
                    return False
            elif found["start"] is None:
                self._add_text(found[0])
            elif self._begin(found["start"].lower(), found["rest"]):
                # Up to its end tag nothing is HTML, in the text that React wrote.
                at = written.find(f"</{found['start']}", at)
                if at == -1:
                    return False
        return True

    def _add_text(self, text: str) -> None:
        parent, is_blank = self._open[-1], text.isspace()
        if not parent.children or parent.children[-1].name != _TEXT:
            parent.children.append(_Element(_TEXT, is_blank=is_blank))
        parent.children[-1].is_blank &= is_blank

    def _begin(self, name: str, rest: str) -> bool:
        """Add an element; True where what stands in it is no HTML."""
        element = _Element(name, opaque=name in _OPAQUE)
        self._open[-1].children.append(element)
        if name in _VOID or (self._foreign and rest.endswith("/")):
            return False
        self._open.append(element)
        self._foreign += name in _FOREIGN
        return element.opaque

    def _close(self, name: str) -> bool:
        if self.is_whole or self._open[-1].name != name:
            return False
        self._foreign -= name in _FOREIGN
        self._open.pop()
        return True


def _tree(written: str) -> _Element | None:
    """The elements as they were written; None where they can't be told apart."""
    reader = _Reader()
    return reader.root if reader.read(written) and reader.is_whole else None


def _children(node: LexborNode) -> Iterator[LexborNode]:
    """Elements, and of texts beside each other the first."""
    child = node.first_child
    was_text = False
    while child is not None:
        is_text = child.tag == "-text"
        if child.tag != "-comment" and not (is_text and was_text):
            was_text = is_text
            yield child
        child = child.next


def _name(node: LexborNode) -> str:
    return _TEXT if node.tag == "-text" else (node.tag or "").lower()
