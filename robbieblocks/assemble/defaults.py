"""Filling in defaults before props are validated.

A missing property gets its subschema's `default` (its own, or that of a `$ref` or `allOf` of it).
Inside values that are there, and inside defaults, missing members are filled in too, through
`properties`, `items`, `additionalProperties`, `$ref` and `allOf`. A missing object that has no
default of its own is made where its members' defaults are all that it requires. Branches (`anyOf`,
`oneOf`, `if`) don't fill in: which of them holds is not known before validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from robbieblocks.assemble.schema import References, Schema, below
from robbieblocks.model import Json, JsonObject

MAX_STEPS = 50_000
MAX_DEPTH = 64

_MISSING: Any = object()


class DefaultsUnbounded(Exception):
    """The defaults of a schema nest without end, or multiply beyond any use."""


class Defaults:
    """The defaults of one schema, ready to be filled into many props."""

    def __init__(self, root: Schema, references: References) -> None:
        self._references = references
        self._root = root
        self._plans: dict[int, _Plan] = {}
        self._matter: dict[int, bool] = {}
        self._steps = 0

    def fill(self, props: JsonObject) -> JsonObject:
        """The props with defaults; the same object where none was missing.

        Raises DefaultsUnbounded.
        """
        self._steps = 0
        filled: JsonObject = self._fill(self._root, props, 0)
        return filled

    def _plan(self, schema: Schema) -> _Plan:
        plan = self._plans.get(id(schema))
        if plan is None:
            plan = self._plans[id(schema)] = _Plan(schema, self._references, self._matters)
        return plan

    def _matters(self, schema: Schema) -> bool:
        """Whether a default can be reached from a subschema; where none can, nothing is filled."""
        known = self._matter.get(id(schema))
        if known is None:
            known = self._matter[id(schema)] = self._reaches_default(schema)
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

    def _fill(self, schema: Schema, value: Json, depth: int) -> Json:
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            raise DefaultsUnbounded
        if isinstance(value, dict):
            return self._fill_object(self._plan(schema), value, depth)
        if isinstance(value, list):
            return self._fill_list(self._plan(schema), value, depth)
        return value

    def _fill_object(self, plan: _Plan, value: dict[str, Json], depth: int) -> Json:
        filled = value
        for name, part in plan.properties:
            old = filled.get(name, _MISSING)
            if old is _MISSING:
                new = self._made(part, depth, ())
            elif isinstance(old, dict | list):
                new = self._fill(part, old, depth + 1)
            else:
                continue
            if new is not old:
                if filled is value:
                    filled = dict(value)
                filled[name] = new
        for part in plan.others:
            for name, old in value.items():
                if name not in plan.named:
                    new = self._fill(part, old, depth + 1)
                    if new is not old:
                        filled = {**filled, name: new}
        return filled

    def _fill_list(self, plan: _Plan, value: list[Json], depth: int) -> Json:
        filled = value
        for part in plan.items:
            fresh = [self._fill(part, item, depth + 1) for item in filled]
            if any(new is not old for new, old in zip(fresh, filled, strict=True)):
                filled = fresh
        return filled

    def _made(self, schema: Schema, depth: int, above: tuple[int, ...]) -> Json:
        """The value of a missing property, or _MISSING."""
        plan = self._plan(schema)
        if plan.default is not _MISSING:
            return self._fill(schema, plan.default, depth + 1)
        if id(schema) in above or not plan.properties:
            return _MISSING
        self._steps += 1
        if self._steps > MAX_STEPS or depth > MAX_DEPTH:
            raise DefaultsUnbounded
        inside = (*above, id(schema))
        members = ((name, self._made(part, depth + 1, inside)) for name, part in plan.properties)
        made = {name: value for name, value in members if value is not _MISSING}
        return made if made and plan.required <= made.keys() else _MISSING


class _Plan:
    """What one subschema says about defaults, its `$ref` and `allOf` included."""

    __slots__ = ("default", "items", "named", "others", "properties", "required")

    def __init__(
        self, schema: Schema, references: References, matters: Callable[[Schema], bool]
    ) -> None:
        self.default: Json = _MISSING
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
            following = [p for p in part.get("allOf", ()) if isinstance(p, dict)]
            target = references.target(part)
            waiting += [*following[::-1], *([target] if target is not None else [])]
        self.named = {name for name, _ in self.properties}
        self.properties = [(name, part) for name, part in self.properties if matters(part)]
        self.items = [part for part in self.items if matters(part)]
        self.others = [part for part in self.others if matters(part)]

    def _take(self, schema: Schema) -> None:
        if self.default is _MISSING:
            self.default = schema.get("default", _MISSING)
        members = schema.get("properties", {})
        self.properties += [
            (name, part) for name, part in members.items() if isinstance(part, dict)
        ]
        self.required.update(schema.get("required", ()))
        if isinstance(schema.get("items"), dict) and "prefixItems" not in schema:
            self.items.append(schema["items"])
        if isinstance(schema.get("additionalProperties"), dict):
            self.others.append(schema["additionalProperties"])
