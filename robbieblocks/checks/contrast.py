"""Contrast of text by node: the colour and the background that one rule or element sets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

import tinycss2
from tinycss2.ast import Node

from robbieblocks.checks import colors
from robbieblocks.checks.colors import Color
from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.sheets import Sheet, StyleRule, variables
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem
from robbieblocks.messages import printable
from robbieblocks.model import BrandedNode
from robbieblocks.row_faults import blame

# WCAG 2.2, 1.4.3: text of 24 px, or of 18.66 px in bold, is large.
_NORMAL: Final = 4.5
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
_LENGTH: Final = re.compile(r"(\d*\.?\d+)(px|rem|em)\b")


class _Failure(NamedTuple):
    """A node on which a pair has too little contrast."""

    node: str
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
    """Text in colours that are too alike (WCAG 2.2 AA, 1.4.3), rule by rule."""
    tokens = {brand.id: _values(brand) for brand in checked.inspection.brands.values()}
    for sheet in checked.sheets:
        for rule in sheet.rules:
            faults: list[Problem] = []
            found: list[Found] = []
            with blame(faults.append, sheet.entity, sheet.key, sheet.field):
                found += _judged(rule, sheet, checked, tokens)
            yield from (*found, *map(Found, faults))


def _values(brand: BrandedNode) -> dict[str, list[Node]]:
    parse = tinycss2.parse_component_value_list
    return {property_name(key): parse(value) for key, value in brand.tokens.items()}


def _judged(
    rule: StyleRule,
    sheet: Sheet,
    checked: Checked,
    tokens: Mapping[str, Mapping[str, list[Node]]],
) -> Iterator[Found]:
    text, background = rule.last("color"), rule.last(*_BACKGROUNDS)
    if text is None or background is None or _EXEMPT.search(rule.selector):
        return
    if any(map(_OTHER_MEDIA.search, rule.around)):
        return
    own = {each.name: each.value for each in rule.declarations if each.name.startswith("--")}
    failures = [
        failure
        for brand in checked.inspection.brands.values()
        if _shows(rule, sheet, brand)
        if (failure := _failure(rule, Ground({**tokens[brand.id], **own}), brand.id))
    ]
    if failures:
        names = {property_name(each.key): each.key for each in checked.inspection.content.tokens}
        needed = max(each.needed for each in failures)
        measured = ", ".join(
            f"{int(each.ratio * 100) / 100:g}:1 on {printable(each.node)}" for each in failures
        )
        what = (
            f"{_named(text, names)} on {_named(background, names)} has a contrast of {measured}; "
            f"text needs {needed:g}:1"
        )
        remedy = "make one of the two lighter or darker on that node, or take another pair"
        yield Found(sheet.at(text).problem(what, remedy), tuple(each.node for each in failures))


def _shows(rule: StyleRule, sheet: Sheet, brand: BrandedNode) -> bool:
    theme = _THEME.search(rule.selector)
    return sheet.node in ("", brand.id) and (theme is None or theme[1] == brand.theme)


def _failure(rule: StyleRule, ground: Ground, node: str) -> _Failure | None:
    written = ground.text(rule.last("color"))
    text = None if written is None else colors.color(written)
    behind = ground.text(rule.last(*_BACKGROUNDS))
    grounds = None if behind is None else colors.colors(behind)
    if text is None or not grounds:
        return None
    ratio = min(_ratio(text, each, ground) for each in grounds)
    needed = _LARGE if _is_large(rule, ground) else _NORMAL
    return _Failure(node, ratio, needed) if ratio < needed else None


def _ratio(text: Color, behind: Color, ground: Ground) -> float:
    """The contrast; on what one can see through, that on the better of what may lie below."""
    below = [behind]
    if behind.alpha < 1:
        written = (
            colors.substituted(ground.values.get(name, []), ground.values.get) or ""
            for name in _GROUNDS
        )
        below = [behind.over(each) for each in filter(None, map(colors.color, written))]
    if behind.alpha == 0:
        return colors.MOST
    return max((colors.contrast(text.over(each), each) for each in below), default=colors.MOST)


def _is_large(rule: StyleRule, ground: Ground) -> bool:
    size = _LENGTH.search(ground.text(rule.last("font-size")) or "")
    if size is None:
        return False
    pixels = float(size[1]) * (1 if size[2] == "px" else 16)
    weight = ground.text(rule.last("font-weight")) or ""
    bold = weight == "bold" or (weight.isdigit() and int(weight) >= _BOLD)
    return pixels >= (_LARGE_BOLD_PX if bold else _LARGE_PX)


def _named(declaration: Node, tokens: Mapping[str, str]) -> str:
    """The tokens of a value, or the value itself."""
    found = [tokens[name] for _, name, _ in variables(declaration.value) if name in tokens]
    return printable(" and ".join(found) or tinycss2.serialize(declaration.value).strip())
