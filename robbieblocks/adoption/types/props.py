"""Derives the schema of a component's props from its TypeScript type, where that is plain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tree_sitter import Node

from robbieblocks.adoption.kinds import function_of
from robbieblocks.adoption.sources.modules import SourceModules
from robbieblocks.adoption.sources.syntax import SyntaxTree, parts_of, text_of
from robbieblocks.adoption.types.literals import NotPlain, TooManyTypes, literal
from robbieblocks.adoption.types.plain_types import (
    DEEPEST,
    TypeReader,
    last_name,
    type_arguments,
)
from robbieblocks.adoption.types.schemas import ObjectType
from robbieblocks.model import Json, JsonObject

_COMPONENT_TYPES: Final = ("FC", "FunctionComponent", "VFC", "SFC", "ComponentType")


@dataclass(frozen=True, slots=True)
class Props:
    """A schema, None where there is none; `note` says why, or what was left out."""

    schema: JsonObject | None = None
    note: str = ""


def props_of(modules: SourceModules, path: str, component: str) -> Props:
    """The props of the component that a file exports under that name."""
    tree = modules.trees[path]
    declared = _declared(tree, component)
    function = function_of(declared)
    if function is None or declared is None:
        return Props()
    parameter = _first_parameter(function)
    type_ = _type_of(declared, parameter)
    if type_ is None:
        return Props(note="its props have no type" if parameter is not None else "")
    reader = TypeReader(modules)
    try:
        found = reader.object_of(type_, path, DEEPEST)
        schema = _with_defaults(found, parameter)
    except NotPlain as error:
        return Props(note=f"no props schema: {error}")
    except TooManyTypes:
        return Props(note="no props schema: its types are too many")
    note = f"props left out: {', '.join(found.left_out)}" if found.left_out else ""
    return Props(schema, note)


def sample(schema: Json) -> Json:
    """A value that a schema of `props_of` allows; of an object what must be there."""
    return _sample(schema, "text")


def _sample(schema: Json, name: str) -> Json:
    if not isinstance(schema, dict):
        return None
    if "default" in schema:
        default: Json = schema["default"]
        return default
    options = schema.get("enum") or schema.get("anyOf")
    if isinstance(options, list) and options:
        return options[0] if "enum" in schema else _sample(options[0], name)
    match schema.get("type"):
        case "object":
            properties, required = schema.get("properties", {}), schema.get("required", [])
            if not isinstance(properties, dict) or not isinstance(required, list):
                return {}
            return {key: _sample(properties[key], key) for key in map(str, required)}
        case "array":
            return [_sample(schema.get("items", {}), name)]
        case "number":
            return 1
        case "boolean":
            return True
        case "null":
            return None
        case _:
            return name


def _declared(tree: SyntaxTree, component: str) -> Node | None:
    local = tree.exports.get(component) or tree.exports.get("default") or component
    if local in tree.declared:
        found = tree.declared[local]
        inner = found.child_by_field_name("value")
        if inner is not None and inner.type == "call_expression":
            first = next(iter(parts_of(inner.child_by_field_name("arguments"))), None)
            if first is not None and first.type == "identifier":
                return tree.declared.get(text_of(first), found)  # memo(Card)
        return found
    default = tree.default
    if default is not None and default.type == "call_expression":
        first = next(iter(parts_of(default.child_by_field_name("arguments"))), None)
        if first is not None and first.type == "identifier":
            return tree.declared.get(text_of(first))
    return default


def _first_parameter(function: Node) -> Node | None:
    parameters = function.child_by_field_name("parameters")
    if parameters is None:
        return function.child_by_field_name("parameter")
    return next(iter(parts_of(parameters)), None)


def _type_of(declared: Node, parameter: Node | None) -> Node | None:
    """The type of the props: the parameter's, `React.FC<P>`'s, or `forwardRef<E, P>`'s."""
    annotation = parameter.child_by_field_name("type") if parameter is not None else None
    if inner := parts_of(annotation):
        return inner[0]
    inner = parts_of(declared.child_by_field_name("type"))
    if inner and last_name(inner[0]) in _COMPONENT_TYPES:
        return next(iter(type_arguments(inner[0])), None)
    call: Node | None = declared.child_by_field_name("value") or declared
    while call is not None and call.type == "call_expression":
        name = text_of(call.child_by_field_name("function")).rpartition(".")[2]
        arguments = type_arguments(call)
        if arguments:
            return arguments[1 if name == "forwardRef" and len(arguments) > 1 else 0]
        call = next(iter(parts_of(call.child_by_field_name("arguments"))), None)
    return None


def _with_defaults(found: ObjectType, parameter: Node | None) -> JsonObject:
    """The schema with the defaults that the component's own parameters have."""
    pattern = parameter.child_by_field_name("pattern") if parameter is not None else None
    pattern = parameter if pattern is None else pattern
    for each in pattern.named_children if pattern is not None else ():
        named = each
        name = ""
        if each.type == "pair_pattern":
            name = text_of(each.child_by_field_name("key")).strip("\"'")
            named = each.child_by_field_name("value") or each
        left, right = named.child_by_field_name("left"), named.child_by_field_name("right")
        if left is None or right is None:
            continue
        name = name or text_of(left)
        found.needed = [needed for needed in found.needed if needed != name]
        schema = found.properties.get(name)
        found.required = [required for required in found.required if required != name]
        if not isinstance(schema, dict):
            continue
        try:
            found.properties[name] = {**schema, "default": literal(right)}
        except NotPlain:
            continue  # The component fills it in itself.
    return found.schema()
