"""Small pictures in the cells of a comment's table, by address."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Final

from robbieblocks.review.pictures.sentences import difference_text
from robbieblocks.review.pictures.values import Pictured, Pictures, view_file
from robbieblocks.review.values import PageEffect

# Pixels. A page may be far higher than it is wide.
_WIDTH: Final = 160
_HEIGHT_MAX: Final = 240


class Thumbnails:
    """The cell of each page; `base` is the address of the preview's folder, empty for unknown."""

    def __init__(self, pictures: Pictures, base: str) -> None:
        self._pages: Mapping[tuple[str, str], tuple[Pictured, ...]] = (
            pictures.by_page if base else {}
        )
        self._base = base.rstrip("/")

    @property
    def any(self) -> bool:
        """Whether a page has one."""
        return bool(self._pages)

    def of(self, page: PageEffect) -> str:
        """The desktop's picture after the change, or the nearest to it; and what differs."""
        screens = self._pages.get((page.node, page.key), ())
        if not screens:
            return ""
        shown = screens[-1]
        picture = shown.after or shown.before
        if picture is None:
            return ""
        if picture.height * _WIDTH > _HEIGHT_MAX * picture.width:
            size = f'height="{_HEIGHT_MAX}"'
        else:
            size = f'width="{_WIDTH}"'
        image = f'<img src="{self._address(picture.file)}" {size} alt="{shown.screen}">'
        texts = [self._linked(page, each, difference_text(each)) for each in screens]
        return "<br>".join([self._linked(page, shown, image), *texts])

    def _linked(self, page: PageEffect, each: Pictured, text: str) -> str:
        return f'<a href="{self._address(view_file(page, each.screen))}">{text}</a>'

    def _address(self, file: str) -> str:
        # In a table a bar ends the cell.
        return escape(f"{self._base}/{file}").replace("|", "%7C")
