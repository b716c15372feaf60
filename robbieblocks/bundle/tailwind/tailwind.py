"""Learns from Tailwind which words are classes, and remembers it.

The compiler starts only for words that were never seen and may be classes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from robbieblocks.bundle.entries import versioned
from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.bundle.tailwind.design_system import DesignSystem
from robbieblocks.bundle.tailwind.stylesheets import Sheets, UtilityStylesheets
from robbieblocks.bundle.tailwind.theme import property_of, theme_css
from robbieblocks.cache import Cache
from robbieblocks.model import Importing, TokenRow, sha256
from robbieblocks.toolchain import Toolchain

_KIND: Final = "tailwind"
_MAX_LEARNT: Final = 60_000


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
        self._token_variables = frozenset(f"--{property_of(token.key)}" for token in tokens)
        self._theme_css = theme_css(tokens)
        self._cache_key = sha256("\0".join((toolchain.id, self._theme_css)))
        self._known = KnownClasses()
        self._learnt: frozenset[str] = frozenset()
        self._design_system: DesignSystem | None = None
        self._sheets: Sheets = {}

    @property
    def key(self) -> object:
        """Equal for tokens under which components get the same stylesheets."""
        return self._cache_key, self._token_variables

    @property
    def design_system(self) -> DesignSystem:
        """The compiler; it starts nothing before it is asked."""
        if self._design_system is None:
            self._design_system = self._load(self._theme_css)
        return self._design_system

    def prepare(self) -> None:
        """Let the compiler get ready in the background, if it will have to be asked."""
        if not self._known.roots:
            self._recall()
        if not self._known.roots:
            self.design_system.prepare()

    def learn(self, words: frozenset[str]) -> KnownClasses:
        """What is known, with all of these words; only new ones are asked about."""
        if self._known.unknown(words - self._learnt):
            # Another process may have learnt them already.
            self._recall()
            if missing := self._known.unknown(words):
                self._known = self.design_system.ask(self._known, missing)
                self._cache.put_many(versioned(_KIND), {self._cache_key: self._known.packed()})
        self._learnt = words if len(self._learnt) > _MAX_LEARNT else self._learnt | words
        return self._known

    def stylesheets(
        self, words: Mapping[str, frozenset[str]], components: Mapping[str, Importing]
    ) -> UtilityStylesheets:
        """The stylesheets of components, from the words that each has in its text, by its key.

        Raises ProcessFailed where the compiler has to be asked and can't run.
        """
        known = self.learn(frozenset[str]().union(*words.values()))
        return UtilityStylesheets(
            known=known,
            classes={key: known.used(own) for key, own in words.items()},
            components=components,
            token_variables=self._token_variables,
            by_classes=self._sheets,
        )

    def _recall(self) -> None:
        content = self._cache.get_many(versioned(_KIND), [self._cache_key]).get(self._cache_key)
        if content is not None:
            self._known = KnownClasses.unpacked(content)
