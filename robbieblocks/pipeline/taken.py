"""What an app of a node takes from the node's other apps, besides the blocks of frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from robbieblocks.errors import Problem
from robbieblocks.model import SHARED_APP, NodeIndex, PageRow, Redirect, changed_between


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taken:
    """What one app takes from others.

    `lists` are its pages as they are shown, where lists of other apps are on some. `links` has what
    its texts name of other apps' pages by key: where each leads, None where it leads nowhere.
    `index` is what the node offers, where the app is the shared one. `problems` are what other
    pages and redirects of the node keep from its own, `redirects` where its redirects lead.
    """

    lists: Sequence[PageRow] = ()
    links: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    index: NodeIndex | None = None
    problems: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )
    redirects: tuple[Redirect, ...] = ()

    def sources(self, others: frozenset[str]) -> frozenset[str]:
        """The apps of the node's `others` from which it takes something, but for lists."""
        if self.index is not None or self.problems or self.redirects:
            return others
        return frozenset({SHARED_APP}) if self.links else frozenset()

    def has_same_links(self, other: Taken) -> bool:
        """Whether what both texts name leads where it did."""
        return self.links == other.links

    def has_same_lists(self, other: Taken) -> bool:
        """Whether both show the very same pages."""
        return not any(changed_between(self.lists, other.lists))

    def has_same_places(self, other: Taken) -> bool:
        """Whether the node's routes leave both the same, and it offers the same."""
        return (self.index, self.problems, self.redirects) == (
            other.index,
            other.problems,
            other.redirects,
        )
