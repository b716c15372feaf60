"""A props schema: which form it is stored in, its subschemas, and the references between them.

A stored `props_schema` is JSON Schema 2020-12 for the props object, or a bare map of property to
subschema. The two are told apart by the types of values: `{"title": {"type": "string"}}` is a bare
map although `title` is a keyword, since the keyword's value would be a text.

Schemas are untrusted. Values of a wrong type are ignored here; the check against the metaschema
(`props.compile_schema`) reports them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import unquote

from robbieblocks.assemble.values import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json

Schema: TypeAlias = dict[str, Json]

MAX_SCHEMA_BYTES = 256 * 1024
MAX_NESTING = 64

# Keywords whose subschemas apply to the same value as the schema that holds them.
_IN_PLACE_ONE = ("not", "if", "then", "else")
_IN_PLACE_LIST = ("allOf", "anyOf", "oneOf")
# Keywords whose subschemas apply to members of the value.
_CHILD_ONE = (
    "additionalProperties",
    "unevaluatedProperties",
    "propertyNames",
    "items",
    "contains",
    "unevaluatedItems",
    "contentSchema",
)
# Keywords that hold named subschemas.
_CONTAINERS = ("$defs", "definitions", "dependentSchemas")

_MAPS = ("properties", "patternProperties", *_CONTAINERS)
# The types of value that prove a key to be the keyword. `items`, `contains`, `default`, `const` and
# others never prove it: as a property of a bare map each has the same form, and props are always
# an object.
_TYPES: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("$schema", "$id", "$ref", "$anchor", "$comment", "$dynamicRef"), (str,)),
    **dict.fromkeys(("$dynamicAnchor", "title", "description", "format", "pattern"), (str,)),
    "contentMediaType": (str,),
    **dict.fromkeys(("enum", "required", "examples", *_IN_PLACE_LIST, "prefixItems"), (list,)),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (int, float)),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), (int, float)),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), (int, float)),
    "multipleOf": (int, float),
    **dict.fromkeys(_MAPS, (dict,)),
    **dict.fromkeys(("additionalProperties", "unevaluatedProperties"), (dict, bool)),
    **dict.fromkeys(("propertyNames", *_IN_PLACE_ONE), (dict, bool)),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), (bool,)),
    **dict.fromkeys(("items", "contains", "unevaluatedItems", "default", "const"), ()),
    **dict.fromkeys(("$vocabulary", "dependentRequired", "contentEncoding", "contentSchema"), ()),
    "type": (str, list),
}
KEYWORDS = _TYPES.keys()


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
    proven = [key for key, value in stored.items() if _proves(key, value)]
    if proven:
        return _as_json_schema(stored, proven[0])
    for key, value in stored.items():
        if not isinstance(value, dict | bool):
            return ValueProblem(
                json_pointer(key),
                f"expected the schema of property `{printable(key)}`",
                'write an object, such as {"type": "string"}',
            )
    return ({"type": "object", "properties": stored}, True) if stored else ({}, False)


def _proves(key: str, value: Json) -> bool:
    """Whether a key of a stored schema must be the keyword of that name."""
    if isinstance(value, dict) and key in _MAPS:
        return all(isinstance(part, dict | bool) for part in value.values())
    return isinstance(value, _TYPES.get(key, ()))


def _as_json_schema(stored: Schema, keyword: str) -> tuple[Schema, bool] | ValueProblem:
    """A JSON Schema as it is, unless properties stand among its keywords by mistake."""
    for key, value in stored.items():
        if key not in _TYPES and isinstance(value, dict) and not _TYPES.keys().isdisjoint(value):
            return ValueProblem(
                json_pointer(key),
                f"`{printable(key)}` is no JSON Schema keyword, and `{keyword}` beside it is one",
                'put the properties under "properties"',
            )
    kind = stored.get("type", "object")
    if kind != "object" and not (isinstance(kind, list) and "object" in kind):
        return ValueProblem("/type", "props are always an object", 'write "type": "object"')
    return stored, False


def subschema(schema: Schema, keyword: str) -> Schema | None:
    """The subschema that a keyword holds, or None where it holds no object."""
    value = schema.get(keyword)
    return value if isinstance(value, dict) else None


def listed(schema: Schema, keyword: str) -> Iterator[tuple[int, Schema]]:
    """The subschemas of a keyword that holds a list, each with its index."""
    value = schema.get(keyword)
    for index, part in enumerate(value if isinstance(value, list) else ()):
        if isinstance(part, dict):
            yield index, part


def named(schema: Schema, keyword: str) -> Iterator[tuple[str, Schema]]:
    """The subschemas of a keyword that maps names to subschemas, each with its name."""
    value = schema.get(keyword)
    for name, part in value.items() if isinstance(value, dict) else ():
        if isinstance(part, dict):
            yield name, part


def parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """A schema's direct subschemas, each with its JSON pointer."""
    for keyword in (*_IN_PLACE_ONE, *_CHILD_ONE):
        if (one := subschema(schema, keyword)) is not None:
            yield json_pointer(keyword), one
    for keyword in (*_IN_PLACE_LIST, "prefixItems"):
        for index, part in listed(schema, keyword):
            yield json_pointer(keyword, index), part
    for keyword in _MAPS:
        for name, part in named(schema, keyword):
            yield json_pointer(keyword, name), part


def below(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Subschemas of a value's members, by member: `.name`, `*` for any name, `[]` for any item."""
    for name, part in named(schema, "properties"):
        yield "." + name, part
    for _, part in named(schema, "patternProperties"):
        yield "*", part
    for keyword in ("additionalProperties", "unevaluatedProperties", "propertyNames"):
        if (one := subschema(schema, keyword)) is not None:
            yield "*", one
    for keyword in ("items", "contains", "unevaluatedItems"):
        if (one := subschema(schema, keyword)) is not None:
            yield "[]", one
    for _, part in listed(schema, "prefixItems"):
        yield "[]", part


class References:
    """The local references of a schema: `#`, `#/$defs/link` and `#anchor`.

    `problems` lists the references that leave the schema, inner `$id`s, and too deep nesting.
    """

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._anchors: dict[str, Schema] = {}
        self.problems: list[ValueProblem] = []
        waiting: list[tuple[str, Schema, int]] = [("", root, 0)]
        checked: list[tuple[str, Schema]] = []
        while waiting:
            at, schema, depth = waiting.pop()
            if depth > MAX_NESTING:
                what = f"the schema nests deeper than {MAX_NESTING} levels"
                self.problems.append(ValueProblem(at, what, "use $defs"))
                return
            for keyword in ("$anchor", "$dynamicAnchor"):
                anchor = schema.get(keyword)
                if isinstance(anchor, str):
                    self._anchors[anchor] = schema
            waiting += ((at + step, part, depth + 1) for step, part in parts(schema))
            self._check(at, schema)
            checked.append((at, schema))
        for at, schema in checked:
            self._check_target(at, schema)

    def _check_target(self, at: str, schema: Schema) -> None:
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith("#") and not self._leads(schema):
            what = f"the reference {printable(reference)} leads to nothing in the schema"
            remedy = 'put what it names into "$defs", and write #/$defs/<name>'
            self.problems.append(ValueProblem(at + "/$ref", what, remedy))

    def _leads(self, schema: Schema) -> bool:
        return self.target(schema) is not None or self._value(str(schema["$ref"])) is not None

    def _check(self, at: str, schema: Schema) -> None:
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = schema.get(keyword)
            if isinstance(reference, str) and not reference.startswith("#"):
                what = f"the reference {printable(reference)} leaves the schema; none is fetched"
                remedy = 'copy what it names into "$defs" and refer to it as #/$defs/<name>'
                self.problems.append(ValueProblem(at + json_pointer(keyword), what, remedy))
        if at and isinstance(schema.get("$id"), str):
            what = "an inner $id changes what references mean"
            self.problems.append(ValueProblem(at + "/$id", what, "drop it"))

    def target(self, schema: Schema) -> Schema | None:
        """The schema that `$ref` names, or None where there is no `$ref` or no such schema."""
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        found = self._value(reference)
        return found if isinstance(found, dict) else None

    def _value(self, reference: str) -> Json:
        """What a local reference leads to: a schema, or `true` or `false` in its place."""
        if reference != "#" and not reference.startswith("#/"):
            return self._anchors.get(reference[1:])
        found: Json = self._root
        for part in reference.split("/")[1:]:
            # In an address, too, where a name has letters that it can't have.
            found = _member(found, unquote(part).replace("~1", "/").replace("~0", "~"))
        return found

    def in_place(self, schema: Schema) -> Iterator[Schema]:
        """Subschemas that apply to the same value: of `$ref`, `allOf`, `anyOf`, `if` and so on."""
        target = self.target(schema)
        if target is not None:
            yield target
        for keyword in _IN_PLACE_ONE:
            part = subschema(schema, keyword)
            if part is not None:
                yield part
        for keyword in _IN_PLACE_LIST:
            yield from (part for _, part in listed(schema, keyword))
        yield from (part for _, part in named(schema, "dependentSchemas"))


def _member(value: Json, part: str) -> Json:
    """The member of an object or list that one step of a JSON pointer names."""
    member: Json = None
    if isinstance(value, dict):
        member = value.get(part)
    elif isinstance(value, list) and part.isascii() and part.isdigit() and int(part) < len(value):
        member = value[int(part)]
    return member
