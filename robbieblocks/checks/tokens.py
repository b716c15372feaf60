"""Custom properties that are read and that nothing sets: misspelt tokens."""

from __future__ import annotations

import json
from collections.abc import Iterator
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.properties import USE
from robbieblocks.checks.rows import each_component, each_sheet
from robbieblocks.checks.sheets import Sheet, variables
from robbieblocks.checks.sources import Place, in_text, without_comments
from robbieblocks.errors import Problem
from robbieblocks.messages import nearest, printable
from robbieblocks.model import ComponentRow

# Where another name is meant although the declaration has a fallback.
_LIKENESS: Final = 0.9
# Properties of Tailwind's own rules, which it defines where it uses them.
_TAILWIND: Final = "--tw-"


def unknown_token(checked: Checked) -> Iterator[Found]:
    """Custom properties that CSS, code or props read, and that nothing sets."""
    yield from each_sheet(_in_css)(checked)
    yield from each_component("react_code", _in_code)(checked)
    yield from _in_props(checked)


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


def _in_props(checked: Checked) -> Iterator[Found]:
    """The same in what pages give to components."""
    for page in checked.inspection.content.pages:
        for block in page.blocks:
            text = json.dumps(block.props, ensure_ascii=False)
            for found in USE.finditer(text) if "var(" in text else ():
                if _is_wrong(found[1], checked, fallback=found[2] == ","):
                    place = checked.sources.of(found[0], page.key, block.order)
                    yield Found(_unknown(found[1], place, checked))


def _is_wrong(name: str, checked: Checked, *, fallback: bool) -> bool:
    known = checked.properties
    if name in known or name.startswith(_TAILWIND):
        return False
    return not fallback or _alike(name, frozenset(known)) is not None


@lru_cache(maxsize=4096)
def _alike(name: str, known: frozenset[str]) -> str | None:
    """A property that is so like a name that it must be meant."""
    close = nearest(name, known, most=1)
    if close and SequenceMatcher(None, name, close[0]).ratio() >= _LIKENESS:
        return close[0]
    return None


def _unknown(name: str, place: Place, checked: Checked) -> Problem:
    close = nearest(name, checked.properties)
    remedy = f"did you mean {' or '.join(close)}?" if close else "add the token, or set it in CSS"
    what = f"no token or custom property is named {printable(name)}"
    return place.problem(what, remedy)
