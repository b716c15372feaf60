"""Where an app's release lists its index for search, and which component reads it."""

from __future__ import annotations

from typing import Final

from robbieblocks.model.manifest import Manifest

INDEX_READER: Final = "search-index"
"""The key of the package's component that reads an index; pages with it may start Pagefind."""


def search_file(app: str) -> str:
    """Where an app's release has the list; no page and no medium may have such a path."""
    return f"search-{app}.json"


def only_index_differs(one: Manifest, other: Manifest) -> bool:
    """Whether two releases of an app differ in its index for search, and in nothing else."""
    path = search_file(one.app)
    # Asked first: of ten thousand files the others take milliseconds.
    if one.files.get(path) == other.files.get(path):
        return False
    return {name for name, _ in one.files.items() ^ other.files.items()} == {path}
