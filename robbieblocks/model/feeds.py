"""A page's feed: a list of pages that programs read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

FeedForm: TypeAlias = Literal["atom", "rss", "json"]
FEED_FORMS: Final[tuple[FeedForm, ...]] = get_args(FeedForm)
FEED_FILES: Final[dict[FeedForm, str]] = {
    "atom": "atom.xml",
    "rss": "rss.xml",
    "json": "feed.json",
}
"""The name of each form's file, which lies beside the page's."""


class FeedItem(NamedTuple):
    """One page in a feed. `published_at` is an ISO 8601 time, or empty."""

    route: str
    title: str
    description: str
    published_at: str
    image: str


@dataclass(frozen=True, slots=True)
class Feed:
    """What a page's `metadata.feed` asks for, with the pages that it finds.

    Without a title it has the page's own.
    """

    title: str
    forms: tuple[FeedForm, ...]
    items: tuple[FeedItem, ...]

    def path(self, page_path: str, form: FeedForm) -> str:
        """The file of a form in the release, beside the page's."""
        folder, slash, _ = page_path.rpartition("/")
        return f"{folder}{slash}{FEED_FILES[form]}"
