"""What values of a design token file refer to: tokens by name, and parts of values by pointer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from robbieblocks.content.design_tokens.json_values import Unusable, shown
from robbieblocks.content.design_tokens.tree import Entry, Tree, pointer_parts
from robbieblocks.messages import did_you_mean, printable
from robbieblocks.model import Json, JsonObject

_NAME: Final = re.compile(r"\{([^{}]+)\}")
# Types whose values can't take each other's place. Design tools have `number` for several of them.
_TYPES: Final = frozenset(
    {"color", "dimension", "fontFamily", "fontWeight", "duration", "cubicBezier", "strokeStyle"}
    | {"border", "transition", "shadow", "gradient", "typography"}
)
# A place in a list, as RFC 6901 writes it; no list of a token is longer.
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,5}")
_CIRCLE: Final = "a circle"
_MAX_STEPS: Final = 100
_MAX_SUGGESTIONS: Final = 20


class References:
    """Follows references within one file; the `Names` of its values.

    `keys` are the keys of tokens by their names in the file, `known` the categories of tokens that
    are not in the file, by key: those may be named too.
    """

    def __init__(self, tree: Tree, known: Mapping[str, str]) -> None:
        self.keys: dict[str, str] = {}
        self._tree = tree
        self._known = known
        self._types: dict[str, str | None] = {}
        self._suggestions = 0

    def named(self, value: Json, kind: str) -> str | None:
        """`{key}` where a value is the name of a token."""
        target = self.target(value)
        if target is None:
            return None
        if target not in self._tree.entries:
            return f"{{{target}}}"
        other = self.type_of(target)
        if not self._tree.is_earlier and other != kind and {other, kind} <= _TYPES:
            what = f"names {{{target}}}, whose type is {other}, and not {kind}"
            raise Unusable(what, f"name a token of the type {kind}")
        key = self.keys.get(target)
        if key is None:
            raise Unusable(f"names {{{target}}}, which is left out", "correct that one")
        return f"{{{key}}}"

    def followed(self, value: Json) -> Json:
        """A value, or what it points at inside of another."""
        for _ in range(_MAX_STEPS):
            parts = pointer_parts(value.get("$ref")) if isinstance(value, dict) else None
            if parts is None:
                return value
            value = self._pointed(parts)
        what = f"points back to itself, or by way of more than {_MAX_STEPS} others"
        raise Unusable(what, "write a value")

    def with_keys(self, text: str) -> str:
        """A text with keys in place of the names that it has in braces."""
        return _NAME.sub(lambda match: self.named(match[0], "text") or match[0], text)

    def target(self, value: Json) -> str | None:
        """The token that a value as a whole names: by its names in the file, or a known key."""
        if isinstance(value, dict) and set(value) == {"$ref"}:
            parts = pointer_parts(value["$ref"])
            if parts is None:
                raise Unusable(f"points at {shown(value['$ref'])}", "point into this file: #/…")
            name = ".".join(parts[:-1] if parts[-1:] == ("$value",) else parts)
            return name if name in self._tree.entries else None
        match = _NAME.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            return None
        name = match[1].strip()
        for each in (name, name.removesuffix(".value"), name.removesuffix(".$value")):
            if each in self._tree.entries or each in self._known:
                return each
        raise Unusable(f"names {{{printable(name)}}}, which is no token", self._suggestion(name))

    def type_of(self, name: str) -> str | None:
        """A token's type: its own, or else that of the one that it names, or of its group."""
        trail: dict[str, None] = {}
        while name not in self._types:
            if name in trail:
                self._types[name] = _CIRCLE
                break
            trail[name] = None
            entry = self._tree.entries[name]
            target = None if entry.own_type else self.target(value_of(entry.node))
            if target is None or target not in self._tree.entries:
                self._types[name] = entry.own_type or entry.group_type
            else:
                name = target
        found = self._types[name]
        self._types.update(dict.fromkeys(trail, found))
        if found == _CIRCLE:
            raise Unusable("names tokens that name each other in a circle", "write a value")
        return found

    def end_of(self, name: str) -> Entry:
        """The token at the end of the way on which each names the next."""
        for _ in range(_MAX_STEPS):
            entry = self._tree.entries.get(name)
            if entry is None:
                raise Unusable(f"names a part of {name}, which is not in this file", "write it")
            target = self.target(value_of(entry.node))
            if target is None:
                return entry
            name = target
        what = f"names others that name each other, or more than {_MAX_STEPS} that follow"
        raise Unusable(what, "write a value")

    def _pointed(self, parts: tuple[str, ...]) -> Json:
        """What a JSON pointer leads to inside of a token's value."""
        for length in range(len(parts) - 1, 0, -1):
            name = ".".join(parts[:length])
            if name in self._tree.entries and parts[length] == "$value":
                value = value_of(self.end_of(name).node)
                for part in parts[length + 1 :]:
                    value = _member(self._whole(value), part)
                return self._whole(value)
        raise Unusable(
            f"points at #/{printable('/'.join(parts))}, which is not there", "correct it"
        )

    def _whole(self, value: Json) -> Json:
        """A value, or that of the token which it names."""
        target = self.target(value)
        return value if target is None else value_of(self.end_of(target).node)

    def _suggestion(self, name: str) -> str:
        self._suggestions += 1
        if f"{name}.$root" in self._tree.entries:
            return f"write {{{name}.$root}}"
        if self._suggestions > _MAX_SUGGESTIONS:
            return "name a token that there is"
        return did_you_mean(name, self._tree.entries)


def value_of(node: JsonObject) -> Json:
    """What a token's value is, or a reference that stands for it."""
    return node["$value"] if "$value" in node else {"$ref": node["$ref"]}


def _member(value: Json, part: str) -> Json:
    found: Json
    if isinstance(value, dict) and part in value:
        found = value[part]
    elif isinstance(value, list) and _INDEX.fullmatch(part) and int(part) < len(value):
        found = value[int(part)]
    else:
        raise Unusable(f"points at {printable(part)}, which is not there", "correct it")
    return found
