"""Props schemas: which form a component's schema has, and whether it can be used.

A schema is JSON Schema 2020-12 for the props object, or a bare map of property to subschema. The
two are told apart by the types of values: `{"title": {"type": "string"}}` is a bare map though
`title` is a keyword, since the keyword's value would be a text.

Schemas are untrusted. References stay within the schema, patterns run in time linear in the text,
and a schema whose references would multiply the work is refused (`ValidationCost`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from robbieblocks.assemble.value_problem import ValueProblem
from robbieblocks.messages import json_pointer, printable
from robbieblocks.model import Json

Schema = dict[str, Any]

MAX_SCHEMA_BYTES = 256 * 1024
MAX_NESTING = 64

_IN_PLACE_ONE = ("not", "if", "then", "else")
_IN_PLACE_LIST = ("allOf", "anyOf", "oneOf")
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
_CONTAINERS = ("$defs", "definitions", "dependentSchemas")


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
    **dict.fromkeys(("enum", "required", "examples", *_IN_PLACE_LIST, "prefixItems"), _is_list),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems", "multipleOf"), _is_number),
    **dict.fromkeys(("minProperties", "maxProperties", "minContains", "maxContains"), _is_number),
    **dict.fromkeys(("properties", "patternProperties", *_CONTAINERS), _is_map),
    **dict.fromkeys(
        ("additionalProperties", "unevaluatedProperties", "propertyNames"), _is_subschema
    ),
    **dict.fromkeys(_IN_PLACE_ONE, _is_subschema),
    **dict.fromkeys(("deprecated", "readOnly", "writeOnly", "uniqueItems"), _is_flag),
    **dict.fromkeys(("items", "contains", "unevaluatedItems", "default", "const"), _never),
    **dict.fromkeys(
        ("$vocabulary", "dependentRequired", "contentEncoding", "contentSchema"), _never
    ),
    "type": _is_type,
}


def normal_form(stored: Json) -> tuple[Schema, bool] | ValueProblem:
    """A stored `props_schema` as a schema of the props object, and whether it was a bare map."""
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
        return _proven(stored, proven[0])
    for key, value in stored.items():
        if not _is_subschema(value):
            return ValueProblem(
                json_pointer(key),
                f"expected the schema of property `{printable(key)}`",
                'write an object, such as {"type": "string"}',
            )
    return ({"type": "object", "properties": stored}, True) if stored else ({}, False)


def _proven(stored: Schema, keyword: str) -> tuple[Schema, bool] | ValueProblem:
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


def parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """A schema's direct subschemas that are objects, each with its pointer."""
    for name in (*_IN_PLACE_ONE, *_CHILD_ONE):
        if isinstance(schema.get(name), dict):
            yield json_pointer(name), schema[name]
    for name in (*_IN_PLACE_LIST, "prefixItems"):
        entries = schema.get(name)
        for index, part in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(part, dict):
                yield json_pointer(name, index), part
    for name in (*_CHILD_MAP, *_CONTAINERS):
        members = schema.get(name)
        for key, part in members.items() if isinstance(members, dict) else ():
            if isinstance(part, dict):
                yield json_pointer(name, key), part


class References:
    """A schema's local references, resolved: `#`, `#/$defs/link` and `#anchor`."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._anchors: dict[str, Schema] = {}
        self.problems: list[ValueProblem] = []
        waiting: list[tuple[str, Schema, int]] = [("", root, 0)]
        while waiting:
            at, schema, depth = waiting.pop()
            if depth > MAX_NESTING:
                self.problems.append(
                    ValueProblem(
                        at, f"the schema nests deeper than {MAX_NESTING} levels", "use $defs"
                    )
                )
                return
            for name in ("$anchor", "$dynamicAnchor"):
                if isinstance(schema.get(name), str):
                    self._anchors[schema[name]] = schema
            waiting += ((at + step, part, depth + 1) for step, part in parts(schema))
            self._check(at, schema)

    def _check(self, at: str, schema: Schema) -> None:
        for name in ("$ref", "$dynamicRef", "$recursiveRef"):
            reference = schema.get(name)
            if isinstance(reference, str) and not reference.startswith("#"):
                self.problems.append(
                    ValueProblem(
                        at + json_pointer(name),
                        f"the reference {printable(reference)} leaves the schema; none is fetched",
                        'copy what it names into "$defs" and refer to it as #/$defs/<name>',
                    )
                )
        if at and isinstance(schema.get("$id"), str):
            self.problems.append(
                ValueProblem(at + "/$id", "an inner $id changes what references mean", "drop it")
            )

    def target(self, schema: Schema) -> Schema | None:
        """What the schema's `$ref` names, or None without one, or where it names nothing."""
        reference = schema.get("$ref", schema.get("$dynamicRef"))
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        if reference != "#" and not reference.startswith("#/"):
            return self._anchors.get(reference[1:])
        found: Json = self._root
        for part in reference.split("/")[1:]:
            found = _step(found, part.replace("~1", "/").replace("~0", "~"))
        return found if isinstance(found, dict) else None

    def in_place(self, schema: Schema) -> Iterator[Schema]:
        """Subschemas that apply to the same value: of `$ref`, `allOf`, `anyOf`, `if`..."""
        target = self.target(schema)
        if target is not None:
            yield target
        for name in _IN_PLACE_ONE:
            if isinstance(schema.get(name), dict):
                yield schema[name]
        for name in _IN_PLACE_LIST:
            entries = schema.get(name)
            yield from (
                p for p in (entries if isinstance(entries, list) else ()) if isinstance(p, dict)
            )
        members = schema.get("dependentSchemas")
        if isinstance(members, dict):
            yield from (part for part in members.values() if isinstance(part, dict))


def _step(found: Json, part: str) -> Json:
    if isinstance(found, dict):
        return found.get(part)
    if isinstance(found, list) and part.isascii() and part.isdigit() and int(part) < len(found):
        return found[int(part)]
    return None


def below(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Subschemas of a value's members, by member name; `*` is any name, `[]` any item."""
    members = schema.get("properties")
    for name, part in members.items() if isinstance(members, dict) else ():
        if isinstance(part, dict):
            yield "." + name, part
    for label, part in _below_unnamed(schema):
        if isinstance(part, dict):
            yield label, part


def _below_unnamed(schema: Schema) -> Iterator[tuple[str, Json]]:
    patterns = schema.get("patternProperties")
    for part in patterns.values() if isinstance(patterns, dict) else ():
        yield "*", part
    for name in ("additionalProperties", "unevaluatedProperties", "propertyNames"):
        yield "*", schema.get(name)
    for name in ("items", "contains", "unevaluatedItems"):
        yield "[]", schema.get(name)
    entries = schema.get("prefixItems")
    for part in entries if isinstance(entries, list) else ():
        yield "[]", part


MAX_IN_PLACE = 2_000
MAX_CHECKS = 4_000


class ValidationCost:
    """How many subschemas may have to be checked for one value at each depth of the props.

    `allOf` of two references, each to an `allOf` of two references, doubles the work at each step.
    `at_depth[d]` bounds the checks of one value at depth d; it ends where MAX_CHECKS is passed.
    """

    def __init__(self, root: Schema, references: References) -> None:
        self._references = references
        self._spent = 0
        self.too_wide = False
        self._edges: dict[int, dict[int, int]] = {}
        self._widths: dict[int, int] = {}
        self._schemas: dict[int, Schema] = {}
        self.at_depth = self._levels(root)

    def _levels(self, root: Schema) -> list[int]:
        levels: list[int] = []
        counts = {self._location(root): 1}
        while counts and len(levels) <= MAX_NESTING:
            checks = 0
            following: dict[int, int] = {}
            for location, count in counts.items():
                for target, times in self._below(location).items():
                    following[target] = following.get(target, 0) + count * times
                checks += count * self._width(location)
            if checks > MAX_CHECKS or self.too_wide:
                return levels
            levels.append(checks)
            counts = following
        return levels + [0] * (MAX_NESTING + 1 - len(levels))

    def _location(self, schema: Schema) -> int:
        """The schema's identity; one that only refers to another is that other."""
        seen: set[int] = set()
        while id(schema) not in seen:
            seen.add(id(schema))
            target = self._references.target(schema)
            if target is None or len(list(self._references.in_place(schema))) > 1:
                break
            if any(True for _ in below(schema)):
                break
            schema = target
        self._schemas[id(schema)] = schema
        return id(schema)

    def _expanded(self, location: int) -> list[Schema]:
        """Every subschema that applies in place, once per way to reach it."""
        found: list[Schema] = []
        waiting: list[tuple[Schema, frozenset[int]]] = [(self._schemas[location], frozenset())]
        while waiting:
            schema, above = waiting.pop()
            self._spent += 1
            if len(found) > MAX_IN_PLACE or self._spent > 50 * MAX_IN_PLACE:
                self.too_wide = True
                return found
            found.append(schema)
            inside = above | {id(schema)}
            following = self._references.in_place(schema)
            waiting += ((part, inside) for part in following if id(part) not in inside)
        return found

    def _width(self, location: int) -> int:
        self._below(location)
        return self._widths[location]

    def _below(self, location: int) -> dict[int, int]:
        """For each location of members: how often one member is checked against it."""
        known = self._edges.get(location)
        if known is not None:
            return known
        by_label: dict[str, dict[int, int]] = {}
        expanded = self._expanded(location)
        for schema in expanded:
            for label, part in below(schema):
                targets = by_label.setdefault(label, {})
                target = self._location(part)
                targets[target] = targets.get(target, 0) + 1
        edges: dict[int, int] = {}
        anywhere = by_label.pop("*", {})
        for targets in by_label.values():
            for target, times in targets.items():
                edges[target] = max(edges.get(target, 0), times)
        for target, times in anywhere.items():
            edges[target] = edges.get(target, 0) + times
        self._edges[location] = edges
        self._widths[location] = len(expanded)
        return edges
