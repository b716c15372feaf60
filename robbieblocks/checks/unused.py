"""Rows that nothing shows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from robbieblocks.checks.finding import Checked, Found
from robbieblocks.errors import Problem
from robbieblocks.model import ComponentRow

_IMPORTED: Final = re.compile(r"@robbieblocks/([\w.-]+)")


def unused_components(checked: Checked) -> Iterator[Found]:
    """Published components that no page places and no placed component imports."""
    if not checked.whole:
        return
    content = checked.inspection.content
    placed = {block.component for page in content.pages for block in page.blocks}
    used = _with_imported(placed, content.components)
    for key, row in sorted(content.components.items()):
        if row.published and key not in used:
            yield Found(
                Problem(
                    entity="component",
                    key=key,
                    what="no page places it, and no component that is placed imports it",
                    remedy="place it, delete it, or unpublish it",
                )
            )


def _with_imported(keys: set[str], components: Mapping[str, ComponentRow]) -> set[str]:
    """The keys and those of all that they import, by the texts: broken ones import, too."""
    found: set[str] = set()
    pending = list(keys)
    while pending:
        key = pending.pop()
        if key in components and key not in found:
            found.add(key)
            pending += _IMPORTED.findall(components[key].code)
    return found
