"""Rows as a design token file."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Final

import tinycss2
import tinycss2.color4
from tinycss2.ast import Node

from robbieblocks.brand import (
    font_families,
    token_key_problem,
    token_order,
    token_value_problem,
)
from robbieblocks.content.design_tokens.categories import category_of
from robbieblocks.content.design_tokens.css_values import Values
from robbieblocks.content.design_tokens.json_values import Unusable
from robbieblocks.content.design_tokens.reading import EXTENSION
from robbieblocks.content.shape import Token
from robbieblocks.css_text import by_comma, named_tokens, with_tokens
from robbieblocks.model import NODE_KEYS, Json, JsonObject
from robbieblocks.row_faults import blame

_UNITS: Final = {"px": "dimension", "rem": "dimension", "ms": "duration", "s": "duration"}
_WHOLE_NAME: Final = re.compile(r"\{\s*([^{}\s]+)\s*\}")
_BEYOND: Final = 1e15  # where floats are no exact integers any more
# What stands for a name while CSS is taken apart: an identifier that nobody writes.
_STAND_IN: Final = "--rb-named-"


def design_tokens(rows: Iterable[Token]) -> JsonObject:
    """The document of a file that has all rows.

    A row is a token of it where the format has a value for it. Where that value is read as other
    CSS than the row's, `$extensions` has the row's; and at the root the rows without a value.
    """
    return _Writer({row.key: row for row in rows}).document()


class _Writer:
    def __init__(self, rows: Mapping[str, Token]) -> None:
        self._rows = rows
        self._groups: set[str] = set()
        self._types: dict[str, str] = {}
        self._values: dict[str, Json] = {}
        # Names are written as in rows here, and become names of the file at last.
        self._reader = Values(_AsWritten())

    def document(self) -> JsonObject:
        fitting = [key for key in self._rows if not token_key_problem(key) and key not in NODE_KEYS]
        named = {key: named_tokens(self._rows[key].value) for key in fitting}
        aliases = {key: names for key, names in named.items() if names}
        order, _ = token_order(aliases)
        for key in [*(key for key in fitting if key not in aliases), *order]:
            if all(name in self._types for name in named[key]):
                self._take(key)
        for key in self._types:
            parts = key.split(".")
            self._groups.update(".".join(parts[:end]) for end in range(1, len(parts)))
        root: dict[str, Any] = {}
        for key in sorted(self._types):
            group = root
            *groups, name = self._path(key).split(".")
            for part in groups:
                group = group.setdefault(part, {})
            group[name] = self._token(key)
        rest = {
            key: {
                "value": row.value,
                "category": row.category,
                **({} if row.description is None else {"description": row.description}),
            }
            for key, row in sorted(self._rows.items())
            if key not in self._types
        }
        if rest:
            root["$extensions"] = {EXTENSION: {"tokens": rest}}
        return root

    def _path(self, key: str) -> str:
        """A token's names in the file: one that is a group too is the root of that group."""
        return f"{key}.$root" if key in self._groups else key

    def _take(self, key: str) -> None:
        row = self._rows[key]
        whole = _WHOLE_NAME.fullmatch(row.value.strip())
        if whole:
            found: tuple[str, Json] | None = self._types[whole[1]], f"{{{whole[1]}}}"
        else:
            found = self._typed(row)
        if found is not None:
            self._types[key], self._values[key] = found

    def _token(self, key: str) -> JsonObject:
        row, kind = self._rows[key], self._types[key]
        css = self._reader.css(kind, self._values[key])
        own: dict[str, Json] = {}
        if row.category != category_of(kind, key):
            own["category"] = row.category
        if row.value != css:
            own |= {"css": row.value, "from": css}
        return {
            "$type": kind,
            "$value": self._with_paths(self._values[key]),
            **({} if row.description is None else {"$description": row.description}),
            **({"$extensions": {EXTENSION: own}} if own else {}),
        }

    def _with_paths(self, value: Json) -> Json:
        if isinstance(value, dict):
            return {name: self._with_paths(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._with_paths(each) for each in value]
        name = _WHOLE_NAME.fullmatch(value) if isinstance(value, str) else None
        return f"{{{self._path(name[1])}}}" if name else value

    def _typed(self, row: Token) -> tuple[str, Json] | None:
        """The type and the value of a row, or None where the format has none."""
        found: tuple[str, Json] | None = None
        plain = with_tokens(row.value, defaultdict(lambda: "0"))
        # Whatever a library raises over it, the row is kept as it is.
        with blame(lambda _: None, "style_token", row.key, "default_value"):
            if token_value_problem(plain) is None and (given := self._read(row)):
                with suppress(Unusable):
                    self._reader.css(*given)
                    found = given
        return found

    def _read(self, row: Token) -> tuple[str, Json] | None:
        names = named_tokens(row.value)
        css = row.value
        for number, name in enumerate(names):
            css = re.sub(rf"\{{\s*{re.escape(name)}\s*\}}", f" {_STAND_IN}{number} ", css)
        nodes = tinycss2.parse_component_value_list(css)
        words = [node for node in nodes if node.type != "whitespace"]
        stand_ins = {f"{_STAND_IN}{number}": name for number, name in enumerate(names)}
        if not names and row.category == "font" and (families := font_families(css)):
            # A family in braces would be read as the name of a token.
            in_braces = any(map(_WHOLE_NAME.fullmatch, families))
            return None if in_braces else ("fontFamily", families)
        if not names and row.category != "font" and (color := _color(css)):
            return "color", color
        if len(words) == 1 and not names:
            return _single(row, words[0])
        layers = [self._shadow(part, stand_ins) for part in by_comma(nodes)]
        shadows: list[Json] = [layer for layer in layers if layer is not None]
        if len(shadows) == len(layers):
            return "shadow", shadows if len(shadows) > 1 else shadows[0]
        return None

    def _shadow(self, nodes: Iterable[Node], stand_ins: Mapping[str, str]) -> JsonObject | None:
        sizes: list[Json] = []
        colors: list[Json] = []
        inset = False
        for node in nodes:
            name = stand_ins.get(node.value) if node.type == "ident" else None
            if node.type == "whitespace":
                continue
            if name is not None:
                (colors if self._types[name] == "color" else sizes).append(f"{{{name}}}")
            elif node.type == "ident" and node.lower_value == "inset":
                inset = True
            elif (size := _measure(node)) and size[0] == "dimension":
                sizes.append(size[1])
            elif node.type == "number" and node.value == 0:
                sizes.append({"value": 0, "unit": "px"})
            elif color := _color(node.serialize()):
                colors.append(color)
            else:
                return None
        if len(colors) != 1 or not 2 <= len(sizes) <= 4:
            return None
        none: Json = {"value": 0, "unit": "px"}
        offset_x, offset_y, blur, spread = [*sizes, none, none][:4]
        shadow: dict[str, Json] = {
            "color": colors[0],
            "offsetX": offset_x,
            "offsetY": offset_y,
            "blur": blur,
            "spread": spread,
        }
        return {**shadow, "inset": True} if inset else shadow


class _AsWritten:
    """The `Names` of values that are being written: names stand in them as rows have them."""

    def named(self, value: Json, kind: str) -> str | None:
        del kind
        name = isinstance(value, str) and _WHOLE_NAME.fullmatch(value)
        return name[0] if name else None

    def followed(self, value: Json) -> Json:
        return value

    def with_keys(self, text: str) -> str:
        return text


def _single(row: Token, node: Node) -> tuple[str, Json] | None:
    """The type and value of CSS that is one word."""
    if node.type == "number":
        value = _number(node)
        if value is None:
            return None
        is_weight = row.category == "font" and "weight" in row.key and 1 <= value <= 1000
        return ("fontWeight" if is_weight else "number"), value
    if node.type == "function" and node.lower_name == "cubic-bezier":
        numbers = [
            None if part[0].type != "number" else _number(part[0])
            for each in by_comma(node.arguments)
            if len(part := [word for word in each if word.type != "whitespace"]) == 1
        ]
        return ("cubicBezier", numbers) if len(numbers) == 4 and None not in numbers else None
    return _measure(node)


def _measure(node: Node) -> tuple[str, Json] | None:
    if node.type != "dimension" or node.lower_unit not in _UNITS:
        return None
    value = _number(node)
    of_unit: Json = {"value": value, "unit": node.lower_unit}
    return None if value is None else (_UNITS[node.lower_unit], of_unit)


def _number(node: Node) -> int | float | None:
    value: float = node.value
    if not math.isfinite(value) or abs(value) >= _BEYOND:
        return None
    return int(value) if value.is_integer() else value


def _color(css: str) -> JsonObject | None:
    color = tinycss2.color4.parse_color(css)
    if color is None or isinstance(color, str):
        return None
    components: list[Json] = [
        "none" if part is None else round(part, 5) for part in color.coordinates
    ]
    found: dict[str, Json] = {"colorSpace": color.space, "components": components}
    if color.alpha != 1:
        return {**found, "alpha": round(color.alpha, 5)}
    if color.space == "srgb" and re.fullmatch("#[0-9a-fA-F]{6}", css.strip()):
        found["hex"] = css.strip()
    return found
