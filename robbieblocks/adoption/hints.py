"""Finds what works in a bundler's or a server's world and can't here, before anything is run."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from tree_sitter import Node

from robbieblocks.adoption.kinds import FUNCTIONS
from robbieblocks.adoption.sources.syntax import SyntaxTree, text_of
from robbieblocks.errors import Severity

# What only a browser has.
_BROWSER: Final = frozenset(
    {"window", "document", "navigator", "localStorage", "sessionStorage", "location", "history"}
)
_LATER: Final = ("method_definition", "ambient_declaration")
_STATEMENTS: Final = frozenset(
    {"lexical_declaration", "variable_declaration", "if_statement", "expression_statement"}
)
# Where an identifier is only named: in an export or a type.
_NO_USE: Final = ("export_specifier", "required_parameter", "type_query")
_GUARD: Final = re.compile(rb"typeof\s+(window|document|navigator|localStorage|sessionStorage)")
_NEXT: Final = frozenset(
    {"getServerSideProps", "getStaticProps", "getStaticPaths", "generateMetadata", "metadata"}
    | {"generateStaticParams", "viewport", "revalidate", "dynamic"}
)
_SHORT: Final = 40
_AS_PROP: Final = "write the value, or take it as a prop"


class Hint(NamedTuple):
    """What is wrong at a byte of a text, and what to do."""

    offset: int
    what: str
    remedy: str
    severity: Severity = "error"


class _Place(NamedTuple):
    """Where a node stands: in what, in which function, and whether it runs with the module."""

    parent: Node
    function: Node | None
    function_name: str
    at_once: bool


def _placed(tree: SyntaxTree) -> Iterator[tuple[Node, _Place]]:
    """All nodes with their places, from the outside in: a tree finds what is around slowly."""
    guards = [found.start() for found in _GUARD.finditer(tree.text)]
    outside = _Place(tree.root, None, "", at_once=True)
    pending = [(node, outside) for node in reversed(tree.root.children)]
    while pending:
        node, place = pending.pop()
        yield node, place
        function, name, at_once = place.function, place.function_name, place.at_once
        if node.type in FUNCTIONS:
            function, name, at_once = node, _name(node, place.parent), False
        elif node.type in _LATER:
            at_once = False
        elif node.type in _STATEMENTS:
            first = bisect_left(guards, node.start_byte)
            at_once = at_once and not (first < len(guards) and guards[first] < node.end_byte)
        inner = _Place(node, function, name, at_once)
        pending += [(child, inner) for child in reversed(node.children)]


def hints(tree: SyntaxTree, *, shows: bool) -> Iterator[Hint]:
    """What can't work here; `shows` says that the file exports a component."""
    browser = _BROWSER - tree.declared.keys() - tree.imported
    for node, place in _placed(tree):
        if node.type == "member_expression":
            yield from _environment(node)
        elif node.type == "identifier" and place.at_once and text_of(node) in browser:
            yield from _at_module_level(node, place)
        elif node.type == "expression_statement" and _short(node)[1:11] == "use server":
            what = "a server action needs a server, and a page has none"
            yield Hint(node.start_byte, what, "send a request to one in an event handler")
        elif shows:
            yield from _of_component(tree, node, place)
    for name in sorted(_NEXT.intersection(tree.exports)):
        declared = tree.declared.get(name)
        if declared is not None and shows:
            what = f"{name} is for Next.js, and nothing reads it here"
            remedy = "titles and data belong to the page's file; leave it out"
            yield Hint(declared.start_byte, what, remedy, "warning")


def _environment(node: Node) -> Iterator[Hint]:
    inner = _short(node.child_by_field_name("object"))
    if inner == "process.env" and text_of(node) != "process.env.NODE_ENV":
        yield Hint(node.start_byte, f"{text_of(node)[:60]} is not there in a page", _AS_PROP)
    elif inner == "import.meta.env":
        yield Hint(node.start_byte, f"{text_of(node)[:60]} is Vite's, and not there", _AS_PROP)


def _at_module_level(node: Node, place: _Place) -> Iterator[Hint]:
    """A browser's object that is used when the module is loaded, which a worker does too."""
    if place.parent.type not in _NO_USE:
        what = f"{text_of(node)} is read when the module is loaded, and prerendering has none"
        yield Hint(node.start_byte, what, "read it in useEffect or in an event handler")


def _of_component(tree: SyntaxTree, node: Node, place: _Place) -> Iterator[Hint]:
    """What a component can't do while it renders."""
    if node.type == "call_expression":
        called = _short(node.child_by_field_name("function"))
        if called == "fetch" and (place.function is None or place.function_name[:1].isupper()):
            what = "fetch runs while the page is prerendered, where there is no network"
            yield Hint(node.start_byte, what, "load data in useEffect, or take it as props")
    elif node.type in FUNCTIONS and any(each.type == "async" for each in node.children[:1]):
        shown = node == tree.default or _name(node, place.parent)[:1].isupper()
        what = "an async component is a server component, which a page can't show"
        hint = Hint(node.start_byte, what, "load data in useEffect, or take it as props")
        yield from [hint] if shown else []


def _short(node: Node | None) -> str:
    """A node's text where it is short: of a long one nothing is asked, and each copy takes time."""
    return "" if node is None or node.end_byte - node.start_byte > _SHORT else text_of(node)


def _name(function: Node, parent: Node) -> str:
    """A function's own name, or that of the variable or member which it stands for."""
    name = text_of(function.child_by_field_name("name"))
    return name or text_of(parent.child_by_field_name("name"))
