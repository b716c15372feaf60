"""Custom properties: where texts read them, and what sets them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from robbieblocks.checks.sheets import Sheet
from robbieblocks.css_faults import USE
from robbieblocks.css_text import property_name
from robbieblocks.pipeline import Inspection

NAME: Final = re.compile(r"--[A-Za-z0-9_-]+")


def scripts(inspection: Inspection) -> Iterator[str]:
    """What may set or read properties and is no stylesheet: code, props, scripts."""
    content = inspection.content
    yield from (row.code for row in content.components.values())
    yield from (json.dumps(block.props) for page in content.pages for block in page.blocks)
    yield from (node.custom_scripts for node in content.nodes)


def defined(
    inspection: Inspection, sheets: Iterable[Sheet], utilities: Iterable[Sheet]
) -> frozenset[str]:
    """Every custom property that tokens, stylesheets, code or props may set."""
    found = {property_name(token.key) for token in inspection.content.tokens}
    for brand in inspection.brands.values():
        found.update(map(property_name, brand.tokens))
    for sheet in sheets:
        for rule in sheet.rules:
            found.update(each.name for each in rule.declarations if each.name.startswith("--"))
        found.update(re.findall(r"@property\s+(--[\w-]+)", sheet.text))
    for text in scripts(inspection):
        # What is no reading of it may set it: a key of a style, an argument of setProperty.
        found.update(NAME.findall(USE.sub("", text)) if "--" in text else ())
    for sheet in utilities:
        found.update(re.findall(r"(?<![\w-])(--[\w-]++)\s*+:", sheet.text))
    return frozenset(found)
