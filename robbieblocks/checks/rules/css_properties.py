"""CSS that browsers pass over, and keyframes that are not there, wherever CSS stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import tinycss2
from tinycss2.ast import Node

from robbieblocks.checks.finding import Checked, Finder, Found
from robbieblocks.checks.inline import Inline, each_inline
from robbieblocks.checks.rows import each_sheet
from robbieblocks.checks.sheets import Sheet
from robbieblocks.checks.token_rows import each_token
from robbieblocks.css_faults import Doubt, in_declaration, in_sheet, unknown_keyframes
from robbieblocks.errors import Problem

OfDeclaration = Callable[[Node, Checked], Iterator[Doubt]]


def _in_sheet(sheet: Sheet, checked: Checked) -> Iterator[Problem]:
    """What browsers pass over of a stylesheet."""
    component = checked.inspection.content.components.get(sheet.key)
    code = component.code if component is not None and sheet.entity == "component" else None
    for node, what, remedy in in_sheet(sheet.parsed, code):
        yield sheet.at(node).problem(what, remedy)


def _keyframes_of_sheet(sheet: Sheet, checked: Checked) -> Iterator[Problem]:
    """Animations of a stylesheet without keyframes. A component's own are known to it alone."""
    known = checked.keyframes
    if sheet.entity == "component":
        known |= sheet.keyframes
    for rule in sheet.rules:
        for declaration in rule.declarations:
            for node, what, remedy in unknown_keyframes(declaration, known, surely=True):
                yield sheet.at(node).problem(what, remedy)


def _passed_over(declaration: Node, _: Checked) -> Iterator[Doubt]:
    return in_declaration(declaration)


def _without_keyframes(declaration: Node, checked: Checked) -> Iterator[Doubt]:
    return unknown_keyframes(declaration, checked.keyframes, surely=True)


def _keyframes_of_tokens(checked: Checked) -> Iterator[Found]:
    """Animations in tokens, which stylesheets of components read, too."""
    known = checked.keyframes.union(*(sheet.keyframes for sheet in checked.sheets))
    for value, place in each_token(checked, "animation"):
        for each in tinycss2.parse_blocks_contents(f"animation:{value}", True, True):
            if each.type == "declaration":
                for _, what, remedy in unknown_keyframes(each, known, surely=True):
                    yield Found(place.problem(what, remedy))


def _everywhere(of_sheet: Finder, of_declaration: OfDeclaration) -> Finder:
    """A rule over stylesheets, and over what a component's elements have of their own."""

    def of_inline(inline: Inline, checked: Checked) -> Iterator[Doubt]:
        for declaration in inline.declarations:
            yield from of_declaration(declaration, checked)

    def find(checked: Checked) -> Iterator[Found]:
        yield from of_sheet(checked)
        yield from each_inline(of_inline)(checked)

    return find


def keyframes(checked: Checked) -> Iterator[Found]:
    """Animations without keyframes."""
    yield from _everywhere(each_sheet(_keyframes_of_sheet), _without_keyframes)(checked)
    yield from _keyframes_of_tokens(checked)


unknown_properties: Final = _everywhere(each_sheet(_in_sheet), _passed_over)
