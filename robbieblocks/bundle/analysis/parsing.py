"""Reads a component's text with tree-sitter's TSX grammar: imports, declarations, exports.

The grammar reads JavaScript with JSX as well. A text with a syntax error has a tree too; the
message for that error comes from esbuild.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final, Literal

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.class_words import class_words
from robbieblocks.bundle.analysis.doubtful_code import doubtful_code
from robbieblocks.bundle.analysis.free_names import free_uses
from robbieblocks.bundle.analysis.queries import query, read_all_depths, text_of
from robbieblocks.bundle.analysis.syntax import (
    Declaration,
    Expression,
    Import,
    Likelihood,
    Syntax,
)
from robbieblocks.bundle.analysis.trees import tree

# Compilers run out of stack over a text that nests too deep.
MAX_DEPTH: Final = 5_000
_BRACKET: Final = re.compile(rb"[][(){}<>!~?]")
_OPENING: Final = b"([{<!~?"
# Queries over a long text with a syntax error take time that grows with its square.
_MAX_BROKEN_BYTES = 20_000
# No component has more of them, and finding the line of each takes time.
_MAX_EXPRESSIONS = 1_000

# A call of one of these returns a component.
_WRAPPERS = frozenset({"memo", "forwardRef"})
_TRANSPARENT = frozenset(
    {
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_assertion",
    }
)
_FUNCTIONS = frozenset(
    {
        "arrow_function",
        "function_expression",
        "function_declaration",
        "generator_function",
        "class",
        "class_declaration",
    }
)
_VARIABLES = frozenset({"lexical_declaration", "variable_declaration"})
_JSX = frozenset({"jsx_element", "jsx_self_closing_element"})


def parse(code: str) -> Syntax:
    """The syntax of a component's text. Never fails; `broken` says that there are syntax errors."""
    text = code.encode("utf-8", "surrogatepass")
    root = tree(text)
    if _too_deep(text, root):
        return Syntax(text=text, broken=root.has_error, too_deep=True)
    syntax = Syntax(text=text, broken=root.has_error)
    for statement in root.named_children:
        _statement(syntax, statement)
    if not (syntax.broken and len(text) > _MAX_BROKEN_BYTES):
        read_all_depths(syntax, root)
        syntax.common_js = free_uses(syntax, root)
        syntax.classes = class_words(root)
        syntax.doubts = doubtful_code(root, syntax)
    return syntax


def _statement(syntax: Syntax, node: Node) -> None:
    match node.type:
        case "import_statement":
            _import(syntax, node)
        case "export_statement":
            _export(syntax, node)
        case "expression_statement":
            _expression(syntax, node)
        case "return_statement":
            syntax.returns = syntax.returns or syntax.position(node.start_byte)
        case "ambient_declaration" | "interface_declaration" | "type_alias_declaration":
            pass
        case _:
            syntax.declarations.extend(_declared(node, node))


def _import(syntax: Syntax, node: Node) -> None:
    if any(child.type in ("type", "typeof") for child in node.children):
        return
    clause = next((c for c in node.named_children if c.type == "import_clause"), None)
    source = node.child_by_field_name("source")
    if source is None:
        return
    namespace = False
    local: dict[str, str] = {}
    for part in clause.named_children if clause else ():
        if part.type == "identifier":
            local[text_of(part)] = "default"
        elif part.type == "namespace_import":
            namespace = True
            local[text_of(part.named_children[-1])] = "*"
        elif part.type == "named_imports":
            local.update((local_name, imported) for imported, local_name in _specifiers(part))
    if clause is not None and not local:
        return  # `import { type A } from "x"` imports no value
    syntax.imported.update(local)
    names = None if namespace else set(local.values())
    found = _imported(syntax, source, names)
    statement = (node.start_byte, node.end_byte)
    syntax.imports.append(replace(found, local=local, statement=statement))


def _specifiers(part: Node) -> Iterator[tuple[str, str]]:
    """(first name, name after `as`) of each value in `{ a as b, type C }`."""
    for each in part.named_children:
        if each.type in ("import_specifier", "export_specifier") and not any(
            child.type in ("type", "typeof") for child in each.children
        ):
            name = text_of(each.child_by_field_name("name")).strip("\"'")
            alias = each.child_by_field_name("alias")
            yield name, text_of(alias).strip("\"'") if alias else name


def _imported(syntax: Syntax, source: Node, names: set[str] | None) -> Import:
    start, end = source.start_byte + 1, source.end_byte - 1
    specifier = syntax.text[start:end]
    return Import(
        specifier=specifier.decode("utf-8", "replace"),
        names=None if names is None else frozenset(names),
        position=syntax.position(source.start_byte),
        start=start,
        end=end,
        escaped=b"\\" in specifier,
    )


def _export(syntax: Syntax, node: Node) -> None:
    kinds = {child.type for child in node.children}
    if "type" in kinds or "=" in kinds:
        return
    source = node.child_by_field_name("source")
    clause = next((c for c in node.named_children if c.type == "export_clause"), None)
    declared = node.child_by_field_name("declaration")
    if "default" in kinds:
        syntax.exports["default"] = None
        if declared is not None:
            syntax.declarations.extend(_declared(declared, node))
    elif declared is not None:
        found = list(_declared(declared, node))
        syntax.declarations.extend(found)
        syntax.exports.update((each.name, each.name) for each in found)
    elif clause is not None:
        pairs = list(_specifiers(clause))
        for name, exported in pairs:
            syntax.exports[exported] = name if source is None else None
        if source is not None and pairs:
            syntax.imports.append(_imported(syntax, source, {name for name, _ in pairs}))
    elif source is not None:
        syntax.exports_all = True
        syntax.imports.append(_imported(syntax, source, None))


def _declared(node: Node, statement: Node) -> Iterator[Declaration]:
    names = _variables(node) if node.type in _VARIABLES else _named_declaration(node)
    for name, likelihood in names:
        yield Declaration(
            name=name,
            likelihood=likelihood,
            start=statement.start_byte,
            end=statement.end_byte,
        )


def _named_declaration(node: Node) -> Iterator[tuple[str, Likelihood]]:
    """The name of a function, class or enum."""
    name = node.child_by_field_name("name")
    if name is not None and node.type not in ("interface_declaration", "type_alias_declaration"):
        yield text_of(name), "component" if node.type in _FUNCTIONS else "no"


def _variables(node: Node) -> Iterator[tuple[str, Likelihood]]:
    """The names that `const`, `let` or `var` declares."""
    for each in node.named_children:
        target = each.child_by_field_name("name")
        if each.type != "variable_declarator" or target is None:
            continue
        if target.type == "identifier":
            value = each.child_by_field_name("value")
            yield text_of(target), "no" if value is None else _likelihood(value)
        else:
            for name in _pattern(target):
                yield name, "no"


def _pattern(node: Node) -> Iterator[str]:
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    for child in node.named_children:
        if child.type in kinds:
            yield text_of(child)
        elif child.type == "pair_pattern":
            value = child.child_by_field_name("value")
            if value is not None:
                yield from [text_of(value)] if value.type == "identifier" else _pattern(value)
        elif child.type != "property_identifier":
            yield from _pattern(child)


def _bare(node: Node) -> Node:
    """The expression inside of parentheses and type assertions."""
    while node.type in _TRANSPARENT and node.named_children:
        node = node.named_children[0]
    return node


def _likelihood(value: Node) -> Likelihood:
    value = _bare(value)
    if value.type in _FUNCTIONS:
        return "component"
    if value.type == "call_expression":
        called = text_of(value.child_by_field_name("function")).rpartition(".")[2]
        return "component" if called in _WRAPPERS else "perhaps"
    return "perhaps" if value.type in ("identifier", "member_expression") else "no"


def _expression(syntax: Syntax, node: Node) -> None:
    inner = node.named_children[0] if node.named_children else None
    if inner is None or len(syntax.expressions) >= _MAX_EXPRESSIONS:
        return
    value = _bare(inner)
    kind: Literal["jsx", "component", "other"] = "other"
    if value.type in _JSX:
        kind = "jsx"
    elif _likelihood(value) == "component":
        kind = "component"
    position = syntax.position(inner.start_byte)
    syntax.expressions.append(
        Expression(kind=kind, start=inner.start_byte, end=inner.end_byte, position=position)
    )


def _too_deep(text: bytes, root: Node) -> bool:
    # Each level takes at least one byte.
    return len(text) > MAX_DEPTH and (
        max(_tree_depth(root), _bracket_depth(text, root)) > MAX_DEPTH
        or _longest_sequence(text, root) > MAX_DEPTH
    )


def _tree_depth(root: Node) -> int:
    """How many levels the tree has; counting stops above MAX_DEPTH."""
    cursor = root.walk()
    deepest = depth = 0
    while deepest <= MAX_DEPTH:
        if cursor.goto_first_child():
            depth += 1
            deepest = max(deepest, depth)
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return deepest
            depth -= 1
    return deepest


def _longest_sequence(text: bytes, root: Node) -> int:
    """How many expressions stand in the longest `a, b, c`: compilers nest them as they do sums.

    esbuild takes 8 s for 30,000 of them.
    """
    if text.count(b",") <= MAX_DEPTH:
        return 0
    found = QueryCursor(query("(sequence_expression) @sequence")).captures(root)
    return max((node.named_child_count for node in found.get("sequence", ())), default=0)


def _bracket_depth(text: bytes, root: Node) -> int:
    """How deep a text with a syntax error may nest at most: its tree need not show that."""
    if not root.has_error:
        return 0
    deepest = depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in _OPENING else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest
