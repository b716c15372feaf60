"""What a component's text says, read from its syntax tree: imports, declarations, names, words.

The tree comes from tree-sitter's TSX grammar, which reads JavaScript with JSX as well. A text
with a syntax error has a tree too; esbuild words the error.
"""

from __future__ import annotations

import functools
import heapq
import html
import re
import string
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser, Query, QueryCursor

from robbieblocks.bundle.findings import (
    Declaration,
    Expression,
    Import,
    Likeness,
    Place,
    Syntax,
)

_TSX = Language(tree_sitter_typescript.language_tsx())
_PATTERNS = """
    (identifier) @name
    (shorthand_property_identifier) @name
    (property_identifier) @property
    (string) @string
    (template_string (string_fragment) @fragment)
    (import) @import
    (import_require_clause) @require
    (meta_property) @meta
    (jsx_element open_tag: (jsx_opening_element name: (identifier) @tag)
      (#eq? @tag "style")) @style
    (jsx_self_closing_element name: (identifier) @tag (#eq? @tag "style")) @style_alone
    [(jsx_element) (jsx_self_closing_element)] @jsx
"""
_STYLE_MADE = """
    (call_expression
      function: [(identifier) @called (member_expression property: (property_identifier) @called)]
      arguments: (arguments . (string) @argument)
      (#eq? @called "createElement") (#match? @argument "^.style.$")) @style_made
"""
_LONGEST_WORD = 256
MAX_DEPTH = 5_000
# What is shorter can't nest so deep.
_SHALLOW = 5_000
_BRACKET = re.compile(rb"[][(){}<>!~?]")
_LONGEST_BROKEN = 20_000
# Nobody needs more of them, and finding the place of each takes time.
_MOST_EXPRESSIONS = 1_000
_MOST_PLACES = 20

# A call of one of these makes a component of what it is given.
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
JSX = frozenset({"jsx_element", "jsx_self_closing_element"})


def read(code: str) -> Syntax:
    """The syntax of a component's text; never fails, `broken` says that there are errors."""
    text = code.encode("utf-8", "surrogatepass")
    tree = Parser(_TSX).parse(text)
    root = tree.root_node
    if len(text) > _SHALLOW and max(_depth(root), _opened(text, root)) > MAX_DEPTH:
        return Syntax(text=text, broken=root.has_error, too_deep=True)
    syntax = Syntax(text=text, broken=root.has_error)
    for statement in root.named_children:
        _statement(syntax, statement)
    # Over a long text that does not parse, queries take time that grows with its square.
    if not (syntax.broken and len(text) > _LONGEST_BROKEN):
        _everywhere(syntax, root)
    return syntax


def _depth(root: Node) -> int:
    """How many levels the tree has; stops counting past the bound."""
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


_OPENING, _CLOSING = b"([{<!~?", b")]}>"


def _opened(text: bytes, root: Node) -> int:
    """How deep a text that does not parse may nest, at most: its tree does not say."""
    if not root.has_error:
        return 0
    deepest = depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in _OPENING else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


def place_of(text: bytes, offset: int) -> Place:
    """The line and column of a byte offset."""
    before = text[:offset]
    line_start = before.rfind(b"\n") + 1
    column = len(before[line_start:].decode("utf-8", "replace")) + 1
    return Place(before.count(b"\n") + 1, column, offset)


def _say(node: Node | None) -> str:
    text = None if node is None else node.text
    return "" if text is None else text.decode("utf-8", "replace")


def _statement(syntax: Syntax, node: Node) -> None:
    match node.type:
        case "import_statement":
            _import(syntax, node)
        case "export_statement":
            _export(syntax, node)
        case "expression_statement":
            _expression(syntax, node)
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
    whole = False
    local: dict[str, str] = {}
    for part in clause.named_children if clause else ():
        if part.type == "identifier":
            local[_say(part)] = "default"
        elif part.type == "namespace_import":
            whole = True
            local[_say(part.named_children[-1])] = "*"
        elif part.type == "named_imports":
            local.update((here, there) for there, here in _specifiers(part))
    if clause is not None and not local:
        return  # `import { type A } from "x"`: nothing is left of it
    syntax.imported.update(local)
    names = None if whole else set(local.values())
    found = _imported(syntax.text, source, names)
    place = (node.start_byte, node.end_byte)
    syntax.imports.append(replace(found, local=local, statement=place))


def _specifiers(part: Node) -> Iterator[tuple[str, str]]:
    """(name over there, name here) of each value in `{ a as b, type C }`."""
    for each in part.named_children:
        if each.type in ("import_specifier", "export_specifier") and not any(
            child.type in ("type", "typeof") for child in each.children
        ):
            name = _say(each.child_by_field_name("name")).strip("\"'")
            alias = each.child_by_field_name("alias")
            yield name, _say(alias).strip("\"'") if alias else name


def _imported(text: bytes, source: Node, names: set[str] | None) -> Import:
    start, end = source.start_byte + 1, source.end_byte - 1
    return Import(
        specifier=text[start:end].decode("utf-8", "replace"),
        names=None if names is None else frozenset(names),
        place=place_of(text, source.start_byte),
        start=start,
        end=end,
        escaped=b"\\" in text[start:end],
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
            syntax.imports.append(_imported(syntax.text, source, {name for name, _ in pairs}))
    elif source is not None:
        syntax.exports_all = True
        syntax.imports.append(_imported(syntax.text, source, None))


def _declared(node: Node, statement: Node) -> Iterator[Declaration]:
    """The values that one statement declares."""
    place = {"start": statement.start_byte, "end": statement.end_byte}
    if node.type in ("lexical_declaration", "variable_declaration"):
        for each in node.named_children:
            target = each.child_by_field_name("name")
            if each.type != "variable_declarator" or target is None:
                continue
            if target.type == "identifier":
                value = each.child_by_field_name("value")
                like: Likeness = "no" if value is None else _likeness(value)
                yield Declaration(name=_say(target), likeness=like, **place)
            else:
                for name in _pattern(target):
                    yield Declaration(name=name, likeness="no", **place)
        return
    name_node = node.child_by_field_name("name")
    if name_node is None or node.type in ("interface_declaration", "type_alias_declaration"):
        return
    kind: Likeness = "component" if node.type in _FUNCTIONS else "no"
    yield Declaration(name=_say(name_node), likeness=kind, **place)


def _pattern(node: Node) -> Iterator[str]:
    """Names that a destructuring pattern binds."""
    kinds = ("identifier", "shorthand_property_identifier_pattern")
    for child in node.named_children:
        if child.type in kinds:
            yield _say(child)
        elif child.type == "pair_pattern":
            value = child.child_by_field_name("value")
            if value is not None:
                yield from [_say(value)] if value.type == "identifier" else _pattern(value)
        elif child.type != "property_identifier":
            yield from _pattern(child)


def _bare(node: Node) -> Node:
    """The expression inside of parentheses and type assertions."""
    while node.type in _TRANSPARENT and node.named_children:
        node = node.named_children[0]
    return node


def _likeness(value: Node) -> Likeness:
    value = _bare(value)
    if value.type in _FUNCTIONS:
        return "component"
    if value.type == "call_expression":
        called = _say(value.child_by_field_name("function")).rpartition(".")[2]
        return "component" if called in _WRAPPERS else "perhaps"
    return "perhaps" if value.type in ("identifier", "member_expression") else "no"


def _expression(syntax: Syntax, node: Node) -> None:
    inner = node.named_children[0] if node.named_children else None
    if inner is None or len(syntax.expressions) >= _MOST_EXPRESSIONS:
        return
    value = _bare(inner)
    kind: Literal["jsx", "component", "other"] = "other"
    if value.type in JSX:
        kind = "jsx"
    elif _likeness(value) == "component":
        kind = "component"
    elif value.type == "assignment_expression":
        left = _say(value.child_by_field_name("left"))
        if left == "module.exports" or left.startswith("exports."):
            syntax.common_js = syntax.common_js or place_of(syntax.text, value.start_byte)
    place = place_of(syntax.text, inner.start_byte)
    syntax.expressions.append(
        Expression(kind=kind, start=inner.start_byte, end=inner.end_byte, place=place)
    )


@functools.cache
def _query(patterns: str) -> Query:
    """Compiled when it is needed: that takes 5 or 10 ms, and most builds compile nothing."""
    return Query(_TSX, patterns)


def _everywhere(syntax: Syntax, root: Node) -> None:
    """What may stand at any depth: names, forbidden calls, and words that may be classes."""
    found = QueryCursor(_query(_PATTERNS)).captures(root)
    syntax.names = [(_say(node), node.start_byte) for node in found.get("name", ())]
    syntax.dynamic = _places(syntax.text, _called(found.get("import", ())))
    syntax.meta = _places(syntax.text, found.get("meta", ()))
    syntax.requires = _places(syntax.text, found.get("require", ()))
    syntax.jsx = [node.start_byte for node in found.get("jsx", ())]
    _drop_unused(syntax)
    styles = [_style_text(node) for node in found.get("style", ())]
    syntax.styles = frozenset(text for text in styles if text is not None)
    made = _makes_style(syntax, root)
    syntax.computes_styles = made or None in styles or bool(found.get("style_alone"))
    names = {name for name, _ in syntax.names}
    if "require" in names and "require" not in syntax.top_level:
        asked = (node for node in found["name"] if node.text == b"require")
        syntax.requires += _places(syntax.text, _called(asked))
    strings = {_say(node)[1:-1] for node in found.get("string", ())}
    others = map(_say, (*found.get("fragment", ()), *found.get("property", ())))
    syntax.words = _words(strings.union(names, others))


def _called(nodes: Iterable[Node]) -> Iterator[Node]:
    """Those of the nodes that stand directly in a call."""
    with_parents = ((node, node.parent) for node in nodes)
    return (node for node, parent in with_parents if parent and parent.type == "call_expression")


def _makes_style(syntax: Syntax, root: Node) -> bool:
    """Whether a `<style>` is made without JSX."""
    return b"createElement" in syntax.text and bool(
        QueryCursor(_query(_STYLE_MADE)).captures(root).get("style_made")
    )


def _places(text: bytes, nodes: Iterable[Node]) -> list[Place]:
    """Where the first of the nodes are; a query gives them in no certain order."""
    first = heapq.nsmallest(_MOST_PLACES, (node.start_byte for node in nodes))
    return [place_of(text, offset) for offset in first]


def _style_text(node: Node) -> str | None:
    """The text of a <style> element, or None where it is not written down as a whole."""
    inside = [
        each
        for each in node.named_children
        if each.type not in ("jsx_opening_element", "jsx_closing_element")
        and not (each.type == "jsx_text" and not _say(each).strip())
    ]
    opening = node.named_children[0]
    if len(inside) != 1 or b"__html" in (opening.text or b"") or inside[0].type != "jsx_expression":
        return None
    value = inside[0].named_children[0] if inside[0].named_children else None
    if value is None or value.type not in ("string", "template_string"):
        return None
    text = _say(value)[1:-1]
    if "\\" in text or any(each.type == "template_substitution" for each in value.children):
        return None
    return text.replace("\r\n", "\n")


def _drop_unused(syntax: Syntax) -> None:
    """Leaves out what is imported and never used as a value: a type, which esbuild drops too."""
    outside = [each.statement for each in syntax.imports]
    used = {
        name
        for name, offset in syntax.names
        if not any(start <= offset < end for start, end in outside)
    }
    kept: list[Import] = []
    for each in syntax.imports:
        there = {name for here, name in each.local.items() if here in used}
        if not each.local:
            kept.append(each)
        elif there:
            kept.append(each if each.names is None else replace(each, names=frozenset(there)))
    syntax.imports = kept


# What Tailwind's class names can begin with; the rest is prose.
_FIRST = frozenset(string.ascii_lowercase + "@!*[-")


def _words(texts: Iterable[str]) -> frozenset[str]:
    words = {word for text in texts for word in text.split()}
    kept = {word for word in words if word[0] in _FIRST and len(word) <= _LONGEST_WORD}
    return frozenset(kept | {html.unescape(word) for word in kept if "&" in word})
