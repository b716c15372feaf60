"""Gives names that are global in CSS, of keyframes and registered properties, a prefix.

The prefix is the component's own, so that two components can't redefine each other's names. A
registered property that the component's code sets or reads keeps its name there and here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import tinycss2
from tinycss2.ast import AtRule, Node

from robbieblocks.css_faults import KEYFRAMES, shorthand_keywords
from robbieblocks.css_text import css_string, walk
from robbieblocks.model import ComponentRow, sha256

_ANIMATIONS = frozenset(
    {"animation", "animation-name", "-webkit-animation", "-webkit-animation-name"}
)

_ANIMATION = re.compile(r"\s*animation(?:-name)?\s*:", re.IGNORECASE)
_WORD = re.compile(r"[^\s\"'`]+")
_PROPERTY = re.compile(r"--[\w-]+")
# What names of tokens usually begin with: a registered one might not be inherited from the root.
_OF_TOKENS = re.compile(
    r"--(?:animation|border|breakpoint|colors?|container|duration|ease|easing|font|layout|leading"
    r"|letter|line|opacity|radius|shadow|size|spac(?:e|ing)|text|tracking|z)-"
)


class GlobalNames:
    """The names that a stylesheet defines; `keyframes` and `properties` map each to its new name.

    `unknown` are the registered properties that the component's code names in vain, since they are
    called as tokens are. Where an animation is a custom property, keyframes have their new name in
    those as well. Only rules at the top level and in `groups` (the at-rules that hold style rules)
    define names.
    """

    def __init__(self, row: ComponentRow, rules: Iterable[Node], groups: Collection[str]) -> None:
        self.keyframes: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self._prefix = f"rb-{sha256(row.key)[:8]}-"
        self._through_variables = False
        self._collect(rules, groups)
        css = row.css
        named = self.properties.keys() & _PROPERTY.findall(row.code) if self.properties else ()
        self.unknown = sorted(name for name in named if _OF_TOKENS.match(name))
        self.properties.update((name, name) for name in named if name not in self.unknown)
        if self.keyframes:
            self._through_variables = any(
                "var(" in part and _ANIMATION.match(part) for part in re.split("[;{}]", css)
            )

    def rename(self, tokens: Iterable[Node], declared: str) -> None:
        """Replace the names in the value of the property `declared`, in place."""
        if not (self.keyframes or self.properties):
            return
        animation = declared in _ANIMATIONS or (
            self._through_variables and declared.startswith("--")
        )
        tokens = list(tokens)
        keywords = set[int]()
        if animation and not declared.endswith("-name"):
            keywords.update(map(id, shorthand_keywords(tokens)))
        for token in walk(tokens):
            if token.type == "ident" and token.value in self.properties:
                token.value = self.properties[token.value]
            elif (
                animation
                and token.type in ("ident", "string")
                and token.value in self.keyframes
                and id(token) not in keywords
            ):
                token.value = self.keyframes[token.value]
                if token.type == "string":
                    token.representation = css_string(token.value)

    def inline_animations(self, code: str) -> Iterator[str]:
        """The keyframes that the component's code seems to name in an inline style or a utility."""
        if not self.keyframes or "anim" not in code:
            return
        utilities = {
            name
            for word in _WORD.findall(code)
            if "animate-[" in word or "[animation" in word
            for name in re.split(r"[_,:\[\]]", word)
        }
        words: set[str] = set()
        if re.search(r"\banimation(Name)?\b", code):
            quoted = " ".join(re.findall(r"[\"'`]([^\"'`\n]*)", code))
            words = {word for text in quoted.split() for word in (text, text.strip(",;"))}
        yield from (name for name in self.keyframes if name in words or name in utilities)

    def _collect(self, rules: Iterable[Node], groups: Collection[str]) -> None:
        for rule in rules:
            if not isinstance(rule, AtRule):
                continue
            name = defined_name(rule)
            if rule.lower_at_keyword in KEYFRAMES and name is not None:
                self.keyframes[name.value] = self._prefix + name.value
            elif rule.lower_at_keyword == "property" and name is not None:
                self.properties[name.value] = f"--{self._prefix}{name.value.removeprefix('--')}"
            elif (
                rule.lower_at_keyword in groups
                and rule.content is not None
                and any(token.type == "at-keyword" for token in rule.content)
            ):
                self._collect(tinycss2.parse_blocks_contents(rule.content, True, True), groups)


def defined_name(rule: AtRule) -> Node | None:
    """The identifier or string that names a rule, such as the `x` of `@keyframes x`."""
    return next((token for token in rule.prelude if token.type in ("ident", "string")), None)
