"""Properties of CSS that no browser knows: misspelt ones."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.rows import each_sheet
from robbieblocks.checks.sheets import Sheet
from robbieblocks.errors import Problem, Transient
from robbieblocks.messages import printable
from robbieblocks.toolchain import ensure_typescript

# The names and types of all properties that come with React's types, made of MDN's data.
_TYPES: Final = Path("csstype", "index.d.ts")
_NAME: Final = re.compile(r'^  "?([a-z][a-z-]*)"?\?:', re.MULTILINE)
_HYPHENS: Final = re.compile(
    r"^export interface \w+PropertiesHyphen<.*?^}", re.MULTILINE | re.DOTALL
)
# In these, and in @supports, a browser is asked first; the others have names of their own.
_NOT_JUDGED: Final = re.compile(
    r"@(?:supports|font-face|font-feature-values|font-palette-values|property|page|counter-style"
    r"|view-transition|color-profile)\b"
)


def unknown_properties(checked: Checked) -> Iterator[Found]:
    """Declarations of properties that do not exist. Custom ones and those of a vendor may."""
    try:
        modules = ensure_typescript(checked.settings, checked.progress).modules
    except Transient as error:
        what, _, remedy = str(error).partition("\n  -> ")
        remedy = (
            remedy
            or 'try again, or set unknown-property = "off" below [checks] in robbieblocks.toml'
        )
        yield Found(Problem(entity="rule", key="unknown-property", what=what, remedy=remedy))
        return
    yield from each_sheet(partial(_in_sheet, names=_names(modules / _TYPES)))(checked)


def _in_sheet(sheet: Sheet, checked: Checked, *, names: frozenset[str]) -> Iterator[Problem]:
    for rule in sheet.rules:
        # A block without a selector is an at-rule's own.
        if not rule.selector or any(map(_NOT_JUDGED.match, rule.around)):
            continue
        for declaration in rule.declarations:
            name = declaration.lower_name
            if not name.startswith("-") and name not in names:
                near = checked.suggestion(name, names)
                remedy = f"did you mean {near}?" if near else "browsers pass it over: remove it"
                what = f"no CSS property is named {printable(name)}"
                yield sheet.at(declaration).problem(what, remedy)


@lru_cache(maxsize=1)
def _names(file: Path) -> frozenset[str]:
    """All names of properties, obsolete ones too."""
    text = file.read_text(encoding="utf-8")
    return frozenset(name for part in _HYPHENS.findall(text) for name in _NAME.findall(part))
