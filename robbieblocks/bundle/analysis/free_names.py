"""Finds names that a text uses and declares nowhere, such as those that only CommonJS has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import positions, query, text_of
from robbieblocks.bundle.analysis.spans import Spans
from robbieblocks.bundle.analysis.syntax import SourcePosition, Syntax
from robbieblocks.bundle.analysis.trees import tree

COMMON_JS: Final = ("require", "module", "exports")
_NAMES: Final = """
    (identifier) @name
    (shorthand_property_identifier) @name
    (variable_declarator name: (identifier) @declared)
    (required_parameter pattern: (identifier) @declared)
    (optional_parameter pattern: (identifier) @declared)
    (arrow_function parameter: (identifier) @declared)
    (catch_clause parameter: (identifier) @declared)
    (for_in_statement left: (identifier) @declared)
    (function_declaration name: (identifier) @declared)
    (generator_function_declaration name: (identifier) @declared)
    (function_expression name: (identifier) @declared)
    (generator_function name: (identifier) @declared)
    (class_declaration name: (type_identifier) @declared)
    (abstract_class_declaration name: (type_identifier) @declared)
    (class name: (type_identifier) @declared)
    (enum_declaration name: (identifier) @declared)
    (internal_module name: (identifier) @declared)
    (shorthand_property_identifier_pattern) @declared
    (pair_pattern value: (identifier) @declared)
    (array_pattern (identifier) @declared)
    (rest_pattern (identifier) @declared)
    (assignment_pattern left: (identifier) @declared)
    (import_clause (identifier) @declared)
    (namespace_import (identifier) @declared)
    (import_specifier !alias name: (identifier) @declared)
    (import_specifier alias: (identifier) @declared)
    (import_alias . (identifier) @declared)
    (import_require_clause . (identifier) @declared)
    (import_require_clause) @require
    (import_specifier name: (identifier) @other alias: (_))
    (function_signature name: (identifier) @other)
    (export_specifier alias: (identifier) @other)
    (export_statement (export_clause (export_specifier name: (identifier) @other)) source: (_))
    (jsx_opening_element name: (identifier) @tag)
    (jsx_closing_element name: (identifier) @tag)
    (jsx_self_closing_element name: (identifier) @tag)
    (index_signature name: (identifier) @other)
    (type_query (identifier) @other)
    (ambient_declaration) @ambient
"""


class FreeName(NamedTuple):
    """A name that a text uses and declares nowhere, and its first use, in UTF-8 bytes."""

    name: str
    offset: int
    is_element: bool


def free_names(code: str) -> list[FreeName]:
    """The names that a text neither declares nor imports, in the order of their first uses.

    A name that it declares anywhere is not among them, nor is a name in a type.
    """
    root = tree(code.encode("utf-8", "replace"))
    found = QueryCursor(query(_NAMES)).captures(root)
    declared = set(map(text_of, found.get("declared", ())))
    no_use = _places(found, "declared", "other")
    tags = [node for node in found.get("tag", ()) if text_of(node)[:1].isupper()]
    uses = [node for node in found.get("name", ()) if node.start_byte not in no_use]
    first: dict[str, FreeName] = {}
    elements = {node.start_byte for node in tags}
    elements.update(node.start_byte for node in uses if _is_element(node))
    no_element = _places(found, "tag") - elements
    for node in sorted((*uses, *tags), key=lambda node: node.start_byte):
        name, offset = text_of(node), node.start_byte
        if name not in declared and offset not in no_element:
            first.setdefault(name, FreeName(name, offset, offset in elements))
    return list(first.values())


def _is_element(node: Node) -> bool:
    """Whether an identifier is the `a` of `<a.b>`."""
    member = node.parent
    outer = member.parent if member is not None and member.type == "member_expression" else None
    return outer is not None and outer.type in ("jsx_opening_element", "jsx_self_closing_element")


def _places(found: Mapping[str, Sequence[Node]], *kinds: str) -> set[int]:
    return {node.start_byte for kind in kinds for node in found.get(kind, ())}


def free_uses(syntax: Syntax, root: Node) -> dict[str, list[SourcePosition]]:
    """Where a text uses such a variable, by its name, unless it declares that name anywhere.

    A text that declares a name in one place and uses CommonJS's variable in another one fails when
    it runs: compiled, it has no such variable.
    """
    if not any(name.encode() in syntax.text for name in COMMON_JS):
        return {}
    found = QueryCursor(query(_NAMES)).captures(root)
    # Of what a `declare` says that it is there, nothing is declared.
    ambient = Spans((node.start_byte, node.end_byte) for node in found.get("ambient", ()))
    declared = (node for node in found.get("declared", ()) if node.start_byte not in ambient)
    taken = set(map(text_of, declared))
    no_use = _places(found, "declared", "other", "tag")
    uses = {name: found.get(name, []) for name in COMMON_JS if name not in taken}
    for node in found.get("name", ()):
        if node.start_byte not in no_use and (name := text_of(node)) in uses:
            uses[name].append(node)
    return {name: positions(syntax, nodes) for name, nodes in uses.items()}
