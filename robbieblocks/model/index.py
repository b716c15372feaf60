"""What a node offers: the apps that the page at `/` and the 404 page lead to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class AppHome:
    """The page at which an app begins on a node, and what it says of itself."""

    app: str
    route: str
    title: str
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIndex:
    """What a node offers, for the pages that are no rows: the one at `/`, and 404.html.

    `apps` has all apps of the node, `homes` each that it enables and that has pages, in the order
    of the node's row. `root_is_taken` says whether a page of the node's own stands at `/`.
    """

    apps: tuple[str, ...] = ()
    homes: tuple[AppHome, ...] = ()
    root_is_taken: bool = False


INDEX_FILE: Final = "index.html"
"""The file in the shared app's release that answers `/` where no page does."""

FAVICON_FILE: Final = "favicon.ico"
"""The icon in the shared app's release that browsers ask for by themselves."""

NOT_FOUND_FILE: Final = "404.html"
"""The file in a folder of a release that answers the addresses below it that have no page."""

NOT_FOUND_DEPTH: Final = 3
"""How many folders of an address may have such a file: nginx and Caddy look into so many."""


def is_not_found_file(path: str) -> bool:
    """Whether a file of a release, by its path, is what answers addresses without a page."""
    return path.rpartition("/")[2] == NOT_FOUND_FILE
