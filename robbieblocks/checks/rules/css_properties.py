"""CSS that no browser takes: properties, values, selectors and media queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from robbieblocks.bundle import passed_over
from robbieblocks.checks.finding import Checked
from robbieblocks.checks.rows import each_sheet
from robbieblocks.checks.sheets import Sheet
from robbieblocks.css_text import is_known_property, property_message
from robbieblocks.errors import Problem

# In these, and in @supports, a browser is asked first; the others have names of their own.
_NOT_JUDGED: Final = re.compile(
    r"@(?:supports|font-face|font-feature-values|font-palette-values|property|page|counter-style"
    r"|view-transition|color-profile)\b"
)


def _in_sheet(sheet: Sheet, _: Checked) -> Iterator[Problem]:
    """Declarations of properties that do not exist, and what browsers pass over besides. Custom
    properties and those of a vendor may be anything. A build tells of components' selectors.
    """
    for rule in sheet.rules:
        # A block without a selector is an at-rule's own.
        if not rule.selector or any(map(_NOT_JUDGED.match, rule.around)):
            continue
        for declaration in rule.declarations:
            if not is_known_property(declaration.lower_name):
                yield sheet.at(declaration).problem(*property_message(declaration.lower_name))
        if sheet.entity != "component":
            for node, what, remedy in passed_over(rule.selector, rule.declarations, rule.around):
                yield sheet.at(node).problem(what, remedy)


unknown_properties: Final = each_sheet(_in_sheet)
