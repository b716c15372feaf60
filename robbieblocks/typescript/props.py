"""A props schema as a TypeScript type: what a component gets, with defaults filled in.

JSON Schema says more than types can, such as the length of a text; that is left out. Where the
schema says nothing of a value, or something that is no type, it may be `any`.
"""

from __future__ import annotations

import json
from typing import Final

from robbieblocks.assemble import (
    FORM,
    MARKDOWN,
    MEDIA,
    References,
    Schema,
    ValueProblem,
    normal_form,
)
from robbieblocks.model import Json

# Beyond these a type is no help, and the checker slow.
_MAX_VALUES: Final = 500
_MAX_TYPES: Final = 5_000
_MAX_DEPTH: Final = 64
ANY: Final = "any"
# What media become: `robbieblocks.model.Media.value`.
_MEDIA_TYPE: Final = (
    "{ src: string; type?: string; width?: number; height?: number; alt?: string; "
    "sources?: { type: string; srcSet: string }[]; placeholder?: string; position?: string; "
    "priority?: boolean }"
)
# What the name of a form becomes: `assemble.forms.form_props`.
_FORM_TYPE: Final = "{ name: string; action: string; id: string; page?: string }"
_NAMES: Final = {
    "string": "string",
    "number": "number",
    "integer": "number",
    "boolean": "boolean",
    "null": "null",
}


def props_module(props_schema: Json) -> str:
    """The text of a `.d.ts` module that exports the type `Props`.

    A schema with a mistake, which the build reports, gives `any`, as one that says nothing does.
    """
    form = normal_form(props_schema)
    if isinstance(form, ValueProblem) or not form[0]:
        return f"export type Props = {ANY};\n"
    return _Types(form[0]).module()


class Filling:
    """Whether a missing value of a schema gets a default, as `assemble` fills them in."""

    def __init__(self, references: References) -> None:
        self._references = references
        self._left = _MAX_TYPES

    def __call__(self, schema: Json, depth: int = 0) -> bool:
        """Whether one of this subschema does."""
        self._left -= 1
        if not isinstance(schema, dict) or depth > _MAX_DEPTH or self._left < 0:
            return False
        if "default" in schema:
            return True
        others = schema.get("allOf")
        in_place = [self._references.target(schema), *(others if isinstance(others, list) else ())]
        if any(self(part, depth + 1) for part in in_place if part is not None):
            return True
        properties = schema.get("properties")
        members = properties if isinstance(properties, dict) else {}
        filled = {name for name, part in members.items() if self(part, depth + 1)}
        required = schema.get("required")
        return bool(filled) and set(required if isinstance(required, list) else ()) <= filled


class _Types:
    """The types of one schema; each schema that is referred to has a name of its own."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._references = References(root)
        self._names: dict[int, str] = {id(root): "Props"}
        self._pending: list[tuple[str, Schema]] = [("Props", root)]
        self._is_filled_in = Filling(self._references)
        self._left = _MAX_TYPES

    def module(self) -> str:
        if self._references.problems:
            return f"export type Props = {ANY};\n"
        made: list[str] = []
        while self._pending:
            name, schema = self._pending.pop()
            # Props are an object, whether the schema says it or not.
            typed = {"type": "object", **schema} if schema is self._root else schema
            made.append(f"export type {name} = {self._of(typed, 0)};\n")
        return "".join(made)

    def _named(self, target: Schema) -> str:
        if id(target) not in self._names:
            name = self._names[id(target)] = f"Part{len(self._names)}"
            self._pending.append((name, target))
        return self._names[id(target)]

    def _of(self, schema: Json, depth: int) -> str:
        """The type of one subschema."""
        self._left -= 1
        if not isinstance(schema, dict) or depth > _MAX_DEPTH or self._left < 0:
            return "never" if schema is False else ANY
        parts = [part for part in self._all_of(schema, depth) if part != ANY]
        return _joined(parts, "&") if parts else ANY

    def _all_of(self, schema: Schema, depth: int) -> list[str]:
        """The types that a value must have all of."""
        if "const" in schema:
            return [_literals([schema["const"]])]
        if isinstance(values := schema.get("enum"), list):
            return [_literals(values)]
        target = self._references.target(schema)
        parts = [] if target is None else [self._named(target)]
        if (own := self._by_type(schema, depth)) is not None:
            parts.append(own)
        choices = [
            value for name in ("anyOf", "oneOf") if isinstance(value := schema.get(name), list)
        ]
        parts += [
            _joined([self._of(each, depth + 1) for each in choice], "|")
            for choice in choices
            if choice
        ]
        if isinstance(others := schema.get("allOf"), list):
            parts += [self._of(each, depth + 1) for each in others]
        return parts

    def _by_type(self, schema: Schema, depth: int) -> str | None:
        named = schema.get("type")
        names = named if isinstance(named, list) else [named]
        if named is None:
            names = ["object"] if "properties" in schema else ["array"] if "items" in schema else []
        found: list[str] = []
        for name in names:
            if name == "object":
                found.append(self._object(schema, depth))
            elif name == "array":
                found.append(self._array(schema, depth))
            elif name == "string" and schema.get("format") == MARKDOWN:
                found.append("{ __html: string }")
            elif name == "string" and schema.get("format") == MEDIA:
                found.append(_MEDIA_TYPE)
            elif name == "string" and schema.get("format") == FORM:
                found.append(_FORM_TYPE)
            else:
                found.append(_NAMES.get(name, ANY) if isinstance(name, str) else ANY)
        return _joined(found, "|") if found else None

    def _object(self, schema: Schema, depth: int) -> str:
        properties = schema.get("properties")
        required = schema.get("required")
        names = required if isinstance(required, list) else []
        members: list[str] = []
        for name, part in properties.items() if isinstance(properties, dict) else ():
            mark = "" if name in names or self._is_filled_in(part) else "?"
            members.append(f"{_quoted(name)}{mark}: {self._of(part, depth + 1)};")
        others = schema.get("additionalProperties")
        if not members:
            held = ANY if others is None else self._of(others, depth + 1)
            return ANY if held == ANY else f"{{ [name: string]: {held} }}"
        return "{ " + " ".join(members) + " }"

    def _array(self, schema: Schema, depth: int) -> str:
        first = schema.get("prefixItems")
        items = schema.get("items", True)
        if not isinstance(first, list):
            return f"({self._of(items, depth + 1)})[]"
        # How many of them a list must have is another keyword's business.
        kinds = [self._of(each, depth + 1) for each in (*first, *([items] if items else []))]
        return f"({_joined(kinds, '|')})[]"


def _joined(types: list[str], sign: str) -> str:
    """A union or an intersection, each type once."""
    once = list(dict.fromkeys(types))
    if ANY in once:
        return ANY
    return once[0] if len(once) == 1 else "(" + f" {sign} ".join(once) + ")"


def _literals(values: list[Json]) -> str:
    """The union of values; of lists and objects, and of too many values, only the kind."""
    if len(values) > _MAX_VALUES:
        kinds = [type(value) for value in values]
        return "string" if all(kind is str for kind in kinds) else ANY
    return _joined([_literal(value) for value in values], "|") if values else "never"


def _literal(value: Json) -> str:
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    return _quoted(value) if isinstance(value, str) else ANY


def _quoted(text: str) -> str:
    """A string literal of TypeScript; JSON's in ASCII is one, and ends no comment and no line."""
    return json.dumps(text)
