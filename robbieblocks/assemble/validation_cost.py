"""A bound on the work of checking props against a schema, known before any props are checked.

`allOf` of two references, each to an `allOf` of two references, doubles the work at each step: 30
steps make a schema of a few kB check one value a thousand million times.
"""

from __future__ import annotations

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

    def _width(self, location: int) -> int:
        self._below(location)
        return self._widths[location]

    def _below(self, location: int) -> dict[int, int]:
        """For each location of members: how many times one member may be checked against it."""
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
