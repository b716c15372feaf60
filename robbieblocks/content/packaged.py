"""Components of the package that pages place: they count as files of the content folder.

So an import makes their rows, and a newer package's import those of its own. A folder of the same
key, or a row that did not come from here, goes before them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from robbieblocks.builtin import BUILTIN
from robbieblocks.content.shape import Component, Page
from robbieblocks.model import same

PACKAGED: Final = {
    row.key: Component(
        key=row.key,
        name=row.name,
        type=row.type,
        code=row.code,
        css=row.css or None,
        props_schema=row.props_schema,
        metadata=dict(row.metadata) if isinstance(row.metadata, dict) else {},
    )
    for row in BUILTIN.values()
    if not row.is_module
}


def placed(pages: Iterable[Page], own: Collection[str]) -> list[Component]:
    """The package's components that pages place, without those whose keys are `own`."""
    keys = {block.component for page in pages for block in page.blocks}
    return [row for key, row in PACKAGED.items() if key in keys and key not in own]


def is_packaged(row: object) -> bool:
    """Whether a row is one of these, and of no folder."""
    return isinstance(row, Component) and same(row, PACKAGED.get(row.key))
