"""Contrast of text by node: the colour and the background that one rule sets, or one element's
utility classes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final, NamedTuple

import tinycss2
from tinycss2.ast import Node

from robbieblocks.checks import colors
from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.rows import MOST_OF_A_ROW
from robbieblocks.checks.sheets import Sheet, StyleRule, variables
from robbieblocks.checks.sources import Place
from robbieblocks.css_colors import Color, color, contrast
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import BrandedNode
from robbieblocks.row_faults import blame

# WCAG 2.2, 1.4.3: text of 24 px, or of 18.66 px in bold, is large.
_NORMAL: Final = 4.5
_MOST: Final = 21.0
_LARGE: Final = 3.0
_LARGE_PX: Final = 24.0
_LARGE_BOLD_PX: Final = 18.66
_BOLD: Final = 700
_BACKGROUNDS: Final = ("background", "background-color")
# Controls that can't be used need no contrast, and other media have colours of their own.
_EXEMPT: Final = re.compile(r":disabled|\[disabled|aria-disabled|:placeholder-shown")
_OTHER_MEDIA: Final = re.compile(r"print|forced-colors|prefers-contrast|prefers-color-scheme")
_THEME: Final = re.compile(r"""data-theme\s*=\s*["']?(dark|light)""")
# What lies below a background that one can see through, as far as can be told.
_GROUNDS: Final = ("--color-background", "--color-surface")
# What base styles write on the page's ground; headings are large.
_TEXTS: Final = {
    "--color-text": "",
    "--color-text-muted": "",
    "--color-link": "",
    "--color-heading": f"font-size: {_LARGE_PX}px",
}
_LENGTH: Final = re.compile(r"(?<![\d.])((?:\d*+\.)?\d++)(px|rem|em)\b")


class _Failure(NamedTuple):
    """A node on which a pair has too little contrast; `look` names its theme, if it has two."""

    node: str
    look: str
    ratio: float
    needed: float


@dataclass(frozen=True, slots=True)
class Ground:
    """What custom properties stand for on a node, those that a rule sets itself included."""

    values: Mapping[str, list[Node]]

    def text(self, declaration: Node | None) -> str | None:
        """A declaration's value without variables; None where one is not known."""
        if declaration is None:
            return None
        text = colors.substituted(declaration.value, self.values.get)
        return None if text is None else text.strip()


def low_contrast(checked: Checked) -> Iterator[Found]:
    """Text in colours that are too alike (WCAG 2.2 AA, 1.4.3), on each node."""
    judge = _Judge(checked)
    for sheet in checked.sheets:
        yield from judge.sheet(sheet)
    yield from judge.utilities()
    yield from judge.inline_styles()
    yield from judge.named_pairs()


class _Judge:
    """Judges pairs of colours with the tokens of each node."""

    def __init__(self, checked: Checked) -> None:
        parse = tinycss2.parse_component_value_list
        self._checked = checked
        self._brands = tuple(
            look for brand in checked.inspection.brands.values() for look in _looks(brand)
        )
        self._values = {
            (brand.id, brand.theme): {
                property_name(key): parse(value) for key, value in brand.tokens.items()
            }
            for brand in self._brands
        }
        tokens = checked.inspection.content.tokens
        self._names = {property_name(token.key): token.key for token in tokens}

    def sheet(self, sheet: Sheet) -> Iterator[Found]:
        """The pairs that a rule of a stylesheet sets."""
        faults: list[Problem] = []
        found: list[Found] = []
        with blame(faults.append, sheet.entity, sheet.key, sheet.field):
            found += islice(self._rules(sheet), MOST_OF_A_ROW)
        yield from (*found, *map(Found, faults))

    def _rules(self, sheet: Sheet) -> Iterator[Found]:
        for rule in sheet.rules:
            text = rule.last("color")
            if text is None or _EXEMPT.search(rule.selector):
                continue
            if any(map(_OTHER_MEDIA.search, rule.around)):
                continue
            theme = _THEME.search(rule.selector)
            nodes = [
                brand
                for brand in self._brands
                if sheet.node in ("", brand.id) and (theme is None or theme[1] == brand.theme)
            ]
            if failures := self._failures(rule, nodes):
                yield self._found(rule, failures, sheet.at(text))

    def utilities(self) -> Iterator[Found]:
        """The pairs that the utility classes of one element set."""
        rules = {
            app: {name: rule for rule in sheet.rules if (name := _only_class(rule))}
            for app, sheet in self._checked.utilities.items()
        }
        judged: dict[tuple[str, str], StyleRule] = {}
        failing: dict[tuple[str, str], list[_Failure]] = {}
        for page, markup in self._checked.documents:
            for written, order in markup.classes:
                key = page.page.app, written
                if key not in judged:
                    judged[key] = _together(written, rules.get(page.page.app, {}))
                    failing[key] = self._failures(judged[key], self._brands)
                if failing[key]:
                    place = self._checked.sources.of(written, page.page, order)
                    yield self._found(judged[key], failing[key], place)

    def inline_styles(self) -> Iterator[Found]:
        """The pairs of `style` attributes."""
        failing: dict[str, tuple[StyleRule, list[_Failure]]] = {}
        for page, markup in self._checked.documents:
            for element in markup.elements:
                style = element.attributes.get("style", "")
                if "color" not in style or "background" not in style:
                    continue
                if style not in failing:
                    rule = _inline(style)
                    failing[style] = rule, self._failures(rule, self._brands)
                rule, failures = failing[style]
                if failures:
                    place = self._checked.sources.of(style, page.page, element.block)
                    yield self._found(rule, failures, place)

    def named_pairs(self) -> Iterator[Found]:
        """Tokens of which one is named as the text on the other: `color.on-x` on `color.x`; and
        those of texts in base styles, on the page's ground.
        """
        for name, key in self._names.items():
            ground = name.replace("--color-on-", "--color-")
            size = ""
            if name in _TEXTS:
                ground, size = _GROUNDS[0], _TEXTS[name]
            if ground != name and ground in self._names:
                rule = _inline(f"color: var({name}); background: var({ground}); {size}")
                if failures := self._failures(rule, self._brands):
                    yield self._found(rule, failures, Place("style_token", printable(key)))

    def _failures(self, rule: StyleRule, nodes: Iterable[BrandedNode]) -> list[_Failure]:
        if rule.last("color") is None or rule.last(*_BACKGROUNDS) is None:
            return []
        own = {each.name: each.value for each in rule.declarations if each.name.startswith("--")}
        found = (
            _failure(rule, Ground({**self._values[node.id, node.theme], **own}), node)
            for node in nodes
        )
        return [failure for failure in found if failure is not None]

    def _found(self, rule: StyleRule, failures: Sequence[_Failure], place: Place) -> Found:
        measured = ", ".join(
            f"{int(each.ratio * 100) / 100:g}:1 on {printable(each.node)}{each.look}"
            for each in failures
        )
        what = (
            f"{self._named(rule.last('color'))} on {self._named(rule.last(*_BACKGROUNDS))} has a "
            f"contrast of {measured}; text needs {failures[0].needed:g}:1"
        )
        remedy = "make one of the two lighter or darker on that node, or take another pair"
        return Found(
            place.problem(what, remedy), tuple(dict.fromkeys(each.node for each in failures))
        )

    def _named(self, declaration: Node | None) -> str:
        """The tokens of a value, or the value itself."""
        value: list[Node] = [] if declaration is None else declaration.value
        found = [self._names[name] for _, name, _ in variables(value) if name in self._names]
        return printable(" and ".join(found) or tinycss2.serialize(value).strip())


def _inline(style: str) -> StyleRule:
    found = tinycss2.parse_blocks_contents(style, True, True)
    return StyleRule("", tuple(each for each in found if each.type == "declaration"), ())


def _only_class(rule: StyleRule) -> str | None:
    """The class of a rule of utilities that holds for it alone, whatever its state."""
    nodes = tinycss2.parse_component_value_list(rule.selector)
    layers = all(each.startswith("@layer") for each in rule.around)
    if layers and [node.type for node in nodes] == ["literal", "ident"]:
        return str(nodes[1].value)
    return None


def _together(written: str, rules: Mapping[str, StyleRule]) -> StyleRule:
    """What the utility classes of an element set; nothing where they differ by theme."""
    names = set(written.split())
    if any(name.startswith(("dark:", "light:")) for name in names):
        names.clear()
    found = [each for name, rule in rules.items() if name in names for each in rule.declarations]
    return StyleRule("", tuple(found), ())


def _looks(brand: BrandedNode) -> tuple[BrandedNode, ...]:
    """The node as it is, and as those see it who prefer the other theme."""
    if not brand.scheme:
        return (brand,)
    return brand, replace(
        brand, theme="light" if brand.theme == "dark" else "dark", tokens=brand.scheme
    )


def _failure(rule: StyleRule, ground: Ground, node: BrandedNode) -> _Failure | None:
    written = ground.text(rule.last("color"))
    text = None if written is None else color(written)
    behind = ground.text(rule.last(*_BACKGROUNDS))
    grounds = None if behind is None else colors.colors(behind)
    if text is None or not grounds:
        return None
    ratio = min(_ratio(text, each, ground) for each in grounds)
    needed = _LARGE if _is_large(rule, ground) else _NORMAL
    look = f" ({node.theme})" if node.scheme else ""
    return _Failure(node.id, look, ratio, needed) if ratio < needed else None


def _ratio(text: Color, behind: Color, ground: Ground) -> float:
    """The contrast; on what one can see through, that on the better of what may lie below."""
    below = [behind]
    if behind.alpha < 1:
        written = (
            colors.substituted(ground.values.get(name, []), ground.values.get) or ""
            for name in _GROUNDS
        )
        below = [behind.over(each) for each in filter(None, map(color, written))]
    if behind.alpha == 0:
        return _MOST
    return max((contrast(text.over(each), each) for each in below), default=_MOST)


def _is_large(rule: StyleRule, ground: Ground) -> bool:
    size = _LENGTH.search(ground.text(rule.last("font-size")) or "")
    if size is None:
        return False
    pixels = float(size[1]) * (1 if size[2] == "px" else 16)
    weight = ground.text(rule.last("font-weight")) or ""
    bold = weight == "bold" or (weight.isdigit() and int(weight) >= _BOLD)
    return pixels >= (_LARGE_BOLD_PX if bold else _LARGE_PX)
