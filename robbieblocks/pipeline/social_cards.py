"""The pictures by which social networks show pages that have none of their own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from robbieblocks.errors import Problem
from robbieblocks.media import Cards, card_drawing
from robbieblocks.messages import printable
from robbieblocks.model import AssembledPage, Asset, BrandedNode, CardStyle, CardText
from robbieblocks.prerender import card_text


@dataclass(frozen=True, slots=True)
class PageCards:
    """The cards of pages, and warnings of those that could not be made, by the page's key."""

    cards: Mapping[str, Asset] = field(default_factory=dict[str, Asset])
    problems: Mapping[str, Problem] = field(default_factory=dict[str, Problem])


def with_drawing(brand: BrandedNode) -> BrandedNode:
    """The node with what draws its cards; without cards, and with a warning, where nothing can.

    A node that wants none is given back itself.
    """
    if brand.card is None:
        return brand
    if drawing := card_drawing():
        return replace(brand, card=replace(brand.card, drawing=drawing))
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


def cards_of(
    brand: BrandedNode,
    pages: Iterable[AssembledPage],
    make: Callable[[CardStyle, Collection[CardText]], Cards],
) -> PageCards:
    """The cards of pages on a node, where it wants any; `make` gives those of texts."""
    if brand.card is None:
        return PageCards()
    texts = {page.key: card_text(page) for page in pages}
    wanted = {key: text for key, text in texts.items() if text is not None}
    found = make(brand.card, list(dict.fromkeys(wanted.values())))
    return PageCards(
        {key: found.made[text] for key, text in wanted.items() if text in found.made},
        {
            key: Problem(
                entity="page",
                key=key,
                what=f"its social card can't be drawn: {found.failed[text]}",
                remedy="give the page an og_image, or build again",
                severity="warning",
            )
            for key, text in wanted.items()
            if text in found.failed
        },
    )
