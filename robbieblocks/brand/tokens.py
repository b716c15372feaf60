"""Style tokens: defaults, a node's overrides, and the custom properties made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import tinycss2.color4
from tinycss2.ast import Node

from robbieblocks.brand.css import as_written, value_problem
from robbieblocks.css_text import by_comma, css_string, property_name
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import described, did_you_mean, json_pointer, printable
from robbieblocks.model import Json, JsonObject, NodeRow, TokenRow
from robbieblocks.names import KEY_LENGTH
from robbieblocks.row_faults import blame

THEMES = ("dark", "light")
MAX_TOKENS = 2_000

# Custom properties are case-sensitive, so keys of tokens may hold capitals; other keys may not.
_TOKEN_KEY = re.compile(r"[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*")


def token_key_problem(key: str) -> str | None:
    """What is wrong with a token's key, or None."""
    if not key:
        return "is empty"
    if len(key) > KEY_LENGTH:
        return f"has {len(key)} characters, at most {KEY_LENGTH} are allowed"
    if _TOKEN_KEY.fullmatch(key):
        return None
    odd = next((c for c in key if not c.isascii() or not c.isprintable()), None)
    return f"holds {described(odd)}" if odd else "is not made of letters and digits in parts"


def flattened_overrides(overrides: JsonObject) -> dict[str, Json]:
    """Overrides by token key; `{"color": {"primary": ...}}` means the same as `color.primary`.

    Nulls are ignored. Raises ValueError where a key is given twice or nests too deep.
    """
    flat: dict[str, Json] = {}
    waiting: list[tuple[str, Json, int]] = [(key, value, 0) for key, value in overrides.items()]
    while waiting:
        key, value, depth = waiting.pop(0)
        if isinstance(value, dict):
            if depth >= 8:
                raise ValueError(f"`{printable(key)}` nests too deep")
            waiting += [(f"{key}.{name}", part, depth + 1) for name, part in value.items()]
        elif value is not None:
            if key in flat:
                raise ValueError(f"`{printable(key)}` is given twice, once nested")
            flat[key] = value
    return flat


def node_problem(node: NodeRow, field: str, what: str, remedy: str) -> Problem:
    """A problem in a node's branding."""
    key = printable(node.id)
    return Problem(entity="node_branding", key=key, field=field, what=what, remedy=remedy)


class ResolvedTokens:
    """A node's token values by key, as CSS text, with the category of each, and the problems.

    They are the defaults, replaced by the node's `style_overrides`. A value with an error is left
    out. An override of a token that has no row becomes a custom property too, with a warning.
    """

    def __init__(self, node: NodeRow, tokens: Sequence[TokenRow]) -> None:
        self.values: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.problems: list[Problem] = []
        self._node = node
        self._replaced: dict[str, Json] = {}
        self._defaults(tokens)
        self._overrides()
        self._collisions({token.key: token for token in tokens})
        self.values = dict(sorted(self.values.items()))

    def is_font(self, key: str) -> bool:
        """Whether a token may hold font families."""
        return self.categories.get(key) == "font" or key.startswith("font")

    def _defaults(self, tokens: Sequence[TokenRow]) -> None:
        if not isinstance(self._node.overrides, dict):
            found = self._node.overrides
            quoted = f": {printable(found)}" if isinstance(found, str) else ""
            what = f"the overrides are not an object{quoted}"
            self._of_node("", what, "write an object, or {}")
            return
        try:
            self._replaced = flattened_overrides(self._node.overrides)
        except ValueError as error:
            self._of_node("", str(error), "say it once")
        if len(tokens) + len(self._replaced) > MAX_TOKENS:
            self._of_node("", f"there are more than {MAX_TOKENS:,} tokens", "use fewer")
            return
        for token in tokens:
            if wrong := token_key_problem(token.key):
                self._of_token(token, "token_key", f"the key {wrong}", KEY_REMEDY)
            elif token.key == "theme":
                self._of_token(
                    token, "token_key", "`theme` is kept for dark and light", "rename it"
                )
            else:
                self.categories[token.key] = token.category
                if token.key not in self._replaced:
                    with blame(self.problems.append, "style_token", token.key, "default_value"):
                        self._default(token)

    def _default(self, token: TokenRow) -> None:
        if invalid := value_problem(token.default):
            self._of_token(token, "default_value", invalid.what, invalid.remedy)
        else:
            self._set(token.key, token.default)

    def _overrides(self) -> None:
        for key, value in self._replaced.items():
            if key == "theme":
                self._theme(value)
                continue
            if wrong := token_key_problem(key):
                self._of_node(key, f"the token's key {wrong}", KEY_REMEDY)
                continue
            if key not in self.categories:
                remedy = did_you_mean(key, self.categories)
                self._of_node(key, f"there is no token `{key}`", remedy, "warning")
            with self._blame(key):
                self._override(key, value)

    def _override(self, key: str, value: Json) -> None:
        text = _text(value)
        invalid = value_problem(text) if text is not None else None
        if text is None:
            self._of_node(key, "expected a CSS value as text", 'such as "#112233"')
        elif invalid is not None:
            self._of_node(key, f"token {key}: {invalid.what}", invalid.remedy)
        else:
            self._set(key, text)

    def _blame(self, key: str) -> blame:
        return blame(
            self.problems.append,
            "node_branding",
            self._node.id,
            "style_overrides",
            pointer=json_pointer(key),
        )

    def _collisions(self, rows: Mapping[str, TokenRow]) -> None:
        """Two keys that are one custom property: the rows at fault, or the override without one."""
        owners: dict[str, str] = {}
        for key in sorted(self.values):
            other = owners.setdefault(property_name(key), key)
            if other == key:
                continue
            for this, that in ((key, other), (other, key)):
                what = f"the tokens `{this}` and `{that}` are both {property_name(key)}"
                if this not in rows:
                    remedy = f"write `{that}`" if that in rows else "keep one of the two"
                    self._of_node(this, what, remedy)
                elif that in rows:
                    self._of_token(rows[this], "token_key", what, "rename or delete one of the two")

    def _theme(self, value: Json) -> None:
        if value not in THEMES:
            found = printable(value) if isinstance(value, str) else "what is no text"
            self._of_node("theme", f"unknown theme: {found}", f"known: {', '.join(THEMES)}")

    def _set(self, key: str, value: str) -> None:
        written = as_written(value)
        self.values[key] = valid_families(written) if self.is_font(key) else written
        if self.categories.get(key) == "color" and not _is_color(value):
            what = f"token {key}: `{printable(value)}` is no colour that CSS knows"
            self._of_node(key, what, "write #rrggbb, rgb(...), oklch(...) or a name", "warning")

    def _of_node(self, key: str, what: str, remedy: str, severity: Severity = "error") -> None:
        pointer = json_pointer(key) if key else ""
        problem = node_problem(self._node, "style_overrides", what, remedy)
        self.problems.append(replace(problem, pointer=pointer, severity=severity))

    def _of_token(self, token: TokenRow, place: str, what: str, remedy: str) -> None:
        key = printable(token.key)
        self.problems.append(
            Problem(entity="style_token", key=key, field=place, what=what, remedy=remedy)
        )


KEY_REMEDY = "use letters and digits, joined by single dots, dashes or underscores"


def _text(value: Json) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if math.isfinite(value) and abs(value) < 1e15 else None


@lru_cache(maxsize=1024)
def _is_color(value: str) -> bool:
    nodes = tinycss2.parse_component_value_list(value.strip())
    if any(node.type == "function" and node.lower_name in _OTHER_COLORS for node in nodes):
        return True
    return tinycss2.color4.parse_color(value) is not None


# Functions whose colour depends on other values, or that tinycss2 can't read.
_OTHER_COLORS = frozenset(
    {"var", "color-mix", "light-dark", "linear-gradient", "radial-gradient", "conic-gradient"}
    | {"repeating-linear-gradient", "color", "rgb", "hsl", "oklch", "oklab", "lab", "lch", "hwb"}
)

GENERIC_FAMILIES = frozenset(
    {"serif", "sans-serif", "monospace", "cursive", "fantasy", "math", "emoji", "fangsong"}
    | {"system-ui", "ui-serif", "ui-sans-serif", "ui-monospace", "ui-rounded", "inherit", "initial"}
)
_SYSTEM_FAMILIES = frozenset(
    {"-apple-system", "blinkmacsystemfont", "segoe ui", "helvetica neue", "helvetica", "arial"}
    | {"georgia", "times new roman", "times", "courier new", "courier", "verdana", "tahoma"}
    | {"menlo", "monaco", "consolas", "sf mono", "cambria", "palatino", "trebuchet ms", "impact"}
)


# What a bare family's words may be: `Press Start 2P` ends in a dimension.
_FAMILY_WORDS = frozenset({"ident", "number", "dimension"})


def families(value: str) -> list[str]:
    """The families of a `font-family` value, in order; empty where the value is another one.

    It is taken for `font-family` where an item is quoted, generic, or written as names are, with a
    capital (`Inter`, `Press Start 2P`): `16px` and `bold` are not.
    """
    names: list[str] = []
    certain = False
    for nodes in by_comma(tinycss2.parse_component_value_list(value)):
        words = [node for node in nodes if node.type != "whitespace"]
        if len(words) == 1 and words[0].type == "string":
            names.append(words[0].value)
            certain = True
        elif (
            words and words[0].type == "ident" and all(node.type in _FAMILY_WORDS for node in words)
        ):
            names.append(" ".join(map(_word, words)))
            generic = names[-1].lower() in GENERIC_FAMILIES
            certain = certain or generic or any(map(str.isupper, words[0].value))
        else:
            return []
    return names if certain else []


def valid_families(value: str) -> str:
    """A `font-family` value as CSS takes it: a bare name with a number in it gets its quotes."""
    parts = by_comma(tinycss2.parse_component_value_list(value))
    names = families(value)
    if all(node.type in ("ident", "string", "whitespace") for nodes in parts for node in nodes):
        return value
    return (
        ", ".join(
            css_string(name)
            if any(node.type in ("number", "dimension") for node in nodes)
            else tinycss2.serialize(nodes).strip()
            for name, nodes in zip(names, parts, strict=True)
        )
        if names
        else value
    )


def _word(node: Node) -> str:
    text: str = node.value if node.type == "ident" else node.serialize()
    return text


def not_installed(names: Sequence[str]) -> list[str]:
    """The families of a list that are neither generic nor common on visitors' machines."""
    return [name for name in names if name.lower() not in GENERIC_FAMILIES | _SYSTEM_FAMILIES]
