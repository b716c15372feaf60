"""A bound on the work of checking props against a schema, known before any props are checked.

`allOf` of two references, each to an `allOf` of two references, doubles the work at each step: 30
steps make a schema of a few kB check one value a thousand million times.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from robbieblocks.assemble.schema import MAX_NESTING, References, Schema, below

MAX_IN_PLACE = 2_000
MAX_CHECKS = 4_000


class ValidationCost:
    """How many subschemas may have to be checked for one value at each depth of the props.

    `at_depth[d]` bounds the checks of one value at depth d. The list ends before the first depth
    at which there could be more than MAX_CHECKS. A location is the id of a schema, after references
    that stand alone were followed.
    """

    def __init__(self, root: Schema, references: References) -> None:
        self._references = references
        self._steps = 0
        self.too_wide = False
        self._members: dict[int, tuple[int, Counter[int]]] = {}
        self._schemas: dict[int, Schema] = {}
        self.at_depth = self._levels(root)

    def _levels(self, root: Schema) -> list[int]:
        levels: list[int] = []
        counts = Counter({self._location(root): 1})
        while counts and len(levels) <= MAX_NESTING:
            checks = 0
            following = Counter[int]()
            for location, count in counts.items():
                width, members = self._width_and_members(location)
                checks += count * width
                for target, times in members.items():
                    following[target] += count * times
            if checks > MAX_CHECKS or self.too_wide:
                return levels
            levels.append(checks)
            counts = following
        return levels + [0] * (MAX_NESTING + 1 - len(levels))

    def _location(self, schema: Schema) -> int:
        """The location of a schema; a schema that only refers to another has the other's."""
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
        """Every subschema that applies to the same value, once for each way to reach it."""
        found: list[Schema] = []
        waiting: list[tuple[Schema, frozenset[int]]] = [(self._schemas[location], frozenset())]
        while waiting:
            schema, above = waiting.pop()
            self._steps += 1
            if len(found) > MAX_IN_PLACE or self._steps > 50 * MAX_IN_PLACE:
                self.too_wide = True
                return found
            found.append(schema)
            inside = above | {id(schema)}
            following = self._references.in_place(schema)
            waiting += ((part, inside) for part in following if id(part) not in inside)
        return found

    def _width_and_members(self, location: int) -> tuple[int, Counter[int]]:
        """How many subschemas apply to a value, and how often each location to one of its members.

        A member has one name, so of the names the one with the most counts; `*` is any name.
        """
        if location not in self._members:
            by_label = defaultdict[str, Counter[int]](Counter)
            expanded = self._expanded(location)
            for schema in expanded:
                for label, part in below(schema):
                    by_label[label][self._location(part)] += 1
            anywhere = by_label.pop("*", Counter())
            members = Counter[int]()
            for targets in by_label.values():
                members |= targets  # the larger of both counts
            self._members[location] = len(expanded), members + anywhere
        return self._members[location]
