"""What pictures of a review's pages say, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from robbieblocks.model import sha256
from robbieblocks.review.values import PageEffect

# Pixels: what differs by fewer is not shown. No share of the picture: one digit of a price is 15
# pixels, on a page of any height.
SHOWN_FROM: Final = 4

Theme = Literal["light", "dark"]
SIDES: Final = ("before", "after", "difference")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG; `width` and `height` are in pixels, one for each CSS pixel."""

    content: bytes = field(repr=False)
    width: int
    height: int

    @cached_property
    def file(self) -> str:
        """Its path in the preview's folder: equal pictures are one file."""
        return f"pictures/{sha256(self.content)[:16]}.png"


@dataclass(frozen=True, kw_only=True)
class Pictured:
    """A page on one screen, before and after.

    `also` are pages of other nodes that are the same bytes at the same address. `difference` has
    the pixels that differ on nothing; `pixels` counts them, and `percent` says their share; both
    are None where the page is on one side only, or a picture is missing. `problems` say why.
    `height` is the page's, where a picture does not reach its end, else 0. `notes` say what a
    visitor would see that the pictures don't have.
    """

    page: PageEffect
    theme: Theme
    screen: str
    width: int
    also: tuple[PageEffect, ...] = ()
    before: Picture | None = None
    after: Picture | None = None
    difference: Picture | None = None
    pixels: int | None = None
    percent: float | None = None
    height: int = 0
    notes: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether there is something to see."""
        if not self.before and not self.after:
            return False
        return self.pixels is None or self.pixels >= SHOWN_FROM

    @property
    def pictures(self) -> Mapping[str, Picture]:
        """What there is of before, after and difference, by its name."""
        found = {side: getattr(self, side) for side in SIDES}
        return {side: picture for side, picture in found.items() if picture}


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """All pictures of a review, by node, page and screen. `left_out` are pages like those taken."""

    taken: tuple[Pictured, ...] = ()
    left_out: tuple[PageEffect, ...] = ()

    @cached_property
    def by_page(self) -> Mapping[tuple[str, str], tuple[Pictured, ...]]:
        """What is shown of each page, by node and key."""
        found: dict[tuple[str, str], tuple[Pictured, ...]] = {}
        for each in self.taken:
            for page in (each.page, *each.also) if each.shown else ():
                found[page.node, page.key] = (*found.get((page.node, page.key), ()), each)
        return found

    @cached_property
    def shown(self) -> tuple[Pictured, ...]:
        """What there is to see: pages on one side only, then those that differ most."""
        found = [each for each in self.taken if each.shown]
        return tuple(
            sorted(found, key=lambda each: -100.0 if each.percent is None else -each.percent)
        )


def view_file(page: PageEffect, screen: str = "") -> str:
    """The file of the preview's folder that shows a page, or its pictures on a screen."""
    # No key has two dashes in a row.
    return f"pages/{page.node}/{page.key}{screen and f'--{screen}'}.html"
