"""Where an app's release lists its index for search."""

from __future__ import annotations


def search_file(app: str) -> str:
    """Where an app's release has the list; no page and no medium may have such a path."""
    return f"search-{app}.json"
