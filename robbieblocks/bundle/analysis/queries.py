"""What may stand at any depth of a text: identifiers, forbidden calls, styles, class names."""

from __future__ import annotations

import functools
import heapq
import html
import re
import string
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import tree_sitter_typescript
from tree_sitter import Language, Node, Query, QueryCursor

from robbieblocks.bundle.analysis.spans import Spans
from robbieblocks.bundle.analysis.syntax import Import, SourcePosition, Syntax

TSX: Final = Language(tree_sitter_typescript.language_tsx())
_PATTERNS: Final = """
    (identifier) @name
    (shorthand_property_identifier) @name
    (property_identifier) @property
    (string) @string
    (template_string) @template
    (call_expression function: (import) @import)
    (meta_property) @meta
    (jsx_element open_tag: (jsx_opening_element name: (identifier) @tag)
      (#eq? @tag "style")) @style
    (jsx_self_closing_element name: (identifier) @tag (#eq? @tag "style")) @empty_style
    [(jsx_element) (jsx_self_closing_element)] @jsx
"""
# Where types stand, which esbuild erases.
_TYPES: Final = """
    [(type_annotation) (type_arguments) (type_parameters) (type_query) (type_alias_declaration)
     (interface_declaration) (ambient_declaration) (implements_clause)
     (type_predicate_annotation) (asserts_annotation)] @type
    (as_expression "as" (_) @type)
    (satisfies_expression "satisfies" (_) @type)
"""
_CREATED_STYLE: Final = """
    (call_expression
      function: [(identifier) @called (member_expression property: (property_identifier) @called)]
      arguments: (arguments . (string) @argument)
      (#eq? @called "createElement") (#match? @argument "^.style.$")) @created_style
"""
_NAME: Final = re.compile(r"[\w$]+")
_MAX_WORD_LENGTH: Final = 256
# An editor needs no more of them, and finding the line of each takes time.
_MAX_POSITIONS: Final = 20
# What Tailwind's class names can begin with, besides a variant such as `2xl:`; all else is prose.
_FIRST_CHARACTERS: Final = frozenset(string.ascii_lowercase + "@!*[-")
_FIRST_DIGITS: Final = re.compile(r"\d\w{0,9}:", re.ASCII)
# How a string of JavaScript writes a character (ECMA-262, EscapeSequence).
_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-f]{1,8})\}|u([0-9a-f]{4})|x([0-9a-f]{2})|(.))", re.IGNORECASE | re.DOTALL
)
_BLANKS: Final = frozenset("nrtvfb0\n\r")


def read_all_depths(syntax: Syntax, root: Node) -> None:
    """Adds to `syntax` what stands at any depth."""
    found = QueryCursor(query(_PATTERNS)).captures(root)
    syntax.identifiers = [(text_of(node), node.start_byte) for node in found.get("name", ())]
    syntax.dynamic_imports = positions(syntax, _values(root, found.get("import", ())))
    syntax.import_metas = positions(syntax, found.get("meta", ()))
    syntax.jsx_offsets = sorted(node.start_byte for node in found.get("jsx", ()))
    _drop_type_imports(syntax)
    styles = [_style_text(node) for node in found.get("style", ())]
    syntax.styles = frozenset(text for text in styles if text is not None)
    created = _creates_style(syntax, root)
    syntax.computes_styles = created or None in styles or bool(found.get("empty_style"))
    names = {name for name, _ in syntax.identifiers}
    strings = {text_of(node)[1:-1] for node in found.get("string", ())}
    others = map(text_of, found.get("property", ()))
    templates = (text for node in found.get("template", ()) for text in _texts(node))
    syntax.words = _words(strings.union(names, others, templates))


def text_of(node: Node | None) -> str:
    """A node's text; empty where there is no node."""
    text = None if node is None else node.text
    return "" if text is None else text.decode("utf-8", "replace")


@functools.cache
def query(patterns: str) -> Query:
    """Compiled at its first use: that takes 5 or 10 ms, and most builds compile no component."""
    return Query(TSX, patterns)


def _creates_style(syntax: Syntax, root: Node) -> bool:
    return b"createElement" in syntax.text and bool(
        QueryCursor(query(_CREATED_STYLE)).captures(root).get("created_style")
    )


def _texts(template: Node) -> Iterator[str]:
    """The texts of a template, between what is put into it; an escape is a part of its text."""
    text = ""
    for node in template.named_children:
        if node.type == "template_substitution":
            yield text
            text = ""
        else:
            text += text_of(node)
    yield text


def _values(root: Node, nodes: Sequence[Node]) -> list[Node]:
    """The nodes that are no part of a type, such as `import("react").ReactNode`."""
    if not nodes:
        return []
    found = QueryCursor(query(_TYPES)).captures(root).get("type", ())
    types = Spans((node.start_byte, node.end_byte) for node in found)
    return [node for node in nodes if node.start_byte not in types]


def positions(syntax: Syntax, nodes: Iterable[Node]) -> list[SourcePosition]:
    """Where the first of the nodes are; a query gives nodes in no certain order."""
    first = heapq.nsmallest(_MAX_POSITIONS, (node.start_byte for node in nodes))
    return [syntax.position(offset) for offset in first]


def _style_text(node: Node) -> str | None:
    """The text of a <style> element, or None where it is not written down as a whole."""
    inside = [
        each
        for each in node.named_children
        if each.type not in ("jsx_opening_element", "jsx_closing_element")
        and not (each.type == "jsx_text" and not text_of(each).strip())
    ]
    opening = node.named_children[0]
    if len(inside) != 1 or b"__html" in (opening.text or b"") or inside[0].type != "jsx_expression":
        return None
    value = inside[0].named_children[0] if inside[0].named_children else None
    if value is None or value.type not in ("string", "template_string"):
        return None
    text = text_of(value)[1:-1]
    if "\\" in text or any(each.type == "template_substitution" for each in value.children):
        return None
    return text.replace("\r\n", "\n")


def _drop_type_imports(syntax: Syntax) -> None:
    """Drops imported names that are never used as a value: types, which esbuild drops too.

    What is not used as a type either is kept apart: it may be misspelt all the same.
    """
    statements = Spans(each.statement for each in syntax.imports)
    used = {name for name, offset in syntax.identifiers if offset not in statements}
    values: list[Import] = []
    unused: list[Import] = []
    for each in syntax.imports:
        names = {name for local, name in each.local.items() if local in used}
        if not each.local:
            values.append(each)
        elif names:
            values.append(each if each.names is None else replace(each, names=frozenset(names)))
        else:
            unused.append(each)
    syntax.imports = values
    syntax.unused_imports = _standing_alone(syntax.text, unused) if unused else []


def _standing_alone(text: bytes, imports: Sequence[Import]) -> list[Import]:
    """The imports of which no name stands anywhere but in the import itself."""
    everywhere = _names(text)
    found: list[Import] = []
    for each in imports:
        start, end = each.statement
        own = _names(text[start:end])
        if all(everywhere[name] == own[name] for name in each.local):
            found.append(each)
    return found


def _names(text: bytes) -> Counter[str]:
    return Counter(_NAME.findall(text.decode("utf-8", "replace")))


def _words(texts: Iterable[str]) -> frozenset[str]:
    return class_like({word for text in texts for word in text.split()})


def class_like(words: Iterable[str]) -> frozenset[str]:
    """The words that may be names of classes, by how they begin and their length."""
    kept = {
        word
        for word in words
        if len(word) <= _MAX_WORD_LENGTH
        and (word[0] in _FIRST_CHARACTERS or _FIRST_DIGITS.match(word))
    }
    kept |= {html.unescape(word) for word in kept if "&" in word}
    return frozenset(kept.union(*(_unescaped(word).split() for word in kept if "\\" in word)))


def _unescaped(word: str) -> str:
    """A word of a string as JavaScript reads it; an escape that is none may be left."""

    def character(found: re.Match[str]) -> str:
        code = found[1] or found[2] or found[3]
        if code is None:
            return " " if found[4] in _BLANKS else found[4]
        return chr(int(code, 16)) if int(code, 16) <= sys.maxunicode else "\ufffd"

    # Two escapes may be halves of one character.
    units = _ESCAPE.sub(character, word).encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "replace")
