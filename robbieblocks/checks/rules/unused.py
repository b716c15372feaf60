"""Rows that nothing shows, and rows that an import would replace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from robbieblocks.builtin import is_builtin
from robbieblocks.checks import properties
from robbieblocks.checks.finding import Checked, Found
from robbieblocks.checks.sources import with_imported
from robbieblocks.css_text import property_name
from robbieblocks.errors import Problem
from robbieblocks.messages import printable

# What a build itself reads: the colour of a browser's own bars.
_READ_BY_BUILDS: Final = frozenset({"--color-background"})
# A media query can't read a custom property, so Tailwind takes these by their values.
_BY_VALUE: Final = "--breakpoint-"


def unused_components(checked: Checked) -> Iterator[Found]:
    """Published components that no page places and no placed component imports."""
    if not checked.whole:
        return
    content = checked.inspection.content
    placed = {block.component for page in content.pages for block in page.blocks}
    used = {row.key for row in with_imported(placed, content.components)}
    for key, row in sorted(content.components.items()):
        if row.published and key not in used and not is_builtin(row):
            yield Found(
                Problem(
                    entity="component",
                    key=key,
                    what="no page places it, and no component that is placed imports it",
                    remedy="place it, delete it, or unpublish it",
                )
            )


def outdated_components(checked: Checked) -> Iterator[Found]:
    """Rows of the package's components that an earlier version made."""
    for key in checked.outdated:
        yield Found(
            Problem(
                entity="component",
                key=key,
                what="its row is that of an earlier version of the package",
                remedy="run `robbieblocks content import`, which brings it up to date",
            )
        )


def unused_tokens(checked: Checked) -> Iterator[Found]:
    """Tokens that no stylesheet, code, prop, class or other token reads."""
    if not checked.whole:
        return
    read = _read_properties(checked)
    # `var(--color-${name})` reads every one that begins so.
    beginnings = tuple(name for name in read if name.endswith("-"))
    for token in checked.inspection.content.tokens:
        name = property_name(token.key)
        if name not in read and not name.startswith((_BY_VALUE, *beginnings)):
            yield Found(
                Problem(
                    entity="style_token",
                    key=printable(token.key),
                    what=f"nothing reads {printable(name)}",
                    remedy="use it, or delete it",
                )
            )


def _read_properties(checked: Checked) -> set[str]:
    texts = [sheet.text for sheet in checked.sheets]
    texts += [sheet.text for sheet in checked.utilities.values()]
    texts += properties.scripts(checked.inspection)
    found = set(_READ_BY_BUILDS)
    for brand in checked.inspection.brands.values():
        texts += brand.tokens.values()
        found.update(property_name(key) for named in brand.aliases.values() for key in named)
    for text in texts:
        found.update(properties.NAME.findall(text) if "--" in text else ())
    return found
