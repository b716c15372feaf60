"""What social networks show of a page that has no picture of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from robbieblocks.model.values import canonical_json, sha256

if TYPE_CHECKING:
    from robbieblocks.model.assets import Asset


WAITING_CARD: Final = "it is drawn once builds rest"
"""Why a page lacks its card that nobody has tried to draw yet."""


class CardText(NamedTuple):
    """What a card says of a page."""

    title: str
    description: str


@dataclass(frozen=True, kw_only=True)
class CardStyle:
    """How a node's cards look. Colours are `#rrggbb`; fonts are tried in their order, letter by
    letter: those of media have no bytes, and `drawing`, which names the code that draws, is "",
    before `pipeline.page_cards.with_drawing`.
    """

    site: str
    background: str
    heading: str
    text: str
    accent: str
    title_fonts: tuple[Asset, ...]
    text_fonts: tuple[Asset, ...]
    drawing: str = ""

    @cached_property
    def digest(self) -> str:
        """A hash of all that decides how a text looks on a card."""
        colors = [self.background, self.heading, self.text, self.accent]
        fonts = [[font.name for font in fonts] for fonts in (self.title_fonts, self.text_fonts)]
        return sha256(canonical_json([self.drawing, self.site, *colors, *fonts]))
