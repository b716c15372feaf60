"""Finds the words that a text uses as names of classes: in `className`, `clsx()`, and constants.

A string elsewhere may hold the same words and mean something else: `display: "inline-block"`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import class_like, query, text_of
from robbieblocks.bundle.analysis.spans import Spans

_PLACES: Final = """
    (jsx_attribute (property_identifier) @name (_) @value
      (#match? @name "[cC]lass(Name|Names|es)?$"))
    (pair key: (property_identifier) @name value: (_) @value (#match? @name "^class(Name)?$"))
    (call_expression function: (identifier) @name arguments: (arguments) @value
      (#match? @name "^(clsx|cn|cx|cva|tv|twMerge|twJoin|classNames|classnames)$"))
"""
_CONSTANTS: Final = """
    (variable_declarator name: (identifier) @constant
      value: [(string) (template_string) (object) (array) (ternary_expression) (as_expression)
              (satisfies_expression)])
"""
_STRINGS: Final = """
    (string) @string
    (template_string (string_fragment) @fragment)
    (identifier) @identifier
"""
_COMPARISONS: Final = frozenset({"==", "===", "!=", "!=="})
# A string of several such words, most of them with a dash or a colon, is a list of classes.
_CLASS: Final = re.compile(r"(?:[a-z!-]|\d\w{0,9}:)[\w:/.!%#()\[\]-]*", re.ASCII)


def class_words(root: Node) -> frozenset[str]:
    """The words of a text's tree that are names of classes, whole ones only."""
    places = QueryCursor(query(_PLACES)).captures(root).get("value", ())
    found = QueryCursor(query(_STRINGS)).captures(root)
    strings = [*found.get("string", ()), *found.get("fragment", ())]
    inside = Spans(map(_span, places))
    names = {text_of(node) for node in found.get("identifier", ()) if node.start_byte in inside}
    inside = Spans(map(_span, (*places, *_constants(root, names))))
    words: set[str] = set()
    for node in strings:
        own = list(_whole_words(node))
        if (node.start_byte in inside and not _is_compared(node)) or _is_list(own):
            words.update(own)
    return class_like(words)


def _constants(root: Node, names: set[str]) -> Iterator[Node]:
    """The values of constants of these names."""
    if names:
        for node in QueryCursor(query(_CONSTANTS)).captures(root).get("constant", ()):
            value = node.parent.child_by_field_name("value") if node.parent else None
            if value is not None and text_of(node) in names:
                yield value


def _span(node: Node) -> tuple[int, int]:
    return node.start_byte, node.end_byte


def _whole_words(node: Node) -> Iterable[str]:
    """The words of a string; of a template without those that go on in `${...}`."""
    if node.type == "string":
        return text_of(node)[1:-1].split()
    text = text_of(node)
    words = text.split()
    before, after = node.prev_named_sibling, node.next_named_sibling
    if words and before is not None and not text[0].isspace():
        words = words[1:]
    if words and after is not None and not text[-1].isspace():
        words = words[:-1]
    return words


def _is_compared(node: Node) -> bool:
    parent = node.parent
    operator = parent.child_by_field_name("operator") if parent else None
    return operator is not None and text_of(operator) in _COMPARISONS


def _is_list(words: list[str]) -> bool:
    marked = sum("-" in word[1:] or ":" in word for word in words)
    return len(words) > 1 and 2 * marked > len(words) and all(map(_CLASS.fullmatch, words))
