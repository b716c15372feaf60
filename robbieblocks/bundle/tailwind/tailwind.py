"""Learns from Tailwind which words are classes, and writes stylesheets of them.

The compiler starts only for words that were never seen and may be classes. There is one stylesheet
for each set of classes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from robbieblocks.bundle.entries import versioned
from robbieblocks.bundle.styles import minified
from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.bundle.tailwind.design_system import DesignSystem
from robbieblocks.bundle.tailwind.theme import theme_css
from robbieblocks.cache import Cache
from robbieblocks.css_text import property_name
from robbieblocks.model import Asset, Importing, Sha256, TokenRow, reachable, sha256
from robbieblocks.toolchain import Toolchain

_KIND: Final = "tailwind"
_MAX_LEARNT: Final = 60_000
# With ten times as many, Tailwind's isolate runs out of memory over each further question.
_MAX_RULES: Final = 40_000
_ASKED_AT_ONCE: Final = 10_000
_VARIABLE: Final = re.compile(r"--[a-zA-Z0-9_-]+")
_MAX_SHEETS: Final = 4000

Sheets = dict[frozenset[str], Asset | None]


class Tailwind:
    """Utility classes under one set of tokens. `load` makes the compiler for a theme's CSS."""

    def __init__(
        self,
        toolchain: Toolchain,
        cache: Cache,
        tokens: Sequence[TokenRow],
        load: Callable[[str], DesignSystem],
    ) -> None:
        self._cache = cache
        self._load = load
        self._token_variables = frozenset(property_name(token.key) for token in tokens)
        self._theme_css = theme_css(tokens)
        self._cache_key = sha256("\0".join((toolchain.id, self._theme_css)))
        self._known = KnownClasses()
        self._learnt: frozenset[str] = frozenset()
        self._sheets: Sheets = {}

    @property
    def key(self) -> Sha256:
        """Equal for tokens under which equal words give equal stylesheets."""
        return sha256("\0".join((self._cache_key, *sorted(self._token_variables))))

    @cached_property
    def design_system(self) -> DesignSystem:
        """The compiler; it starts nothing before it is asked."""
        return self._load(self._theme_css)

    def prepare(self) -> None:
        """Let the compiler get ready in the background, if it will have to be asked."""
        if not self._known.roots:
            self._recall()
        if not self._known.roots:
            self.design_system.prepare()

    def learn(self, words: frozenset[str]) -> KnownClasses:
        """What is known, with all of these words; only new ones are asked about.

        Where that would be more than 40,000 classes, all others are forgotten. Of more classes than
        that at once, the first by alphabet count, and the others are none.
        """
        if self._known.unknown(words - self._learnt):
            # Another process may have learnt them already.
            self._recall()
            if missing := self._known.unknown(words):
                if len(self._known.rules) + len(missing) > _MAX_RULES:
                    self._known, self._learnt = self._known.emptied(), frozenset()
                    missing = self._known.unknown(words)
                self._ask(sorted(missing))
                self._cache.put_many(versioned(_KIND), {self._cache_key: self._known.packed()})
        self._learnt = words if len(self._learnt) > _MAX_LEARNT else self._learnt | words
        return self._known

    def _ask(self, words: list[str]) -> None:
        while words and len(self._known.rules) < _MAX_RULES:
            self._known = self.design_system.ask(self._known, words[:_ASKED_AT_ONCE])
            words = self._known.unknown(words[_ASKED_AT_ONCE:])

    def stylesheets(
        self, words: Mapping[str, frozenset[str]], components: Mapping[str, Importing]
    ) -> UtilityStylesheets:
        """The stylesheets of components, from the words that each has in its text, by its key.

        Raises ProcessFailed where the compiler has to be asked and can't run.
        """
        known = self.learn(frozenset[str]().union(*words.values()))
        return UtilityStylesheets(
            learn=self.learn,
            classes={key: known.used(own) for key, own in words.items()},
            components=components,
            token_variables=self._token_variables,
            by_classes=self._sheets,
        )

    def _recall(self) -> None:
        content = self._cache.get_many(versioned(_KIND), [self._cache_key]).get(self._cache_key)
        if content is not None:
            self._known = KnownClasses.unpacked(content)


@dataclass(frozen=True, slots=True, eq=False)
class UtilityStylesheets:
    """The stylesheet for any components of one bundle, and for words of what they render to.

    `learn` asks Tailwind about words that were never seen. `classes` are the utility classes and
    theme variables that each component uses itself, by its key, and `components` say which import
    which. `token_variables` are defined by tokens, so a stylesheet does not define them.
    Stylesheets are written when they are first needed and kept: `by_classes` is shared by all
    bundles of a theme, where equal classes give equal stylesheets.
    """

    learn: Callable[[frozenset[str]], KnownClasses]
    classes: Mapping[str, frozenset[str]]
    components: Mapping[str, Importing]
    token_variables: frozenset[str]
    by_classes: Sheets
    by_components: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    @property
    def known(self) -> KnownClasses:
        """All that is known by now."""
        return self.learn(frozenset())

    def for_components(
        self, keys: Collection[str], words: frozenset[str] = frozenset()
    ) -> Asset | None:
        """The stylesheet of what these components and all that they import use, if anything.

        `words` are more that may be classes. Raises ProcessFailed where Tailwind has to be asked
        about one of them and can't run.
        """
        used = self._of_components(frozenset(keys))
        if not words <= used:
            more = words - used
            used |= self.learn(more).used(more)
        return self._for_classes(used)

    def _of_components(self, keys: frozenset[str]) -> frozenset[str]:
        known = self.by_components.get(keys)
        if known is None:
            used = [self.classes[key] for key in reachable(keys, self.components)]
            known = self.by_components[keys] = frozenset[str]().union(*used)
        return known

    def _for_classes(self, used: frozenset[str]) -> Asset | None:
        if len(self.by_classes) > _MAX_SHEETS:
            self.by_classes.clear()
        if used not in self.by_classes:
            self.by_classes[used] = self._written(used) if used else None
        return self.by_classes[used]

    def _written(self, used: frozenset[str]) -> Asset:
        known = self.learn(used)  # it may have been forgotten since
        rules = "".join(css for word, css in known.rules.items() if word in used)
        text = rules + " ".join(w for w in used if w.startswith("--"))
        variables = self._variables(text, known.theme)
        palette = "".join(f"{name}:{value};" for name, value in sorted(variables.items()))
        keyframes = "".join(
            css
            for name, css in sorted(known.keyframes.items())
            if _names_keyframes(name, variables.values(), rules)
        )
        registered: dict[str, str] = {}
        for word in sorted(used):
            registered.update(known.properties.get(word, {}))
        css = (
            (f"@layer tokens.palette{{:root{{{palette}}}}}" if palette else "")
            + f"@layer utilities{{{rules}}}{keyframes}"
            + "".join(registered[name] for name in sorted(registered))
        )
        return Asset.of("utilities", "css", minified(css))

    def _variables(self, css: str, theme: Mapping[str, str]) -> dict[str, str]:
        """The theme's variables that the text refers to and that no token defines."""
        found: dict[str, str] = {}
        pending = _VARIABLE.findall(css)
        while pending:
            name = pending.pop()
            if name in theme and name not in found and name not in self.token_variables:
                found[name] = theme[name]
                pending += _VARIABLE.findall(theme[name])
        return found


def variables_in(texts: Iterable[str]) -> frozenset[str]:
    """The custom properties that texts refer to."""
    return frozenset(name for text in texts for name in _VARIABLE.findall(text))


def _names_keyframes(name: str, values: Iterable[str], rules: str) -> bool:
    """Whether a variable's value, or an animation in the rules, names these keyframes."""
    whole = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    return any(re.search(whole, value) for value in values) or bool(
        re.search(rf"animation[^;{{}}]*{whole}", rules)
    )
