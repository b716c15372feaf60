"""Pictures of a review's pages: which are taken, what they are, and what is said of them."""

from robbieblocks.review.pictures.choosing import theme_of
from robbieblocks.review.pictures.sentences import (
    difference_text,
    left_out_text,
    pictures_text,
    remarks,
)
from robbieblocks.review.pictures.taking import take_pictures
from robbieblocks.review.pictures.thumbnails import Thumbnails
from robbieblocks.review.pictures.values import (
    SHOWN_FROM,
    SIDES,
    Picture,
    Pictured,
    Pictures,
    view_file,
)

__all__ = [
    "SHOWN_FROM",
    "SIDES",
    "Picture",
    "Pictured",
    "Pictures",
    "Thumbnails",
    "difference_text",
    "left_out_text",
    "pictures_text",
    "remarks",
    "take_pictures",
    "theme_of",
    "view_file",
]
