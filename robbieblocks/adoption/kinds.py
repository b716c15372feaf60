"""Tells components from modules: what a file exports that shows something."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from tree_sitter import Node

from robbieblocks.adoption.keys import kebab
from robbieblocks.adoption.sources.syntax import SyntaxTree, parts_of, text_of, walk

FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function_declaration",
        "generator_function",
        "class",
        "class_declaration",
    }
)
_TRANSPARENT = frozenset(
    {"parenthesized_expression", "as_expression", "satisfies_expression", "non_null_expression"}
)
_JSX = ("jsx_element", "jsx_self_closing_element")
_WRAPPERS = frozenset({"memo", "forwardRef"})
_HOOK = re.compile(r"use[A-Z]")


def component_of(tree: SyntaxTree, path: str) -> tuple[str, str]:
    """The name of the component that a file exports, empty for a module, and a note.

    The note says why several components are none. A default export without a name is named by its
    file.
    """
    may_show = (
        path.endswith((".tsx", ".jsx")) or b"createElement" in tree.text or _has_jsx(tree.root)
    )
    if not may_show:
        return "", ""
    if "default" in tree.exports:
        return _default(tree, path), ""
    if not (tree.exports or tree.types):
        return _bare(tree, path), ""
    found = _showing(tree, tree.exports)
    name = _chosen(found, path)
    if found and not name:
        names = ", ".join(sorted(found))
        return "", f"exports several components ({names}): `export default` makes one placeable"
    return name, ""


def _default(tree: SyntaxTree, path: str) -> str:
    local = tree.exports["default"]
    node = tree.default if local is None else tree.declared.get(local)
    if node is None:
        return ""
    if node.type == "identifier":
        local, node = text_of(node), tree.declared.get(text_of(node), node)
    own = local or text_of(node.child_by_field_name("name"))
    if own and not own[:1].isupper():
        return ""
    return (own or _named(path)) if _shows(node, tree, default=True) else ""


def _bare(tree: SyntaxTree, path: str) -> str:
    """The component of a file that exports nothing: JSX, or a declaration that shows something.

    Of several declarations one uses the others, which compiling finds out.
    """
    statements = [node for node in tree.root.named_children if _has_jsx(node)]
    if any(node.type == "expression_statement" for node in statements):
        return _named(path)
    found = _showing(tree, {name: name for name in tree.declared})
    return _chosen(found, path) or (_named(path) if found else "")


def _showing(tree: SyntaxTree, names: Mapping[str, str | None]) -> list[str]:
    """Those of the names, each with the one in the file, that may be components."""
    return [
        exported
        for exported, name in names.items()
        if name is not None
        and exported[:1].isupper()
        and (node := tree.declared.get(name)) is not None
        and _shows(node, tree, default=False)
    ]


def _chosen(found: list[str], path: str) -> str:
    """The only one, or the one that is called as its file."""
    wanted = kebab(posixpath.splitext(posixpath.basename(path))[0])
    named = [name for name in found if len(found) == 1 or kebab(name) == wanted]
    return named[0] if len(named) == 1 else ""


def function_of(node: Node | None) -> Node | None:
    """The function or class inside of a declaration, of `memo(...)` and `forwardRef(...)`."""
    while node is not None and node.type not in FUNCTIONS:
        if node.type == "variable_declarator":
            node = node.child_by_field_name("value")
        elif node.type in _TRANSPARENT and node.named_children:
            node = node.named_children[0]
        elif node.type == "call_expression":
            node = next(iter(parts_of(node.child_by_field_name("arguments"))), None)
        else:
            return None
    return node


def _shows(node: Node, tree: SyntaxTree, *, default: bool) -> bool:
    """Whether a declaration with a capital may show something."""
    value = node.child_by_field_name("value") if node.type == "variable_declarator" else node
    while value is not None and value.type in _TRANSPARENT and value.named_children:
        value = value.named_children[0]
    if value is None:
        return False
    if value.type in ("class", "class_declaration"):
        return _has_jsx(value) or b"Component" in (value.text or b"")[:400]
    if value.type in FUNCTIONS:
        name = text_of(value.child_by_field_name("name"))
        return not _HOOK.match(name) and (bool(name) or node is not value or _has_jsx(value))
    if value.type == "call_expression":
        called = text_of(value.child_by_field_name("function")).rpartition(".")[2]
        return called in _WRAPPERS or (default and _has_jsx(tree.root))
    return default and value.type in ("identifier", "member_expression") and _has_jsx(tree.root)


def _has_jsx(root: Node) -> bool:
    return any(node.type in _JSX for node in walk(root))


def _named(path: str) -> str:
    folder, name = posixpath.split(posixpath.splitext(path)[0])
    stem = name if kebab(name) != "index" else posixpath.basename(folder) or name
    return "".join(part.capitalize() for part in kebab(stem).split("-"))
