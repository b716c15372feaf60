"""Style tokens: defaults, a node's overrides, and the custom properties made of them."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from robbieblocks.brand.aliases import MAX_NAMED, alias_problem, circle_problem, in_order
from robbieblocks.brand.css import CssProblem, as_written, is_color, token_doubt, value_problem
from robbieblocks.brand.families import valid_families
from robbieblocks.brand.node_texts import node_text_problem
from robbieblocks.css_faults import USE, meant_variable, unknown_variable
from robbieblocks.css_text import named_tokens, property_name, with_tokens
from robbieblocks.errors import Problem, Severity
from robbieblocks.messages import described, did_you_mean, json_pointer, no_object, printable
from robbieblocks.model import NODE_KEYS, Json, JsonObject, NodeRow, TokenRow, kept_for
from robbieblocks.names import KEY_LENGTH
from robbieblocks.row_faults import blame

THEMES = ("dark", "light")
MAX_TOKENS = 2_000
_MAX_SUGGESTIONS = 20

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

    They are the defaults, replaced by the node's `style_overrides`; then each `{key}` in them is
    replaced by the value of the token that it names. `aliases` are the keys that each value names.
    A value with an error is left out, and so is one that names it. An override of a token that has
    no row becomes a custom property too, with a warning.
    """

    def __init__(self, node: NodeRow, tokens: Sequence[TokenRow]) -> None:
        self.values: dict[str, str] = {}
        self.categories: dict[str, str] = {}
        self.aliases: dict[str, tuple[str, ...]] = {}
        self.problems: list[Problem] = []
        self._node = node
        self._replaced: dict[str, Json] = {}
        # Values as rows have them.
        self._texts: dict[str, str] = {}
        self._defaults(tokens)
        self._overrides()
        self._resolve()
        self._misspelt()
        self._collisions({token.key: token for token in tokens})
        self.values = dict(sorted(self.values.items()))

    def is_font(self, key: str) -> bool:
        """Whether a token may hold font families."""
        return self.categories.get(key) == "font" or key.startswith("font")

    def _defaults(self, tokens: Sequence[TokenRow]) -> None:
        if not isinstance(self._node.overrides, dict):
            what = no_object("the overrides are", self._node.overrides)
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
                self._of_token(token.key, "token_key", f"the key {wrong}", KEY_REMEDY)
            elif token.key in NODE_KEYS:
                what = f"`{token.key}` is kept for {kept_for(token.key)}"
                self._of_token(token.key, "token_key", what, "rename it")
            else:
                self.categories[token.key] = token.category
                if token.key not in self._replaced:
                    self._texts[token.key] = token.default

    def _overrides(self) -> None:
        for key, value in self._replaced.items():
            if key == "theme":
                self._theme(value)
                continue
            if key in NODE_KEYS:
                if wrong_text := node_text_problem(key, value):
                    self._of_node(key, *wrong_text)
                continue
            if wrong := token_key_problem(key):
                self._of_node(key, f"the token's key {wrong}", KEY_REMEDY)
                continue
            if key not in self.categories:
                remedy = self._suggestion(key, self.categories)
                self._of_node(key, f"there is no token `{key}`", remedy, "warning")
            text = _text(value)
            if text is None:
                self._of_node(key, "expected a CSS value as text", 'such as "#112233"')
            else:
                self._texts[key] = text

    def _resolve(self) -> None:
        """Set each value, after those that it names."""
        for key, text in self._texts.items():
            names = named_tokens(text)
            if len(names) > MAX_NAMED:
                what = f"the value names {len(names):,} tokens"
                self._of_value(key, CssProblem(what, f"name at most {MAX_NAMED}"))
            elif names:
                self.aliases[key] = names
            else:
                with self._blame(key):
                    self._set_checked(key, text)
        order, circles = in_order(self.aliases)
        for circle in circles:
            self._of_value(*circle_problem(circle, self._replaced))
        known = self.categories.keys() | self._texts.keys()
        for key in order:
            names = self.aliases[key]
            unknown = next((name for name in names if name not in known), None)
            with self._blame(key):
                if unknown is not None:
                    what = f"the value names {{{printable(unknown)}}}, which is no token"
                    self._of_value(key, CssProblem(what, self._suggestion(unknown, known)))
                elif wrong := alias_problem(key, self._texts[key], self.categories):
                    self._of_value(key, wrong)
                # Where a token that is named has no value, its own row has the error.
                elif all(name in self.values for name in names):
                    self._set_checked(key, with_tokens(self._texts[key], self.values))

    def _misspelt(self) -> None:
        """Custom properties that values read, and that are almost those of tokens."""
        known = {property_name(key) for key in self.values}
        asked: set[str] = set()
        for key, text in self._texts.items():
            for found in USE.finditer(text) if "var(" in text else ():
                if found[1] in known or found[1] in asked or len(asked) >= _MAX_SUGGESTIONS:
                    continue
                asked.add(found[1])
                if (near := meant_variable(found[1], known)) is not None:
                    problem = CssProblem(unknown_variable(found[1]), f"did you mean {near}?")
                    self._of_value(key, problem, "warning", rule="unknown-token")

    def _suggestion(self, key: str, known: Collection[str]) -> str:
        """A remedy for a key that is unknown; comparing it with all others takes milliseconds."""
        if len(self.problems) >= _MAX_SUGGESTIONS:
            return "name a token that there is"
        return did_you_mean(key, known)

    def _set_checked(self, key: str, value: str) -> None:
        if invalid := value_problem(value):
            self._of_value(key, invalid)
        else:
            self._set(key, value)

    def _blame(self, key: str) -> blame:
        if key not in self._replaced:
            return blame(self.problems.append, "style_token", key, "default_value")
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
                    self._of_token(this, "token_key", what, "rename or delete one of the two")

    def _theme(self, value: Json) -> None:
        if value not in THEMES:
            found = printable(value) if isinstance(value, str) else "what is no text"
            self._of_node("theme", f"unknown theme: {found}", f"known: {', '.join(THEMES)}")

    def _set(self, key: str, value: str) -> None:
        written = as_written(value)
        self.values[key] = valid_families(written) if self.is_font(key) else written
        if (doubt := token_doubt(self.values[key], self.categories.get(key, ""), key)) is not None:
            # Where it only stands for a token that is named, that one's row has the warning.
            if key not in self.aliases:
                self._of_value(key, doubt, "warning")
        elif self._is_wrong_color(key) and not any(
            map(self._is_wrong_color, self.aliases.get(key, ()))
        ):
            what = f"`{printable(value)}` is no colour that CSS knows"
            remedy = "write #rrggbb, rgb(...), oklch(...) or a name"
            self._of_value(key, CssProblem(what, remedy), "warning")

    def _is_wrong_color(self, key: str) -> bool:
        return self.categories.get(key) == "color" and not is_color(self.values[key])

    def _of_node(
        self, key: str, what: str, remedy: str, severity: Severity = "error", rule: str = ""
    ) -> None:
        pointer = json_pointer(key) if key else ""
        problem = node_problem(self._node, "style_overrides", what, remedy)
        self.problems.append(replace(problem, pointer=pointer, severity=severity, rule=rule))

    def _of_value(
        self, key: str, problem: CssProblem, severity: Severity = "error", rule: str = ""
    ) -> None:
        what, remedy = problem.what, problem.remedy
        if key in self._replaced:
            self._of_node(key, f"token {key}: {what}", remedy, severity, rule)
        else:
            self._of_token(key, "default_value", what, remedy, severity, rule)

    def _of_token(
        self,
        key: str,
        field: str,
        what: str,
        remedy: str,
        severity: Severity = "error",
        rule: str = "",
    ) -> None:
        self.problems.append(
            Problem(
                entity="style_token",
                key=printable(key),
                field=field,
                what=what,
                remedy=remedy,
                severity=severity,
                rule=rule,
            )
        )


KEY_REMEDY = "use letters and digits, joined by single dots, dashes or underscores"


def _text(value: Json) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if math.isfinite(value) and abs(value) < 1e15 else None
