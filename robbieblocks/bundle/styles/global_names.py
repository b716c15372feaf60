"""Gives names that are global in CSS, such as those of keyframes and layers, a prefix.

The prefix is the component's own, so that two components can't redefine each other's names. A
registered property that the component's code sets or reads keeps its name there and here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import tinycss2
from tinycss2.ast import AtRule, Node

from robbieblocks.bundle.styles.named_values import KINDS
from robbieblocks.css_faults import KEYFRAMES, shorthand_keywords
from robbieblocks.css_text import by_comma, css_string, walk
from robbieblocks.model import ComponentRow, sha256

_ANIMATIONS = frozenset(
    {"animation", "animation-name", "-webkit-animation", "-webkit-animation-name"}
)

_WORD = re.compile(r"[^\s\"'`]+")
_PROPERTY = re.compile(r"--[\w-]+")
# What names of tokens usually begin with: a registered one might not be inherited from the root.
_OF_TOKENS = re.compile(
    r"--(?:animation|border|breakpoint|colors?|container|duration|ease|easing|font|layout|leading"
    r"|letter|line|opacity|radius|shadow|size|spac(?:e|ing)|text|tracking|z)-"
)


class GlobalNames:
    """The names that a stylesheet defines; `keyframes` and `properties` map each to its new name.

    So do `others`, by the at-rule that defines it, which is one of `KINDS`.
    `unknown` are the registered properties that the component's code names in vain, since they are
    called as tokens are. Where an animation is a custom property, keyframes have their new name in
    those as well. Only rules at the top level and in `groups` (the at-rules that hold style rules)
    define names.
    """

    def __init__(self, row: ComponentRow, rules: Iterable[Node], groups: Collection[str]) -> None:
        self.keyframes: dict[str, str] = {}
        self.properties: dict[str, str] = {}
        self.others: dict[str, dict[str, str]] = {}
        self._prefix = f"rb-{sha256(row.key)[:8]}-"
        self._through_variables = False
        self._collect(rules, groups)
        css = row.css
        named = self.properties.keys() & _PROPERTY.findall(row.code) if self.properties else ()
        self.unknown = sorted(name for name in named if _OF_TOKENS.match(name))
        self.properties.update((name, name) for name in named if name not in self.unknown)
        if self.keyframes:
            self._through_variables = _through_variables(css, _ANIMATIONS)
        self._indirect = {
            at_rule for at_rule in self.others if _through_variables(css, KINDS[at_rule].properties)
        }

    def layer(self, prelude: Iterable[Node]) -> None:
        """Give the layers that a rule at the top level names the component's own names, in place.

        Of `a.b` the first one: the others are in it.
        """
        for part in by_comma(prelude):
            first = next((token for token in part if token.type == "ident"), None)
            if first is not None:
                first.value = self._prefix + first.value

    def rename(self, tokens: Iterable[Node], declared: str) -> None:
        """Replace the names in the value of the property `declared`, in place."""
        if not (self.keyframes or self.properties or self.others):
            return
        tokens = list(tokens)
        for at_rule, new_names in self.others.items():
            indirect = at_rule in self._indirect and declared.startswith("--")
            for token in walk(tokens) if indirect else KINDS[at_rule].named(tokens, declared):
                if token.type == "ident" and token.value in new_names:
                    token.value = new_names[token.value]
        animation = declared in _ANIMATIONS or (
            self._through_variables and declared.startswith("--")
        )
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

    def others_in_code(self, code: str) -> Iterator[tuple[str, str]]:
        """What the code seems to name of `others` in an inline style: what it is, and the name."""
        for at_rule, new_names in self.others.items():
            kind = KINDS[at_rule]
            if not kind.code.search(code):
                continue
            quoted = " ".join(re.findall(r"[\"'`]([^\"'`\n]*)", code))
            words = set(re.findall(r"[\w-]+", quoted))
            yield from ((kind.title, name) for name in new_names if name in words)

    def _collect(self, rules: Iterable[Node], groups: Collection[str]) -> None:
        for rule in rules:
            if not isinstance(rule, AtRule):
                continue
            name = defined_name(rule)
            if rule.lower_at_keyword in KEYFRAMES and name is not None:
                self.keyframes[name.value] = self._prefix + name.value
            elif rule.lower_at_keyword == "property" and name is not None:
                self.properties[name.value] = _prefixed(name.value, self._prefix)
            elif rule.lower_at_keyword in KINDS and name is not None:
                known = self.others.setdefault(rule.lower_at_keyword, {})
                known[name.value] = _prefixed(name.value, self._prefix)
            elif (
                rule.lower_at_keyword in groups
                and rule.content is not None
                and any(token.type == "at-keyword" for token in rule.content)
            ):
                self._collect(tinycss2.parse_blocks_contents(rule.content, True, True), groups)


def defined_name(rule: AtRule) -> Node | None:
    """The identifier or string that names a rule, such as the `x` of `@keyframes x`."""
    return next((token for token in rule.prelude if token.type in ("ident", "string")), None)


def _prefixed(name: str, prefix: str) -> str:
    """The name behind a prefix, which stands behind the hyphens that a name begins with."""
    return f"--{prefix}{name[2:]}" if name.startswith("--") else prefix + name


def _through_variables(css: str, properties: Collection[str]) -> bool:
    """Whether one of the properties has a value with a variable."""
    for part in re.split("[;{}]", css) if "var(" in css else ():
        name, _, value = part.partition(":")
        if "var(" in value and name.rpartition("*/")[2].strip().lower() in properties:
            return True
    return False
