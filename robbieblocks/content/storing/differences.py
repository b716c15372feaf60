"""A row's difference between a database and a file, line by line."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from robbieblocks.content.shape import Component, ContentRow, Media, Page, Token
from robbieblocks.content.storing.merging import RowMerge
from robbieblocks.content.writing import rows as writing
from robbieblocks.content.writing.pages import page_toml

_CONTEXT = 2


def difference(row: RowMerge) -> str:
    """A unified diff from the row in the database to that in the file; empty where they agree."""
    return "\n".join(_lines(row))


def _lines(row: RowMerge) -> Iterator[str]:
    ours, theirs = _texts(row.ours), _texts(row.theirs)
    for name in dict.fromkeys([*ours, *theirs]):
        before = ours.get(name, "").splitlines()
        after = theirs.get(name, "").splitlines()
        place = f"{row.name} {name}" if name else str(row.name)
        yield from difflib.unified_diff(
            before, after, f"{place} (database)", f"{place} (file)", n=_CONTEXT, lineterm=""
        )


def _texts(row: ContentRow | None) -> dict[str, str]:
    """The texts of the files of a row, by the name of the column where a file holds one alone."""
    match row:
        case None:
            return {}
        case Component():
            return {
                "": writing.component_toml(row, row.key),
                "react_code": row.code,
                "css_styles": row.css or "",
                "props_schema": writing.props_schema(row),
            }
        case Page():
            return {"": page_toml(row, row.key)}
        case Token():
            return {"": writing.tokens_toml([row])}
        case Media():
            return {"": writing.media_toml(row, ""), "content": f"{row.size:,} bytes, {row.hash}"}
        case _:
            return {"": writing.node_toml(row)}
