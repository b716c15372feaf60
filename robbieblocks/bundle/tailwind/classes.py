"""What Tailwind said of words under one theme: the rules of those that are classes."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Final

from robbieblocks.bundle.tailwind.safe_rules import safe_rules
from robbieblocks.row_faults import blame

_MAX_OTHER_WORDS: Final = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClasses:
    """The known words of one theme.

    `rules` are the rules of classes, in Tailwind's order, and `properties` the @property rules that
    a class needs, by name. `other_words` may be classes by their form and are none. `roots` are the
    names of all utilities, `theme` the theme's variables, `keyframes` its keyframes by name.
    """

    rules: Mapping[str, str] = field(default_factory=dict[str, str])
    properties: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )
    other_words: frozenset[str] = frozenset()
    theme: Mapping[str, str] = field(default_factory=dict[str, str])
    keyframes: Mapping[str, str] = field(default_factory=dict[str, str])
    roots: frozenset[str] = frozenset()

    def packed(self) -> bytes:
        """As a cache entry."""
        members = {each.name: getattr(self, each.name) for each in fields(self)}
        return json.dumps(members, default=sorted).encode()

    @classmethod
    def unpacked(cls, content: bytes) -> KnownClasses:
        """What `packed` was given; JSON keeps the order of the rules."""
        members = json.loads(content)
        for name in ("other_words", "roots"):
            members[name] = frozenset(members[name])
        return cls(**members)

    def unknown(self, words: Iterable[str]) -> list[str]:
        """The words about which Tailwind has to be asked: all of them before the first answer."""
        return [
            word
            for word in words
            if word not in self.rules
            and word not in self.other_words
            and (not self.roots or may_be_class(word, self.roots))
        ]

    def used(self, words: frozenset[str]) -> frozenset[str]:
        """Those of the words, all of them known, that are classes or variables of the theme."""
        return frozenset(words & self.rules.keys()) | (words & self.theme.keys())

    def with_answer(
        self, words: Collection[str], css: Iterable[str | None], order: Iterable[str]
    ) -> KnownClasses:
        """These and Tailwind's answer: each word's CSS, and all classes in their rules' order."""
        rules, properties = dict(self.rules), dict(self.properties)
        others: set[str] = set()
        for word, told in zip(words, css, strict=True):
            safe = None
            # A word over whose rules the parser fails is no class.
            with blame(lambda _: None, "class", word):
                safe = safe_rules(word, told) if told else None
            if safe is not None:
                rules[word], properties[word] = safe
            elif may_be_class(word, self.roots):
                others.add(word)
        return replace(
            self._with_other_words(others),
            rules={word: rules[word] for word in order if word in rules},
            properties=properties,
        )

    def without(self, word: str) -> KnownClasses:
        """These, with a word that is no class."""
        return self._with_other_words({word})

    def emptied(self) -> KnownClasses:
        """What holds of the theme, without any word."""
        return replace(self, rules={}, properties={}, other_words=frozenset[str]())

    def _with_other_words(self, words: set[str]) -> KnownClasses:
        known = self.other_words if len(self.other_words) <= _MAX_OTHER_WORDS else frozenset[str]()
        return replace(self, other_words=known | words)


def may_be_class(word: str, roots: Collection[str]) -> bool:
    """Whether a word may be a class of utilities with these names; many that may are none.

    Before a utility stand variants, each with a colon; it may be negative or important, and have
    a value behind a dash and a modifier behind a slash.
    """
    for part in word.split(":"):
        base = part.strip("!")
        if base.startswith("[") or base.partition("/")[0] in roots:
            return True
        at = base.find("-", 1)
        while at > 0:
            if base[:at] in roots:
                return True
            at = base.find("-", at + 1)
    return False
