"""Finds the default of a schema that a value of filled-in props is from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from robbieblocks.assemble.props.schema import References, Schema, listed, named, subschema
from robbieblocks.messages import json_pointer
from robbieblocks.model import Json

# A schema, with its JSON pointer.
_Placed = tuple[str, Schema]


def default_place(root: Schema, references: References, props: Json, pointer: str) -> str | None:
    """The JSON pointer, into the schema, to the default that gave the value at `pointer`.

    None where `props`, as they were before defaults were filled in, have that value themselves. An
    object that was made since its members have defaults is from its schema.
    """
    origin: str | None = None
    value: Json = props
    here = list(_in_place([("", root)], references))
    for text in pointer.split("/")[1:]:
        step = text.replace("~1", "/").replace("~0", "~")
        here = list(_in_place(_members(here, step), references))
        inner = _member(value, step)
        if inner is not None:
            value = inner[0]
            origin = None if origin is None else origin + json_pointer(step)
            continue
        stated = next(((at, schema) for at, schema in here if "default" in schema), None)
        if stated is not None:
            origin, value = f"{stated[0]}/default", stated[1]["default"]
        elif here:
            origin, value = here[0][0], {}
        else:
            return origin
    return origin


def _in_place(schemas: Iterable[_Placed], references: References) -> Iterator[_Placed]:
    """The schemas, with those that apply to the same value through `$ref` and `allOf`."""
    waiting = list(schemas)
    seen = set[int]()
    while waiting:
        at, schema = waiting.pop(0)
        if id(schema) in seen:
            continue
        seen.add(id(schema))
        yield at, schema
        target, name = references.target(schema), str(schema.get("$ref", ""))
        if target is not None:
            waiting.append((name[1:] if name.startswith("#/") else f"{at}/$ref", target))
        waiting += [
            (f"{at}{json_pointer('allOf', index)}", part) for index, part in listed(schema, "allOf")
        ]


def _members(schemas: Iterable[_Placed], step: str) -> Iterator[_Placed]:
    """The schemas of one member of an object or list."""
    for at, schema in schemas:
        known = dict(named(schema, "properties"))
        if step in known:
            yield f"{at}{json_pointer('properties', step)}", known[step]
            continue
        for keyword in ("additionalProperties", "items"):
            inner = subschema(schema, keyword)
            if inner is not None:
                yield f"{at}/{keyword}", inner


def _member(value: Json, step: str) -> tuple[Json] | None:
    """The member of an object or list; None where there is none such."""
    if isinstance(value, list):
        return (value[int(step)],) if step.isdecimal() and int(step) < len(value) else None
    return (value[step],) if isinstance(value, dict) and step in value else None
