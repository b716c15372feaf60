"""Media: what is made of the pictures, fonts and other files that pages show."""

from robbieblocks.media.cards import CardMaker, Cards, card_drawing
from robbieblocks.media.icons import IconMaker, IconSet, NoIcons
from robbieblocks.media.kinds import KindProblem, MediaKind, kind_of
from robbieblocks.media.making import MediaMaker
from robbieblocks.media.references import References, Styles, keys_in_styles

__all__ = [
    "CardMaker",
    "Cards",
    "IconMaker",
    "IconSet",
    "KindProblem",
    "MediaKind",
    "MediaMaker",
    "NoIcons",
    "References",
    "Styles",
    "card_drawing",
    "keys_in_styles",
    "kind_of",
]
