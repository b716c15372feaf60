"""The tokens of a design token file by their path."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from robbieblocks.messages import printable
from robbieblocks.model import Json, JsonObject
from robbieblocks.source_files import Place

MAX_TOKENS: Final = 10_000
_MAX_GROUPS: Final = 50_000
_MAX_EXTENDED: Final = 50
_DEEPEST: Final = 50

_OF_TOKENS: Final = frozenset(
    {"$value", "$ref", "$type", "$description", "$deprecated", "$extensions"}
)
_OF_GROUPS: Final = frozenset({"$root", "$type", "$description", "$deprecated", "$extensions"}) | {
    *("$extends", "$ref", "$schema", "$themes", "$metadata")
}
# Names of the formats before: of Style Dictionary 3, and of Tokens Studio.
_EARLIER: Final = {
    "value": "$value",
    "type": "$type",
    "description": "$description",
    "comment": "$description",
    "extensions": "$extensions",
    "$extensions": "$extensions",
}

Report: TypeAlias = Callable[[Place, str, str], None]
_Layer: TypeAlias = tuple[JsonObject, Place]


@dataclass(frozen=True, slots=True)
class Entry:
    """A token of a file: its names from the root, where it stands, and its members.

    `own_type` is the type that it states itself, `group_type` that of the groups around it.
    """

    path: tuple[str, ...]
    place: Place
    node: JsonObject
    own_type: str | None
    group_type: str | None


class Tree:
    """The tokens of a file, by their names with dots between them, and what is wrong with it.

    `report` is told what makes a token or group unusable, `note` what is passed over.
    """

    def __init__(self, document: JsonObject, report: Report, note: Report) -> None:
        self.entries: dict[str, Entry] = {}
        # In an earlier format a token's members have no `$`, and types may be missing.
        self.is_earlier = not any("$value" in node or "$ref" in node for node in _objects(document))
        self._root = _renamed(document) if self.is_earlier else document
        self._report = report
        self._note = note
        self._groups = 0
        self._full = False
        self._astray: set[Place] = set()
        self._roots = [(self._root, Place())]
        if "$themes" in document or "$metadata" in document:
            # Tokens Studio: the first level names sets, and names in values leave it out.
            self._roots = [
                (node, (name,))
                for name, node in self._root.items()
                if isinstance(node, dict) and not name.startswith("$")
            ]
        for node, place in self._roots:
            self._group([(node, place)], (), None, frozenset())

    def _group(
        self,
        layers: list[_Layer],
        path: tuple[str, ...],
        outer_type: str | None,
        inside: frozenset[int],
    ) -> None:
        """Walk a group: its own members, the last layer, over those that it inherits."""
        own, place = layers[-1]
        self._groups += 1
        if self._groups > _MAX_GROUPS or len(path) > _DEEPEST:
            if self._groups <= _MAX_GROUPS + 1:
                what = f"nests too deep, or comes after {_MAX_GROUPS:,} other groups"
                self._report(place, what, "use fewer groups")
            return
        for name in own:
            if name.startswith("$") and name not in _OF_GROUPS:
                self._note((*place, name), f"`{printable(name)}` of groups is unknown", "")
        layers = [each for layer in layers for each in self._extended(layer, inside)]
        if len(layers) > _MAX_EXTENDED:
            self._report(place, "extends too many groups", f"extend at most {_MAX_EXTENDED}")
            layers = layers[-_MAX_EXTENDED:]
        inside |= {id(node) for node, _ in layers}
        types = [kind for node, _ in layers if isinstance(kind := node.get("$type"), str)]
        group_type = types[-1] if types else outer_type
        for property_ in ("$description", "$deprecated"):
            if property_ in own:
                self._note((*place, property_), f"`{property_}` of groups", "")
        names = dict.fromkeys(
            name for node, _ in layers for name in node if name[:1] != "$" or name == "$root"
        )
        for name in names:
            found = [(node[name], (*place, name)) for node, place in layers if name in node]
            self._member(found, (*path, name), group_type, inside)

    def _member(
        self,
        found: list[tuple[Json, Place]],
        path: tuple[str, ...],
        group_type: str | None,
        inside: frozenset[int],
    ) -> None:
        node, place = found[-1]
        if not isinstance(node, dict):
            self._report(place, "is neither a token nor a group", 'write {"$type": …, "$value": …}')
        elif self._is_token(node):
            self._token(Entry(path, place, node, _text(node.get("$type")), group_type))
        elif path[-1] == "$root":
            self._report(place, "is no token", 'a `$root` has a "$value"')
        else:
            groups: list[_Layer] = []
            for each, at in reversed(found):
                if not isinstance(each, dict) or self._is_token(each):
                    break
                groups.insert(0, (each, at))
            self._group(groups, path, group_type, inside)

    def _token(self, entry: Entry) -> None:
        dotted = ".".join(entry.path)
        if len(self.entries) >= MAX_TOKENS:
            if not self._full:
                self._report(entry.place, f"comes after {MAX_TOKENS:,} others", "use fewer tokens")
            self._full = True
            return
        for name in entry.node:
            if name[:1] != "$":
                what = f"is a token, and has `{printable(name)}` in it as if it were a group"
                remedy = 'make it a group, and the token its "$root"'
                self._report((*entry.place, name), what, remedy)
            elif name not in _OF_TOKENS:
                self._note((*entry.place, name), f"`{printable(name)}` of tokens is unknown", "")
        if dotted in self.entries:
            where = " / ".join(map(str, self.entries[dotted].place))
            what = f"has the name of {printable(where)}"
            self._report(entry.place, what, "rename one, or import one set of tokens at a time")
        else:
            self.entries[dotted] = entry

    def _extended(self, layer: _Layer, inside: frozenset[int]) -> list[_Layer]:
        """A group's layers: the groups that it extends, the furthest first, and itself."""
        layers = [layer]
        seen = inside | {id(layer[0])}
        while True:
            node, place = layers[-1]
            name = "$extends" if "$extends" in node else "$ref"
            if name not in node:
                break
            target = self._group_at(node[name])
            if target is None:
                what, remedy = "leads to no group of this file", "name a group: {group}"
            elif id(target[0]) in seen or len(layers) > _MAX_EXTENDED:
                what = f"leads back to itself, or by way of more than {_MAX_EXTENDED} groups"
                remedy = "extend another group"
            else:
                seen |= {id(target[0])}
                layers.append(target)
                continue
            # Groups that inherit this one come by here, too.
            if (*place, name) not in self._astray:
                self._report((*place, name), what, remedy)
            self._astray.add((*place, name))
            break
        return layers[::-1]

    def _is_token(self, node: JsonObject) -> bool:
        return "$value" in node or ("$ref" in node and self._group_at(node["$ref"]) is None)

    def _group_at(self, reference: Json) -> _Layer | None:
        """The group that `{a.b}` or `#/a/b` names."""
        parts = pointer_parts(reference)
        if parts is None and isinstance(reference, str) and reference[:1] == "{":
            parts = tuple(reference.strip("{}").split("."))
        if not parts or "$value" in parts:
            return None
        for root, at in self._roots:
            node: Json = root
            for part in parts:
                node = node.get(part) if isinstance(node, dict) else None
            if isinstance(node, dict) and "$value" not in node:
                return node, (*at, *parts)
        return None


def pointer_parts(reference: Json) -> tuple[str, ...] | None:
    """The parts of a JSON pointer into the same file (RFC 6901), or None."""
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return None
    return tuple(
        part.replace("~1", "/").replace("~0", "~") for part in reference[2:].split("/") if part
    )


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None


def _objects(value: Json) -> Iterator[JsonObject]:
    waiting: list[Json] = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            yield each
            waiting += each.values()


def _renamed(node: JsonObject) -> JsonObject:
    """A group of an earlier format with the names of this one."""
    return {
        name: (_renamed_token(each) if _is_earlier_token(each) else _renamed(each))
        if isinstance(each, dict)
        else each
        for name, each in node.items()
    }


def _is_earlier_token(node: JsonObject) -> bool:
    value = node.get("value")
    return "value" in node and (not isinstance(value, dict) or isinstance(node.get("type"), str))


def _renamed_token(node: JsonObject) -> JsonObject:
    return {_EARLIER[name]: value for name, value in node.items() if name in _EARLIER}
