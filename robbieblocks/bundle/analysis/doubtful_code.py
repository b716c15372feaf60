"""Finds code that compiles and does not do what it seems to do."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import DoubtfulCode, Syntax

_PATTERNS: Final = """
    (jsx_attribute . (property_identifier) @handler (#match? @handler "^on[a-z]+$")
      (jsx_expression))
    (jsx_opening_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (jsx_self_closing_element name: (identifier) @tag (#match? @tag "^[a-z]"))
    (arrow_function body: (statement_block . (expression_statement
      [(jsx_element) (jsx_self_closing_element)] @lost) .))
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
# An editor needs no more of them, and finding the line of each takes time.
_MOST: Final = 10
_HANDLERS: Final = {
    name.lower(): name
    for name in """
onBlur onChange onClick onContextMenu onCopy onDoubleClick onDragEnd onDragOver onDragStart onDrop
onError onFocus onInput onInvalid onKeyDown onKeyPress onKeyUp onLoad onMouseDown onMouseEnter
onMouseLeave onMouseMove onMouseOut onMouseOver onMouseUp onPaste onPointerDown onPointerEnter
onPointerLeave onPointerMove onPointerUp onReset onScroll onSelect onSubmit onToggle onTouchEnd
onTouchMove onTouchStart onWheel
""".split()  # noqa: SIM905 - a list of so many names would have a line for each
}


def doubtful_code(root: Node, syntax: Syntax) -> list[DoubtfulCode]:
    """The first doubtful places of a text, whose imports and declarations were read."""
    found = QueryCursor(query(_PATTERNS)).captures(root)
    components = {
        local
        for each in (*syntax.imports, *syntax.unused_imports)
        if each.specifier.startswith("@robbieblocks/")
        for local, name in each.local.items()
        if name == "default"
    }
    doubts = _doubts(found, components, syntax.top_level)
    return heapq.nsmallest(_MOST, doubts)


def _doubts(
    found: dict[str, list[Node]], components: Collection[str], declared: Collection[str]
) -> Iterator[DoubtfulCode]:
    for node in found.get("handler", ()):
        name = text_of(node)
        right = _HANDLERS.get(name, f"on{name[2:].capitalize()}")
        what = f"React knows no {name}: nothing is called"
        yield DoubtfulCode(node.start_byte, what, f"write {right}")
    for node in found.get("tag", ()):
        name = text_of(node)
        if name in components:
            what = f"<{name}> is an HTML element of that name, and not the component"
            remedy = f"import it by a name with a capital letter: {name[:1].upper()}{name[1:]}"
            yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("lost", ()):
        what = "the JSX of this function goes nowhere: there are braces around it, and no return"
        yield DoubtfulCode(
            node.start_byte, what, "write `return` before it, or take the braces away"
        )
    classes = {text_of(node) for node in found.get("class", ())}
    owners = {node.start_byte: text_of(node) for node in found.get("owner", ())}
    for node in found.get("defaults", ()):
        parent = node.parent
        owner = owners.get(parent.start_byte, "") if parent else ""
        if owner in declared and owner not in classes:
            what = "React passes defaultProps of functions over"
            remedy = "give defaults in props_schema, or in the parameter: ({ size = 1 }) => ..."
            yield DoubtfulCode(node.start_byte, what, remedy)
    for node in found.get("key", ()):
        what = "no component gets a prop named key: React keeps it to itself"
        yield DoubtfulCode(node.start_byte, what, "give the prop another name")
