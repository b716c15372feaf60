"""CSS that stands in elements: `style` attributes, and utility classes with values of their own."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.checks.finding import Checked, Finder, Found
from robbieblocks.checks.rows import MOST_OF_A_ROW
from robbieblocks.checks.sheets import StyleRule, class_names
from robbieblocks.checks.sources import Place, in_text, without_comments
from robbieblocks.css_faults import Doubt
from robbieblocks.errors import Problem
from robbieblocks.row_faults import blame

# What a utility is written with that has a value of its own: `w-[16px]`, `bg-(--x)`, `[gap:1px]`.
_OWN_VALUE: Final = re.compile(r"[\[(]")
# Of a component so many different ones are parsed: each takes some 50 µs.
_MAX_STYLES: Final = 200
_COLON: Final = re.compile(r"[\"']?\s*+:")
_CAMEL: Final = re.compile(r"-([a-z])")


@dataclass(frozen=True, slots=True)
class Inline:
    """Declarations of an element's own, and what finds the place of one of them."""

    declarations: tuple[Node, ...]
    place: Callable[[Node], Place]


InlineRule = Callable[[Inline, Checked], Iterable[Doubt]]


def each_inline(rule: InlineRule) -> Finder:
    """A rule over what elements and utilities of all pages say, each text of a component once."""

    def find(checked: Checked) -> Iterator[Found]:
        told: Counter[str] = Counter()
        for component, inline in (*_attributes(checked), *_utilities(checked)):
            problems: list[Problem] = []
            with blame(problems.append, "component", component, "react_code"):
                for node, what, remedy in rule(inline, checked):
                    # Finding the place of each takes time.
                    if told[component] < MOST_OF_A_ROW:
                        told[component] += 1
                        place = inline.place(_declaring(node, inline))
                        problems.append(place.problem(what, remedy))
            yield from map(Found, problems)

    return find


def _declaring(node: Node, inline: Inline) -> Node:
    """The declaration that a node is in: the last one that begins before it."""
    at = (node.source_line, node.source_column)
    before = [each for each in inline.declarations if (each.source_line, each.source_column) <= at]
    return before[-1] if before else inline.declarations[0]


def _attributes(checked: Checked) -> Iterator[tuple[str, Inline]]:
    """The `style` attributes of blocks, by component."""
    seen: set[tuple[str, str]] = set()
    styles: Counter[str] = Counter()
    for page, markup in checked.documents:
        components = {block.order: block.component for block in page.page.blocks}
        for element in markup.elements:
            style, component = element.attributes.get("style"), components.get(element.block or 0)
            if not style or component is None or (component, style) in seen:
                continue
            if styles[component] >= _MAX_STYLES:
                continue
            styles[component] += 1
            seen.add((component, style))
            parsed = tinycss2.parse_blocks_contents(style, True, True)
            declarations = tuple(each for each in parsed if each.type == "declaration")

            def place(declaration: Node, component: str = component) -> Place:
                return _in_code(declaration, component, checked)

            if declarations:
                yield component, Inline(declarations, place)


def _in_code(declaration: Node, component: str, checked: Checked) -> Place:
    """Where a component's code, or one that it imports, has a property as React writes it."""
    camel = _CAMEL.sub(lambda found: found[1].upper(), declaration.name)
    written = re.compile(
        rf"(?<![\w-])(?:{re.escape(camel)}|{re.escape(declaration.name)})(?![\w-])"
    )
    value = tinycss2.serialize(declaration.value).strip()

    def unlikeness(found: re.Match[str]) -> tuple[bool, bool]:
        behind = found.string[found.end() : found.end() + len(value) + 9]
        return _COLON.match(behind) is None, value not in behind

    for row in checked.sources.reached(component):
        found = sorted(written.finditer(without_comments(row.code)), key=unlikeness)
        if found:
            return in_text("component", row.key, "react_code", row.code, found[0].start())
    return Place("component", component, "react_code")


def _utilities(checked: Checked) -> Iterator[tuple[str, Inline]]:
    """The rules of utilities with values of their own, of whatever component has them."""
    seen: set[str] = set()
    for sheet in checked.utilities.values():
        for rule in sheet.rules:
            name = _utility(rule)
            if name is None or name in seen:
                continue
            seen.add(name)

            def place(_: Node, name: str = name) -> Place:
                return _of_class(name, checked)

            yield "", Inline(rule.declarations, place)


def _utility(rule: StyleRule) -> str | None:
    """The class of a utility's rule, where it has a value of its own."""
    if not _OWN_VALUE.search(rule.selector):
        return None
    return next((name for name in class_names(rule.selector) if _OWN_VALUE.search(name)), None)


def _of_class(name: str, checked: Checked) -> Place:
    """Where a row has a class: a component's code, else a block's props."""
    content = checked.inspection.content
    for key, row in sorted(content.components.items()):
        at = without_comments(row.code).find(name)
        if at >= 0:
            return in_text("component", key, "react_code", row.code, at)
    for page in content.pages:
        for block in page.blocks:
            if name in json.dumps(block.props, ensure_ascii=False):
                return checked.sources.of(name, page, block.order)
    return Place("component", "", "react_code")
