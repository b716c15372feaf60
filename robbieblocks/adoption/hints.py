"""Finds what works in a bundler's or a server's world and can't here, before anything is run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from tree_sitter import Node

from robbieblocks.adoption.kinds import FUNCTIONS
from robbieblocks.adoption.syntax import SyntaxTree, text_of, walk
from robbieblocks.errors import Severity

# What only a browser has.
_BROWSER: Final = frozenset(
    {"window", "document", "navigator", "localStorage", "sessionStorage", "location", "history"}
)
_LATER: Final = ("method_definition", "ambient_declaration")
_STATEMENTS: Final = frozenset(
    {"lexical_declaration", "variable_declaration", "if_statement", "expression_statement"}
)
_GUARD: Final = re.compile(rb"typeof\s+(window|document|navigator|localStorage|sessionStorage)")
_NEXT: Final = frozenset(
    {"getServerSideProps", "getStaticProps", "getStaticPaths", "generateMetadata", "metadata"}
    | {"generateStaticParams", "viewport", "revalidate", "dynamic"}
)
_AS_PROP: Final = "write the value, or take it as a prop"


class Hint(NamedTuple):
    """What is wrong at a byte of a text, and what to do."""

    offset: int
    what: str
    remedy: str
    severity: Severity = "error"


def hints(tree: SyntaxTree, *, shows: bool) -> Iterator[Hint]:
    """What can't work here; `shows` says that the file exports a component."""
    browser = _BROWSER - tree.declared.keys() - tree.imported
    for node in walk(tree.root):
        match node.type:
            case "member_expression":
                yield from _environment(node)
            case "identifier" if text_of(node) in browser:
                yield from _at_module_level(node)
            case "call_expression" if _calls(node, "fetch") and shows:
                yield from _while_rendering(node)
            case "expression_statement" if text_of(node)[1:11] == "use server":
                what = "a server action needs a server, and a page has none"
                yield Hint(node.start_byte, what, "send a request to one in an event handler")
            case _:
                pass
    if shows:
        yield from _asynchronous(tree)
    for name in sorted(_NEXT.intersection(tree.exports)):
        declared = tree.declared.get(name)
        if declared is not None and shows:
            what = f"{name} is for Next.js, and nothing reads it here"
            remedy = "titles and data belong to the page's file; leave it out"
            yield Hint(declared.start_byte, what, remedy, "warning")


def _environment(node: Node) -> Iterator[Hint]:
    inner = text_of(node.child_by_field_name("object"))
    if inner == "process.env" and text_of(node) != "process.env.NODE_ENV":
        yield Hint(node.start_byte, f"{text_of(node)[:60]} is not there in a page", _AS_PROP)
    elif inner == "import.meta.env":
        yield Hint(node.start_byte, f"{text_of(node)[:60]} is Vite's, and not there", _AS_PROP)


def _at_module_level(node: Node) -> Iterator[Hint]:
    """A browser's object that is used when the module is loaded, which a worker does too."""
    if _is_no_use(node):
        return
    around: Node | None = node
    while around is not None and around.type != "program":
        later = around.type in FUNCTIONS or around.type in _LATER
        if later or (around.type in _STATEMENTS and _GUARD.search(around.text or b"")):
            return
        around = around.parent
    what = f"{text_of(node)} is read when the module is loaded, and prerendering has none"
    yield Hint(node.start_byte, what, "read it in useEffect or in an event handler")


def _is_no_use(node: Node) -> bool:
    """Whether an identifier stands where it is only named: in an export or a type."""
    parent = node.parent
    return parent is not None and parent.type in (
        "export_specifier",
        "required_parameter",
        "type_query",
    )


def _calls(node: Node, name: str) -> bool:
    return text_of(node.child_by_field_name("function")) == name


def _while_rendering(node: Node) -> Iterator[Hint]:
    """A fetch directly in a component, or beside it."""
    outer: Node | None = node.parent
    while outer is not None and outer.type not in FUNCTIONS:
        outer = outer.parent
    if outer is None or _name(outer)[:1].isupper():
        what = "fetch runs while the page is prerendered, where there is no network"
        yield Hint(node.start_byte, what, "load data in useEffect, or take it as props")


def _asynchronous(tree: SyntaxTree) -> Iterator[Hint]:
    for node in walk(tree.root):
        if node.type in FUNCTIONS and node.children and node.children[0].type == "async":
            default = node == tree.default
            if default or (node.parent is not None and _name(node)[:1].isupper()):
                what = "an async component is a server component, which a page can't show"
                yield Hint(node.start_byte, what, "load data in useEffect, or take it as props")


def _name(function: Node) -> str:
    name = text_of(function.child_by_field_name("name"))
    if name or function.parent is None:
        return name
    return text_of(function.parent.child_by_field_name("name"))
