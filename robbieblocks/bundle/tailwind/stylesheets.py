"""The stylesheets of utility classes that pages load: one for each set of classes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.bundle.styles import minified
from robbieblocks.bundle.tailwind.classes import KnownClasses
from robbieblocks.model import Asset, Importing, reachable

_VARIABLE: Final = re.compile(r"--[a-zA-Z0-9_-]+")
_MAX_SHEETS: Final = 4000

Sheets = dict[frozenset[str], Asset | None]


@dataclass(frozen=True, slots=True, eq=False)
class UtilityStylesheets:
    """The stylesheet for any components of one bundle. It holds data only, and starts nothing.

    `classes` are the utility classes and theme variables that each component uses itself, by its
    key, and `components` say which import which. `token_variables` are defined by tokens, so a
    stylesheet does not define them. Stylesheets are written when they are first needed and kept:
    `by_classes` is shared by all bundles of a theme, where equal classes give equal stylesheets.
    """

    known: KnownClasses
    classes: Mapping[str, frozenset[str]]
    components: Mapping[str, Importing]
    token_variables: frozenset[str]
    by_classes: Sheets
    by_components: Sheets = field(default_factory=Sheets)

    def for_components(self, keys: Collection[str]) -> Asset | None:
        """The stylesheet of what these components and all that they import use, if anything."""
        wanted = frozenset(keys)
        if wanted not in self.by_components:
            used = [self.classes[key] for key in reachable(wanted, self.components)]
            self.by_components[wanted] = self._for_classes(frozenset[str]().union(*used))
        return self.by_components[wanted]

    def _for_classes(self, used: frozenset[str]) -> Asset | None:
        if len(self.by_classes) > _MAX_SHEETS:
            self.by_classes.clear()
        if used not in self.by_classes:
            self.by_classes[used] = self._written(used) if used else None
        return self.by_classes[used]

    def _written(self, used: frozenset[str]) -> Asset:
        known = self.known
        rules = "".join(css for word, css in known.rules.items() if word in used)
        variables = self._variables(rules + " ".join(w for w in used if w.startswith("--")))
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

    def _variables(self, css: str) -> dict[str, str]:
        """The theme's variables that the text refers to and that no token defines."""
        theme = self.known.theme
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
