"""Fills in defaults before props are validated.

A missing property gets its subschema's `default` (its own, or that of a `$ref` or `allOf` of it).
Members that are missing inside values and inside defaults are filled in too, through `properties`,
`items`, `additionalProperties`, `$ref` and `allOf`. A missing object without a default of its own
is made where its members' defaults are all that it requires. Branches (`anyOf`, `oneOf`, `if`) fill
in nothing: which of them applies is not known before validation.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Final

from robbieblocks.assemble.props.schema import References, Schema, below, listed, named, subschema
from robbieblocks.assemble.values import MAX_VALUE_BYTES
from robbieblocks.model import IdentityMap, Json, JsonObject, canonical_json

MAX_STEPS = 50_000
MAX_DEPTH = 64


class _Missing(Enum):
    """Stands for a property that is not there; null is a value like any other."""

    MISSING = "missing"


_MISSING: Final = _Missing.MISSING


class DefaultsUnbounded(Exception):
    """The defaults of a schema nest without end, or multiply beyond what props may hold."""


class Defaults:
    """The defaults of one schema, ready to be filled into many props."""

    def __init__(self, root: Schema, references: References) -> None:
        self._references = references
        self._root = root
        self._rules = IdentityMap[Schema, _Rules]()
        self._reachable = IdentityMap[Schema, bool]()
        self._steps = 0
        self._bytes = 0

    def fill(self, props: JsonObject) -> JsonObject:
        """The props with defaults; the same object where none was missing.

        Raises DefaultsUnbounded.
        """
        self._steps = self._bytes = 0
        return self._fill_object(self._root, props, 0)

    def _rules_of(self, schema: Schema) -> _Rules:
        rules = self._rules.get(schema)
        if rules is None:
            rules = self._rules.put(schema, _Rules(schema, self._references, self._has_default))
        return rules

    def _has_default(self, schema: Schema) -> bool:
        """Whether the subschema or anything below it has a default; else nothing is filled in."""
        known = self._reachable.get(schema)
        if known is None:
            known = self._reachable.put(schema, self._reaches_default(schema))
        return known

    def _reaches_default(self, schema: Schema) -> bool:
        seen: set[int] = set()
        waiting = [schema]
        while waiting:
            part = waiting.pop()
            if "default" in part:
                return True
            if id(part) not in seen:
                seen.add(id(part))
                waiting += self._references.in_place(part)
                waiting += (inner for _, inner in below(part))
        return False

    def _count_step(self, depth: int) -> None:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            raise DefaultsUnbounded

    def _count_bytes(self, size: int) -> None:
        """One default may stand in each of many items: the props would take gigabytes as JSON."""
        self._bytes += size
        if self._bytes > MAX_VALUE_BYTES:
            raise DefaultsUnbounded

    def _fill(self, schema: Schema, value: Json, depth: int) -> Json:
        if isinstance(value, dict):
            return self._fill_object(schema, value, depth)
        self._count_step(depth)
        return self._fill_list(schema, value, depth) if isinstance(value, list) else value

    def _fill_object(self, schema: Schema, value: JsonObject, depth: int) -> JsonObject:
        self._count_step(depth)
        rules = self._rules_of(schema)
        filled: dict[str, Json] = {}
        for name, part in rules.properties:
            old = filled.get(name, value.get(name, _MISSING))
            if old is _MISSING:
                new = self._made(part, depth, ())
            elif isinstance(old, dict | list):
                new = self._fill(part, old, depth + 1)
            else:
                continue
            if new is not _MISSING and new is not old:
                self._count_bytes(len(name))
                filled[name] = new
        for part in rules.others:
            for name, old in value.items():
                if name not in rules.named:
                    new = self._fill(part, old, depth + 1)
                    if new is not old:
                        filled[name] = new
        return {**value, **filled} if filled else value

    def _fill_list(self, schema: Schema, value: list[Json], depth: int) -> list[Json]:
        filled = value
        for part in self._rules_of(schema).items:
            fresh = [self._fill(part, item, depth + 1) for item in filled]
            if any(new is not old for new, old in zip(fresh, filled, strict=True)):
                filled = fresh
        return filled

    def _made(self, schema: Schema, depth: int, above: tuple[int, ...]) -> Json | _Missing:
        """The value of a missing property, or _MISSING where it stays missing.

        `above` are the ids of the schemas that it is being made for, so that recursion ends.
        """
        rules = self._rules_of(schema)
        if rules.default is not _MISSING:
            self._count_bytes(rules.default_size)
            return self._fill(schema, rules.default, depth + 1)
        if id(schema) in above or not rules.properties:
            return _MISSING
        self._count_step(depth)
        inside = (*above, id(schema))
        members = ((name, self._made(part, depth + 1, inside)) for name, part in rules.properties)
        made = {name: value for name, value in members if value is not _MISSING}
        self._count_bytes(sum(map(len, made)))
        return made if made and rules.required <= made.keys() else _MISSING


class _Rules:
    """What one subschema says about defaults, together with its `$ref` and `allOf`.

    `properties`, `items` and `others` (`additionalProperties`) hold only the subschemas in which
    there is a default to reach; `named` are the names of all properties.
    """

    __slots__ = ("default", "default_size", "items", "named", "others", "properties", "required")

    def __init__(
        self, schema: Schema, references: References, has_default: Callable[[Schema], bool]
    ) -> None:
        self.default: Json | _Missing = _MISSING
        self.default_size = 0
        self.properties: list[tuple[str, Schema]] = []
        self.items: list[Schema] = []
        self.others: list[Schema] = []
        self.required: set[str] = set()
        seen: set[int] = set()
        waiting = [schema]
        while waiting:
            part = waiting.pop()
            if id(part) in seen:
                continue
            seen.add(id(part))
            self._take(part)
            # Reversed, since the last is taken first: the first default found wins.
            following = [inner for _, inner in listed(part, "allOf")]
            target = references.target(part)
            waiting += [*following[::-1], *([target] if target is not None else [])]
        self.named = {name for name, _ in self.properties}
        self.properties = [(name, part) for name, part in self.properties if has_default(part)]
        self.items = [part for part in self.items if has_default(part)]
        self.others = [part for part in self.others if has_default(part)]

    def _take(self, schema: Schema) -> None:
        if self.default is _MISSING and "default" in schema:
            self.default = schema["default"]
            self.default_size = len(canonical_json(self.default))
        self.properties += named(schema, "properties")
        required = schema.get("required")
        if isinstance(required, list):
            self.required.update(name for name in required if isinstance(name, str))
        items = subschema(schema, "items")
        if items is not None and "prefixItems" not in schema:
            self.items.append(items)
        others = subschema(schema, "additionalProperties")
        if others is not None:
            self.others.append(others)
