"""Where an app's release lists its index for search, and which component reads it."""

from __future__ import annotations

from typing import Final

INDEX_READER: Final = "search-index"
"""The key of the package's component that reads an index; pages with it may start Pagefind."""


def search_file(app: str) -> str:
    """Where an app's release has the list; no page and no medium may have such a path."""
    return f"search-{app}.json"
