"""Class names that are almost those of a stylesheet: misspelt ones."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.markup import Markup
from robbieblocks.checks.rows import each_page
from robbieblocks.checks.sources import in_text, without_comments
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest, printable
from robbieblocks.pipeline import InspectedPage

# So like each other that one is meant for the other: `card__titel`, `bg-primry`.
_LIKENESS: Final = 0.9
_SHORTEST: Final = 5
# Of so many names of a component each is compared with all known ones, which takes milliseconds.
_MAX_NAMES: Final = 200
_DIGITS: Final = re.compile(r"\d+")
# Utilities that take a token's name, by the beginning of its custom property.
_UTILITIES: Final = {
    "--color-": ("bg", "text", "border", "fill", "stroke", "ring", "outline", "from", "via", "to"),
    "--spacing-": ("p", "px", "py", "m", "mx", "my", "mt", "mb", "pt", "pb", "gap", "space-y"),
    "--radius-": ("rounded",),
    "--shadow-": ("shadow",),
    "--font-": ("font",),
}


def unknown_classes(checked: Checked) -> Iterable[Found]:
    """Classes of a component's own text that no stylesheet has, and that are almost one it has.

    Any other class without styles may be there for a script or a test.
    """
    known: dict[tuple[str, str], frozenset[str]] = {}
    told = _told_by_build(checked)

    def known_in(component: str, app: str) -> frozenset[str]:
        if (component, app) not in known:
            known[component, app] = _known_classes(component, app, checked)
        return known[component, app]

    judged: defaultdict[str, set[str]] = defaultdict(set)

    def of_page(page: InspectedPage, markup: Markup, checked: Checked) -> Iterator[Problem]:
        components = {block.order: block.component for block in page.page.blocks}
        for written, order in markup.classes:
            key = components[order]
            fresh = dict.fromkeys(written.split()).keys() - known_in(key, page.page.app) - told
            left = _MAX_NAMES - len(judged[key])
            for name in sorted(fresh - judged[key])[:left]:
                judged[key].add(name)
                yield from _misspelt(name, key, known_in(key, page.page.app), checked)

    return each_page(of_page)(checked)


def _told_by_build(checked: Checked) -> frozenset[str]:
    """The words in a build's warnings of components' code: utilities without a token."""
    warnings = (
        each.what
        for each in checked.inspection.problems
        if each.severity == "warning" and each.field == "react_code"
    )
    return frozenset(word.strip(",") for what in warnings for word in what.split())


def _misspelt(name: str, key: str, known: frozenset[str], checked: Checked) -> Iterator[Problem]:
    meant = _meant(name, known)
    whole = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    for row in checked.sources.reached(key) if meant else ():
        if found := whole.search(without_comments(row.code)):
            place = in_text("component", row.key, "react_code", row.code, found.start())
            what = f"no stylesheet has the class {printable(name)}"
            yield place.problem(what, f"did you mean {printable(meant or '')}?")
            return


def _meant(name: str, known: frozenset[str]) -> str | None:
    if len(name) < _SHORTEST:
        return None
    for close in nearest(name, known):
        if SequenceMatcher(None, name, close).ratio() >= _LIKENESS and not _another(name, close):
            return close
    return None


def _another(name: str, close: str) -> bool:
    """Whether both are likely meant: a plural, or another number."""
    return (
        f"{name}s" == close
        or name == f"{close}s"
        or _DIGITS.sub("", name) == _DIGITS.sub("", close)
    )


def _known_classes(key: str, app: str, checked: Checked) -> frozenset[str]:
    """The classes that have styles in a block: of templates, nodes, its components and Tailwind."""
    own = {row.key for row in checked.sources.reached(key)}
    found: set[str] = set()
    for sheet in checked.sheets:
        if sheet.entity != "component" or sheet.key in own:
            found.update(sheet.classes)
    if app in checked.utilities:
        found.update(checked.utilities[app].classes)
    for token in checked.inspection.content.tokens:
        name = property_name(token.key)
        for start, roots in _UTILITIES.items():
            if name.startswith(start):
                found.update(f"{root}-{name.removeprefix(start)}" for root in roots)
    return frozenset(found)
