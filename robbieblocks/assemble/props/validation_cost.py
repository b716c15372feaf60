"""A bound on the work of checking props against a schema, known before the props are checked.

`allOf` of two references, each to an `allOf` of two references, doubles the work at each step: 30
steps make a schema of a few kB check one value a thousand million times. An `enum` of 5,000 objects
is compared with each of 50,000 items, and a pattern of 10,000 states meets each character with all
of them. The unit of work is about ten nanoseconds.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import jsonschema_rs

from robbieblocks.assemble.props.schema import MAX_NESTING, References, Schema, below
from robbieblocks.model import Json

MAX_IN_PLACE = 2_000
MAX_CHECKS = 4_000
# Comparing a value with one of an enum's takes as long as ten characters do.
_CHECK_UNITS = 10
# Items that have to be unique are hashed with all that is in them.
_UNIQUE_UNITS = 10
# A step of `work_on` takes as long as five checks.
_STEP_UNITS = 50
# Locations and labels of places that are kept for the next value.
_MAX_KEPT = 10_000
_PATTERN_BYTES = 1024 * 1024
# What one state of a pattern takes; an engine without backtracking may have to follow all of them.
_STATE_BYTES = 64


def pattern_options(size_bytes: int = _PATTERN_BYTES) -> jsonschema_rs.RegexOptions:
    """The engine that does not backtrack: its time is linear in the text and in the pattern."""
    return jsonschema_rs.RegexOptions(size_limit=size_bytes, dfa_size_limit=_PATTERN_BYTES)


@lru_cache(maxsize=1024)
def pattern_states(pattern: str) -> int | None:
    """About how many states a pattern has, as a power of two; None where it can't be used."""
    size = _STATE_BYTES**2
    while size <= _PATTERN_BYTES:
        try:
            jsonschema_rs.Draft202012Validator(
                {"pattern": pattern}, offline=True, pattern_options=pattern_options(size)
            )
        except ValueError:
            size *= 2
        else:
            return size // _STATE_BYTES
    return None


class _Location(NamedTuple):
    """What may apply to one value: subschemas, work for each value, work for each character.

    `members` are the locations of each member by label, as `schema.below` has them.
    """

    checks: int
    by_value: int
    by_character: int
    members: Mapping[str, Counter[int]]


class _Place:
    """What applies to the values at some places of the props, counted together.

    `targets` are, by label, the locations of a member, and how often.
    """

    __slots__ = ("by_character", "by_value", "members", "targets")

    def __init__(self, described: Sequence[tuple[_Location, int]]) -> None:
        self.by_value = _CHECK_UNITS * sum(times * each.by_value for each, times in described)
        self.by_character = sum(times * each.by_character for each, times in described)
        self.targets = defaultdict[str, list[tuple[Counter[int], int]]](list)
        for each, times in described:
            for label, targets in each.members.items():
                self.targets[label].append((targets, times))
        self.members: dict[str, _Place | None] = {}


class _Places:
    """The places of values. Thousands of items are at one; making another is `work`."""

    def __init__(self, described: Callable[[int], _Location]) -> None:
        self._described = described
        self._known: dict[frozenset[tuple[int, int]], _Place] = {}
        self._size = 0
        self.work = 0

    @property
    def many(self) -> bool:
        """Whether there are too many to keep them for another value."""
        return self._size > _MAX_KEPT

    def of(self, locations: Counter[int]) -> _Place:
        """The place of what these locations apply to, each as often."""
        key = frozenset(locations.items())
        place = self._known.get(key)
        if place is None:
            described = [(self._described(each), times) for each, times in locations.items()]
            size = sum(1 + len(each.members) for each, _ in described)
            self._size += size
            self.work += _STEP_UNITS * size
            place = self._known[key] = _Place(described)
        return place

    def member(self, place: _Place, label: str) -> _Place | None:
        """The place of a member; None where nothing applies to it."""
        if label not in place.targets:
            if label == "[]" or "*" not in place.targets:
                return None
            label = "*"
        if label not in place.members:
            following = Counter[int]()
            for each in (label,) if label in ("[]", "*") else (label, "*"):
                for targets, times in place.targets.get(each, ()):
                    self.work += _STEP_UNITS * len(targets)
                    for target, count in targets.items():
                        following[target] += times * count
            place.members[label] = self.of(following) if following else None
        return place.members[label]


class ValidationCost:
    """How much work one value may take at each depth of the props.

    `at_depth[d]` bounds the work for a value at depth d, for each of its characters as JSON. The
    list ends before the first depth at which more than MAX_CHECKS subschemas could apply. A
    location is the id of a schema, after references that stand alone were followed.
    """

    def __init__(self, root: Schema, references: References) -> None:
        self._references = references
        self._steps = 0
        self.too_wide = False
        self._locations: dict[int, _Location] = {}
        self._schemas: dict[int, Schema] = {}
        self._root = self._location(root)
        self._places = _Places(self._described)
        self.at_depth = self._levels()

    def work_on(self, value: Json, most: int) -> int:
        """The work of checking these very props; counting stops above `most`.

        Exact where `at_depth` is not: an enum counts for the values that it is compared with.
        """
        if self._places.many:
            self._places = _Places(self._described)
        places = self._places
        places.work = work = 0
        pending = [(value, places.of(Counter({self._root: 1})))]
        while pending and work + places.work <= most:
            part, place = pending.pop()
            work += _STEP_UNITS + place.by_value
            if place.by_character:
                work += place.by_character * _own_characters(part)
            for label, inner in _members(part):
                following = places.member(place, label)
                if following is not None:
                    pending.append((inner, following))
                if places.work > most:
                    break
        work += places.work
        # What applies to a location that is too wide was not counted to its end.
        return most + 1 if self.too_wide else work

    def _levels(self) -> list[int]:
        levels: list[int] = []
        counts = Counter({self._root: 1})
        while counts and len(levels) <= MAX_NESTING:
            checks = work = 0
            following = Counter[int]()
            for place, count in counts.items():
                location = self._described(place)
                checks += count * location.checks
                work += count * (location.by_value + location.by_character)
                for target, times in _any_member(location).items():
                    following[target] += count * times
            if checks > MAX_CHECKS or self.too_wide:
                return levels
            levels.append(work)
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
            if any(True for _ in below(schema)) or _own_work(schema) != (1, 0):
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

    def _described(self, location: int) -> _Location:
        known = self._locations.get(location)
        if known is None:
            members = defaultdict[str, Counter[int]](Counter)
            expanded = self._expanded(location)
            own = [_own_work(schema) for schema in expanded]
            for schema in expanded:
                for label, part in below(schema):
                    members[label][self._location(part)] += 1
            known = _Location(
                len(expanded),
                sum(by_value for by_value, _ in own),
                sum(by_character for _, by_character in own),
                dict(members),
            )
            self._locations[location] = known
        return known


def _any_member(location: _Location) -> Counter[int]:
    """How often each location may apply to one member of a value.

    A member has one name, so of the names the one with the most counts; `*` is any name.
    """
    members = Counter[int]()
    for label, targets in location.members.items():
        if label != "*":
            members |= targets  # the larger of both counts
    return members + location.members.get("*", Counter())


def _own_work(schema: Schema) -> tuple[int, int]:
    """A subschema's own work for each value, and for each character of a text, names or a list."""
    by_value = 1 + sum(_nodes(schema.get(name)) for name in ("enum", "const", "dependentRequired"))
    named = schema.get("patternProperties")
    patterns = [schema.get("pattern"), *(named if isinstance(named, dict) else ())]
    states = (pattern_states(each) or 0 for each in patterns if isinstance(each, str))
    unique = _UNIQUE_UNITS if schema.get("uniqueItems") is True else 0
    return by_value, sum(states) + unique + ("format" in schema)


def _nodes(value: Json) -> int:
    """How many values there are in a value, about: each has a comma or a bracket at its end."""
    if not isinstance(value, dict | list):
        return 0
    text = json.dumps(value)
    return text.count(",") + text.count("]") + text.count("}")


def _own_characters(value: Json) -> int:
    """The characters of a text, of an object's names, or of a list as JSON."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return len(json.dumps(value))
    return sum(map(len, value)) if isinstance(value, dict) else 0


def _members(value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield "." + name, part
    elif isinstance(value, list):
        for part in value:
            yield "[]", part
