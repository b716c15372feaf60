"""Where an app's release lists its index for search, and which component reads it."""

from __future__ import annotations

from typing import Final

from robbieblocks.model.manifest import Manifest

INDEX_READER: Final = "search-index"
"""The key of the package's component that reads an index; pages with it may start Pagefind."""


def search_file(app: str) -> str:
    """Where an app's release has the list; no page and no medium may have such a path."""
    return f"search-{app}.json"


def only_late_parts_differ(one: Manifest, other: Manifest) -> bool:
    """Whether two releases of an app differ only in what a worker makes once an edit is live.

    That is the index for search, and the social cards that pages of either lack.
    """
    path, lacking = search_file(one.app), {*one.without_card, *other.without_card}
    # Asked first: of ten thousand files that share nothing the others take milliseconds.
    if one.files.get(path) == other.files.get(path) and not lacking:
        return False
    late = {path}
    for key in lacking:
        mine, theirs = one.by_key.get(key), other.by_key.get(key)
        if mine is not None and theirs is not None and mine.inputs == theirs.inputs:
            late.add(mine.path)
    differing = one.release_files.differing(other.release_files)
    return bool(differing) and differing <= late
