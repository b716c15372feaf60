"""JSON Schema as it is put together from types."""

from __future__ import annotations

from dataclasses import dataclass, field

from robbieblocks.adoption.types.literals import NotPlain
from robbieblocks.model import Json, JsonObject


@dataclass(slots=True)
class ObjectType:
    """The properties of an object type that are plain, and what is said of the others."""

    properties: dict[str, Json] = field(default_factory=dict[str, Json])
    required: list[str] = field(default_factory=list[str])
    left_out: list[str] = field(default_factory=list[str])
    needed: list[str] = field(default_factory=list[str])

    def take(self, other: ObjectType) -> None:
        """Add the properties of a type that this one extends."""
        self.properties = {**other.properties, **self.properties}
        self.required = list(dict.fromkeys((*other.required, *self.required)))
        self.left_out = list(dict.fromkeys((*self.left_out, *other.left_out)))
        self.needed = list(dict.fromkeys((*self.needed, *other.needed)))

    def schema(self) -> JsonObject:
        """As JSON Schema. Raises NotPlain where a property must be there that JSON can't give."""
        if self.needed:
            raise NotPlain(f"{', '.join(self.needed)} can't be given as JSON")
        required: JsonObject = {"required": sorted(self.required)} if self.required else {}
        return {"type": "object", "properties": self.properties, **required}


def any_of(schemas: list[JsonObject]) -> JsonObject:
    """One schema for values of any of these; literals become one list."""
    values: list[Json] = []
    others: list[JsonObject] = []
    for schema in schemas:
        enum = schema.get("enum")
        if isinstance(enum, list):
            values += enum
        elif schema not in others:
            others.append(schema)
    if values:
        others.insert(0, {"enum": values})
    return others[0] if len(others) == 1 else {"anyOf": list(others)}


def array_of(items: JsonObject) -> JsonObject:
    """Lists of such items."""
    return {"type": "array", "items": items}


def kind_of(value: Json) -> str:
    """What JSON Schema calls the type of a value that is no list and no object."""
    if isinstance(value, str):
        return "string"
    return "null" if value is None else "boolean" if isinstance(value, bool) else "number"
