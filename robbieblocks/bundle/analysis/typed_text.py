"""A component's text as a type checker reads it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from tree_sitter import Node, QueryCursor

from robbieblocks.bundle.analysis.completion import Analysis, ColumnShift, analyse
from robbieblocks.bundle.analysis.component_choice import FRAGMENT
from robbieblocks.bundle.analysis.queries import query, text_of
from robbieblocks.bundle.analysis.syntax import SourcePosition, Syntax
from robbieblocks.bundle.analysis.trees import tree
from robbieblocks.model import ComponentRow

# What JavaScript does not have.
_TYPES: Final = """
    [(type_annotation) (type_arguments) (type_parameters) (interface_declaration)
     (type_alias_declaration) (enum_declaration) (as_expression) (satisfies_expression)
     (non_null_expression) (accessibility_modifier) (ambient_declaration)
     (import_statement "type") (export_statement "type") (import_specifier "type")] @type
"""
# What may stand around a component, or name it, on the way to its function: of a call, its first
# argument.
_AROUND: Final = frozenset(
    {
        "call_expression",
        "parenthesized_expression",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedText:
    """A component's text, completed to a module.

    `has_types` says whether it is TypeScript. `shift` is that of `Analysis`. `own_default` says
    whether the stored text itself exports its component by default, `is_expression` whether it is
    an expression that reads `props`. `props` is where the component's function has its props, in
    the stored text; None where it has none, or can't be told. `value_imports` are the specifiers
    of which a build decides whether they may be imported.
    """

    source: str
    has_types: bool
    shift: ColumnShift | None
    own_default: bool
    is_expression: bool
    props: SourcePosition | None
    value_imports: frozenset[str]


def typed_text(
    row: ComponentRow, react_names: Collection[str], props_type: str
) -> TypedText | None:
    """The text of a component; None where a build has errors to report about it.

    `props_type` is the type that an expression's `props` have.
    """
    analysis = analyse(row, react_names)
    if analysis.broken or analysis.problems:
        return None
    appended = "" if analysis.shift else analysis.source[len(row.code) :]
    has_types = bool(QueryCursor(query(_TYPES)).captures(_tree(analysis)))
    analysis, is_expression = _with_props(analysis, props_type)
    return TypedText(
        source=analysis.source,
        has_types=has_types,
        shift=analysis.shift,
        own_default="default" in analysis.exports
        and analysis.shift is None
        and " as default}" not in appended,
        is_expression=is_expression,
        props=None if is_expression else _props(_component(_tree(analysis)), analysis),
        value_imports=frozenset(each.specifier for each in analysis.imports),
    )


def _tree(analysis: Analysis) -> Node:
    return tree(analysis.source.encode())


def _with_props(analysis: Analysis, props_type: str) -> tuple[Analysis, bool]:
    """The analysis with a type for an expression's props, and whether the text is one."""
    shift = analysis.shift
    if shift is None or shift.by != len("".join(FRAGMENT)):
        return analysis, False
    lines = analysis.source.split("\n")
    line, at = lines[shift.line - 1], shift.column - 1 + len(FRAGMENT[0])
    annotation = f":{props_type}"
    lines[shift.line - 1] = line[:at] + annotation + line[at:]
    moved = replace(shift, by=shift.by + len(annotation))
    return replace(analysis, source="\n".join(lines), shift=moved), True


def _component(root: Node) -> Node | None:
    """The function or class that a module exports by default."""
    declared: dict[str, Node] = {}
    found: Node | None = None
    for statement in root.named_children:
        inner = statement.child_by_field_name("declaration") or statement
        for each in (inner, *inner.named_children):
            if (named := each.child_by_field_name("name")) is not None:
                declared.setdefault(text_of(named), each.child_by_field_name("value") or each)
        if statement.type == "export_statement":
            found = _default(statement) or found
    seen: set[str] = set()
    while found is not None and (found.type in _AROUND or found.type == "identifier"):
        if found.type == "identifier":
            name = text_of(found)
            found = None if name in seen else declared.get(name)
            seen.add(name)
        elif found.type == "call_expression":
            arguments = found.child_by_field_name("arguments")
            found = next(iter(arguments.named_children), None) if arguments else None
        else:
            found = next(iter(found.named_children), None)
    return found


def _default(statement: Node) -> Node | None:
    """What an export statement exports by default: an expression, a declaration, or a name."""
    if any(child.type == "default" for child in statement.children):
        return statement.child_by_field_name("value") or statement.child_by_field_name(
            "declaration"
        )
    for clause in statement.named_children:
        for each in clause.named_children if clause.type == "export_clause" else ():
            if text_of(each.child_by_field_name("alias")) == "default":
                return each.child_by_field_name("name")
    return None


def _props(function: Node | None, analysis: Analysis) -> SourcePosition | None:
    """Where the first parameter of a function stands in the stored text."""
    if function is None:
        return None
    parameters = function.child_by_field_name("parameters")
    place = function.child_by_field_name("parameter") or (
        next(iter(parameters.named_children), None) if parameters else None
    )
    if place is None:
        return None
    found = Syntax(text=analysis.source.encode(), broken=False).position(place.start_byte)
    if (shift := analysis.shift) is not None:
        return replace(found, column=shift.stored_column(found.line, found.column))
    return found
