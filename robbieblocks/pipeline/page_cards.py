"""The pictures by which social networks show pages that have none of their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from robbieblocks.errors import Problem
from robbieblocks.media import card_drawing
from robbieblocks.messages import printable
from robbieblocks.model import WAITING_CARD, Asset, BrandedNode

Progress = Callable[[str], None]

_MANY: Final = 8
_SAID_EACH_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class PageCards:
    """The cards of pages, and why others have none though they want one, by the page's key."""

    cards: Mapping[str, Asset] = field(default_factory=dict[str, Asset])
    missing: Mapping[str, str] = field(default_factory=dict[str, str])

    def problem(self, key: str) -> Problem | None:
        """A warning for a page whose card could not be drawn; one that waits needs none."""
        why = self.missing.get(key, WAITING_CARD)
        if why == WAITING_CARD:
            return None
        return Problem(
            entity="page",
            key=key,
            what=f"its social card can't be drawn: {why}",
            remedy="give the page an og_image, or build again; a worker tries again by itself",
            severity="warning",
        )


def with_drawing(brand: BrandedNode, font: Callable[[str], Asset]) -> BrandedNode:
    """The node with what draws its cards; without cards, and with a warning, where nothing can.

    `font` gives a font of media by the name of its asset. A node that wants no cards is given back
    itself. Raises what `font` raises.
    """
    card = brand.card
    if card is None:
        return brand
    if drawing := card_drawing():
        titles, texts = (
            tuple([each if each.content else font(each.name) for each in fonts])
            for fonts in (card.title_fonts, card.text_fonts)
        )
        card = replace(card, drawing=drawing, title_fonts=titles, text_fonts=texts)
        return replace(brand, card=card)
    problem = Problem(
        entity="node_branding",
        key=printable(brand.id),
        field="settings",
        what="social cards are drawn by Pillow, which is not installed",
        remedy="pip install 'robbieblocks[media]'",
        pointer="/social_card",
        severity="warning",
    )
    return replace(brand, card=None, problems=(*brand.problems, problem))


def reporting(progress: Progress, place: str, total: int) -> Callable[[int], None]:
    """Says at the beginning of many, and every few seconds, how far it is."""
    said = time.monotonic()
    if total > _MANY:
        progress(f"{place}social cards: 0 of {total:,}")

    def report(done: int) -> None:
        nonlocal said
        if time.monotonic() - said >= _SAID_EACH_S:
            said = time.monotonic()
            progress(f"{place}social cards: {done:,} of {total:,}")

    return report
