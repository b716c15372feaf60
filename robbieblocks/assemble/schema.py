"""A props schema as a tree: its subschemas, and the local references between them.

Schemas are untrusted. Values of a wrong type are ignored here; the check against the metaschema
(`props.compile_schema`) reports them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from robbieblocks.assemble.value_problem import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json

Schema: TypeAlias = dict[str, Json]

MAX_SCHEMA_BYTES = 256 * 1024
MAX_NESTING = 64

# Keywords whose subschemas apply to the same value as the schema that holds them.
IN_PLACE_ONE = ("not", "if", "then", "else")
IN_PLACE_LIST = ("allOf", "anyOf", "oneOf")
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
_CHILD_MAP = ("properties", "patternProperties")
# Keywords that hold named subschemas.
CONTAINERS = ("$defs", "definitions", "dependentSchemas")


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
    for keyword in (*IN_PLACE_ONE, *_CHILD_ONE):
        if (one := subschema(schema, keyword)) is not None:
            yield json_pointer(keyword), one
    for keyword in (*IN_PLACE_LIST, "prefixItems"):
        for index, part in listed(schema, keyword):
            yield json_pointer(keyword, index), part
    for keyword in (*_CHILD_MAP, *CONTAINERS):
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

    def _check(self, at: str, schema: Schema) -> None:
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = schema.get(keyword)
            if isinstance(reference, str) and not reference.startswith("#"):
                self.problems.append(
                    ValueProblem(
                        at + json_pointer(keyword),
                        f"the reference {printable(reference)} leaves the schema; none is fetched",
                        'copy what it names into "$defs" and refer to it as #/$defs/<name>',
                    )
                )
        if at and isinstance(schema.get("$id"), str):
            self.problems.append(
                ValueProblem(at + "/$id", "an inner $id changes what references mean", "drop it")
            )

    def target(self, schema: Schema) -> Schema | None:
        """The schema that `$ref` names, or None where there is no `$ref` or no such schema."""
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        if reference != "#" and not reference.startswith("#/"):
            return self._anchors.get(reference[1:])
        found: Json = self._root
        for part in reference.split("/")[1:]:
            found = _member(found, part.replace("~1", "/").replace("~0", "~"))
        return found if isinstance(found, dict) else None

    def in_place(self, schema: Schema) -> Iterator[Schema]:
        """Subschemas that apply to the same value: of `$ref`, `allOf`, `anyOf`, `if` and so on."""
        target = self.target(schema)
        if target is not None:
            yield target
        for keyword in IN_PLACE_ONE:
            part = subschema(schema, keyword)
            if part is not None:
                yield part
        for keyword in IN_PLACE_LIST:
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
