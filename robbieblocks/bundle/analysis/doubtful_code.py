"""Finds code that compiles and does not do what it seems to do."""

from __future__ import annotations

import heapq
import re
from collections.abc import Collection, Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis import doubtful_attributes, doubtful_calls
from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import DoubtfulCode, Syntax

_PATTERNS: Final = """
    (jsx_opening_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (jsx_self_closing_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (statement_block (expression_statement [(jsx_element) (jsx_self_closing_element)
      (parenthesized_expression [(jsx_element) (jsx_self_closing_element)])] @lost))
    (return_statement [(jsx_element) (jsx_self_closing_element)] @cut)
    ((jsx_text) @text (#match? @text "(^|\\n)[ \\t]*/([*]|/[ \\t]*[A-Za-z])"))
    (jsx_element open_tag: (jsx_opening_element name: (identifier) @_element)
      (jsx_expression [(arrow_function) (function_expression)] @shown)
      (#match? @_element "^[a-z]"))
    (function_declaration name: (identifier) @local (#match? @local "^[a-z]"))
    (variable_declarator name: (identifier) @local (#match? @local "^[a-z]")
      value: (arrow_function))
    (assignment_expression left: (member_expression object: (identifier) @owner
      property: (property_identifier) @defaults (#eq? @defaults "defaultProps")))
    (function_declaration name: (identifier) @component (#match? @component "^[A-Z]")
      parameters: (formal_parameters . (required_parameter pattern: (object_pattern
        (shorthand_property_identifier_pattern) @key (#eq? @key "key")))))
    (variable_declarator name: (identifier) @component (#match? @component "^[A-Z]")
      value: (arrow_function parameters: (formal_parameters . (required_parameter
        pattern: (object_pattern
          (shorthand_property_identifier_pattern) @key (#eq? @key "key"))))))
    (class_declaration name: (type_identifier) @class)
"""
_ALL: Final = _PATTERNS + doubtful_attributes.PATTERNS + doubtful_calls.PATTERNS
# An editor needs no more of them, and finding the line of each takes time.
_MOST: Final = 10
# Where what looks like a comment is shown on purpose.
_SHOWN: Final = frozenset({"code", "kbd", "pre", "samp", "script", "style", "textarea"})
_COMMENT: Final = re.compile(r"(?:\A|\n)[ \t]*+(?P<sign>//(?=[ \t]*+[A-Za-z])|/\*)")
# Elements that a function in lower case may be named like, and which are meant then.
_ELEMENTS: Final = frozenset(
    """
a abbr address article aside audio b blockquote body br button canvas caption circle cite code col
data datalist dd del details dfn dialog div dl dt ellipse em embed fieldset figcaption figure filter
footer form g h1 h2 h3 h4 h5 h6 head header hr html i iframe image img input ins kbd label legend li
line link main map mark marker mask menu meta meter nav object ol optgroup option output p path
pattern picture polygon polyline pre progress q rect s samp script search section select slot small
source span stop strong style sub summary sup svg switch symbol table tbody td template text
textarea tfoot th thead time title tr track u ul use var video view wbr
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
)


def doubtful_code(root: Node, syntax: Syntax) -> list[DoubtfulCode]:
    """The first doubtful places of a text, whose imports and declarations were read."""
    found = QueryCursor(query(_ALL)).captures(root)
    components = {
        local
        for each in (*syntax.imports, *syntax.unused_imports)
        if each.specifier.startswith("@robbieblocks/")
        for local, name in each.local.items()
        if name == "default"
    }
    doubts = _doubts(found, components, syntax)
    return heapq.nsmallest(_MOST, doubts)


def _doubts(
    found: dict[str, list[Node]], components: Collection[str], syntax: Syntax
) -> Iterator[DoubtfulCode]:
    declared = syntax.top_level
    yield from doubtful_attributes.in_attributes(found)
    yield from doubtful_calls.in_calls(found, syntax)
    yield from _tags(found, components, declared)
    yield from _lost(found)
    yield from _comments(found)
    yield from _functions(found)
    classes = {text_of(node) for node in found.get("class", ())}
    owners = {node.start_byte: text_of(node) for node in found.get("owner", ())}
    for node in found.get("defaults", ()):
        parent = node.parent
        owner = owners.get(parent.start_byte, "") if parent else ""
        if owner in declared and owner not in classes:
            what = "React passes defaultProps of functions over in JSX"
            remedy = "give defaults in props_schema, or in the parameter: ({ size = 1 }) => ..."
            yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("key", ()):
        what = "no component gets a prop named key: React keeps it to itself"
        yield DoubtfulCode(node.start_byte, what, "give the prop another name")


def _tags(
    found: dict[str, list[Node]], components: Collection[str], declared: Collection[str]
) -> Iterator[DoubtfulCode]:
    """Elements in lower case that are meant to be components."""
    own = {text_of(node) for node in found.get("local", ())} - _ELEMENTS
    for node in found.get("tag", ()):
        name = text_of(node)
        right = f"{name[:1].upper()}{name[1:]}"
        if name in components:
            what = f"<{name}> is an HTML element of that name, and not the component"
            remedy = f"import it by a name with a capital letter: {right}"
            yield DoubtfulCode(node.start_byte, what, remedy)
        elif name in own and name in declared:
            what = f"<{name}> is an HTML element of that name, and not the function"
            yield DoubtfulCode(node.start_byte, what, f"name it with a capital letter: {right}")


def _lost(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """JSX that no function returns."""
    for node in found.get("lost", ()):
        what = "the JSX of this function goes nowhere: there are braces around it, and no return"
        yield DoubtfulCode(
            node.start_byte, what, "write `return` before it, or take the braces away"
        )
    for node in found.get("cut", ()):
        parent = node.parent
        if parent is not None and parent.start_point.row < node.start_point.row:
            what = "nothing is returned: the line ends behind `return`, and with it the statement"
            yield DoubtfulCode(parent.start_byte, what, "write `return (`, and `)` behind the JSX")


def _functions(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """Functions that stand where an element's content does."""
    for node in found.get("shown", ()):
        what = "a function shows nothing where it stands: React does not call it"
        yield DoubtfulCode(node.start_byte, what, "write what it returns, or call it: {it()}")


def _comments(found: dict[str, list[Node]]) -> Iterator[DoubtfulCode]:
    """Comments of JavaScript among the texts of elements."""
    for node in found.get("text", ()):
        text = text_of(node)
        comment = _COMMENT.search(text)
        if comment is None or _is_shown(node):
            continue
        offset = node.start_byte + len(text[: comment.start("sign")].encode())
        what = f"what begins with {comment['sign']} is text here, and shows"
        remedy = 'write {/* ... */}; or {"//"}, where it is meant to show'
        yield DoubtfulCode(offset, what, remedy)


def _is_shown(text: Node) -> bool:
    """Whether an element around a text shows code."""
    around = text.parent
    while around is not None and around.type in ("jsx_element", "jsx_expression"):
        opening = around.child_by_field_name("open_tag")
        if opening is not None and text_of(opening.child_by_field_name("name")) in _SHOWN:
            return True
        around = around.parent
    return False
