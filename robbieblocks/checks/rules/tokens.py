"""Custom properties that are read and that nothing sets: misspelt tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.rows import MOST_OF_A_ROW, each_component, each_sheet
from robbieblocks.checks.sheets import Sheet, variables
from robbieblocks.checks.sources import Place, in_text, without_comments
from robbieblocks.checks.token_rows import each_token
from robbieblocks.css_faults import USE, unknown_variable
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow, PageRow

# Where another name is meant although the declaration has a fallback.
_LIKENESS: Final = 0.9
# Properties of Tailwind's own rules, which it defines where it uses them.
_TAILWIND: Final = "--tw-"


def unknown_token(checked: Checked) -> Iterator[Found]:
    """Custom properties that CSS, code or props read, and that nothing sets."""
    yield from each_sheet(_in_css)(checked)
    yield from each_component("react_code", _in_code)(checked)
    yield from map(Found, _in_tokens(checked))
    for page in checked.inspection.content.pages:
        yield from map(Found, islice(_in_page(page, checked), MOST_OF_A_ROW))


def _in_css(sheet: Sheet, checked: Checked) -> Iterator[Problem]:
    """Custom properties that a stylesheet reads, and that nothing defines."""
    for rule in sheet.rules:
        for declaration in rule.declarations:
            for node, name, fallback in variables(declaration.value):
                if _is_wrong(name, checked, fallback=fallback):
                    yield _unknown(name, sheet.at(node), checked)


def _in_code(row: ComponentRow, checked: Checked) -> Iterator[Problem]:
    """The same in a component's code: inline styles, class names, texts of <style>."""
    for found in USE.finditer(without_comments(row.code)):
        if _is_wrong(found[1], checked, fallback=found[2] == ","):
            place = in_text("component", row.key, "react_code", row.code, found.start())
            yield _unknown(found[1], place, checked)


def _in_page(page: PageRow, checked: Checked) -> Iterator[Problem]:
    """The same in what a page gives to components."""
    for block in page.blocks:
        text = json.dumps(block.props, ensure_ascii=False)
        for found in USE.finditer(text) if "--" in text else ():
            if _is_wrong(found[1], checked, fallback=found[2] == ","):
                place = checked.sources.of(found[0], page, block.order)
                yield _unknown(found[1], place, checked)


def _in_tokens(checked: Checked) -> Iterator[Problem]:
    """The same in the values of tokens, and in those that a node has in their place."""
    for value, place in each_token(checked):
        for found in USE.finditer(value) if "var(" in value else ():
            if _is_wrong(found[1], checked, fallback=found[2] == ","):
                yield _unknown(found[1], place, checked)


def _is_wrong(name: str, checked: Checked, *, fallback: bool) -> bool:
    if name in checked.properties or name.startswith(_TAILWIND):
        return False
    if not fallback:
        return True
    near = checked.suggestion(name, checked.properties)
    return near is not None and SequenceMatcher(None, name, near).ratio() >= _LIKENESS


def _unknown(name: str, place: Place, checked: Checked) -> Problem:
    near = checked.suggestion(name, checked.properties)
    remedy = f"did you mean {near}?" if near else "add the token, or set it in CSS"
    return place.problem(unknown_variable(name), remedy)
