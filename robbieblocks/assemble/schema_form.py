"""Which of two forms a stored `props_schema` has, and the JSON Schema that it stands for.

It is JSON Schema 2020-12 for the props object, or a bare map of property to subschema. The two are
told apart by the types of values: `{"title": {"type": "string"}}` is a bare map although `title` is
a keyword, since the keyword's value would be a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from robbieblocks.assemble.schema import CONTAINERS, IN_PLACE_LIST, IN_PLACE_ONE, Schema
from robbieblocks.assemble.value_problem import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json


def _is_text(value: Json) -> bool:
    return isinstance(value, str)


def _is_list(value: Json) -> bool:
    return isinstance(value, list)


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float)


def _is_subschema(value: Json) -> bool:
    return isinstance(value, dict | bool)


def _is_map(value: Json) -> bool:
    return isinstance(value, dict) and all(map(_is_subschema, value.values()))


def _is_type(value: Json) -> bool:
    return isinstance(value, str | list)


def _is_flag(value: Json) -> bool:
    return isinstance(value, bool)


def _never(_: Json) -> bool:
    return False


# Whether a value proves its key to be the keyword. `items`, `contains`, `default` and `const` never
# prove it: as a property of a bare map each has the same form, and props are always an object.
_PROOF: Mapping[str, Callable[[Json], bool]] = {
    **dict.fromkeys(
        ("$schema", "$id", "$ref", "$anchor", "$comment", "$dynamicRef", "$dynamicAnchor"), _is_text
    ),
    **dict.fromkeys(("title", "description", "format", "pattern", "contentMediaType"), _is_text),
    **dict.fromkeys(("enum", "required", "examples", *IN_PLACE_LIST, "prefixItems"), _is_list),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "multipleOf"), _is_number),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _is_number),
    **dict.fromkeys(("properties", "patternProperties", *CONTAINERS), _is_map),
    **dict.fromkeys(
        ("additionalProperties", "unevaluatedProperties", "propertyNames"), _is_subschema
    ),
    **dict.fromkeys(IN_PLACE_ONE, _is_subschema),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), _is_flag),
    **dict.fromkeys(("items", "contains", "unevaluatedItems", "default", "const"), _never),
    **dict.fromkeys(
        ("$vocabulary", "dependentRequired", "contentEncoding", "contentSchema"), _never
    ),
    "type": _is_type,
}


def normal_form(stored: Json) -> tuple[Schema, bool] | ValueProblem:
    """A stored `props_schema` as a JSON Schema, and whether it was a bare map."""
    if stored is True or stored is None:
        return {}, False
    if not isinstance(stored, dict):
        return ValueProblem(
            "",
            "the schema is neither a JSON Schema nor a map of properties",
            'write an object, such as {"greeting": {"type": "string"}}',
        )
    proven = [key for key, value in stored.items() if _PROOF.get(key, _never)(value)]
    if proven:
        return _as_json_schema(stored, proven[0])
    for key, value in stored.items():
        if not _is_subschema(value):
            return ValueProblem(
                json_pointer(key),
                f"expected the schema of property `{printable(key)}`",
                'write an object, such as {"type": "string"}',
            )
    return ({"type": "object", "properties": stored}, True) if stored else ({}, False)


def _as_json_schema(stored: Schema, keyword: str) -> tuple[Schema, bool] | ValueProblem:
    """A JSON Schema as it is, unless properties stand among its keywords by mistake."""
    for key, value in stored.items():
        if key not in _PROOF and isinstance(value, dict) and not _PROOF.keys().isdisjoint(value):
            return ValueProblem(
                json_pointer(key),
                f"`{printable(key)}` is no JSON Schema keyword, and `{keyword}` beside it is one",
                'put the properties under "properties"',
            )
    kind = stored.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return ValueProblem("/type", "props are always an object", 'write "type": "object"')
    return stored, False
