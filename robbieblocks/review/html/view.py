"""The pages that compare: both sides of a page, or of its pictures, below a bar."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from posixpath import dirname, relpath
from typing import Final

from robbieblocks.review.html.report import IN_FOLDER, filled
from robbieblocks.review.pictures import Pictured, Pictures, difference_text, remarks, view_file
from robbieblocks.review.values import PageEffect, RowChange

# The fragment at which a page's copy outlines what differs.
OUTLINED: Final = "rb-changed"


class View:
    """All views of one page, as files by path. `row` is what differs in its row."""

    def __init__(
        self,
        page: PageEffect,
        row: RowChange | None,
        theme: str,
        pages: Sequence[PageEffect],
        pictures: Pictures,
    ) -> None:
        self._page = page
        self._row = row
        self._theme = theme
        self._pages = [each for each in pages if each.key == page.key and each.node != page.node]
        self._of_page = pictures.by_page
        self._screens = self._of_page.get((page.node, page.key), ())

    def of_page(self, sources: Mapping[str, str], *, outlines: bool) -> bytes:
        """The view of the page itself; `sources` are the files of its sides.

        `outlines` tells whether blocks differ in them: a token or a template outlines none.
        """
        here = dirname(view_file(self._page))
        frames = {side: f"{relpath(file, here)}#{OUTLINED}" for side, file in sources.items()}
        return self._filled("", frames, sides=len(frames), marks=outlines)

    def of_pictures(self) -> dict[str, bytes]:
        """The view of each screen's pictures."""
        here = dirname(view_file(self._page))
        return {
            view_file(self._page, each.screen): self._filled(
                each.screen,
                {},
                sides=sum(side != "difference" for side in each.pictures),
                marks="difference" in each.pictures,
                images={
                    side: (relpath(picture.file, here), picture)
                    for side, picture in each.pictures.items()
                },
                remarks=[difference_text(each), *remarks(each)],
            )
            for each in self._screens
        }

    def _filled(
        self,
        screen: str,
        frames: Mapping[str, str],
        *,
        sides: int,
        marks: bool,
        images: Mapping[str, object] | None = None,
        remarks: Sequence[str] = (),
    ) -> bytes:
        here = dirname(view_file(self._page))
        return filled(
            "view.html.j2",
            styles=("common.css", "view.css"),
            script="view.js",
            page=self._page,
            row=self._row,
            theme=self._theme,
            screen=screen,
            frames=frames,
            pictures=images or {},
            images=IN_FOLDER,
            sides=sides,
            marks=marks,
            said=remarks,
            index=relpath("index.html", here),
            others=[
                (each.node, relpath(view_file(each, screen), here))
                for each in self._pages
                if not screen or screen in self._screens_of(each)
            ],
            screens=list(self._addresses(here)),
        ).encode()

    def _addresses(self, here: str) -> Iterator[tuple[str, str, str]]:
        """The page and its screens: name, address and what to say of it."""
        if self._screens:
            yield "", relpath(view_file(self._page), here), "page"
        for each in self._screens:
            address = relpath(view_file(self._page, each.screen), here)
            yield each.screen, address, difference_text(each)

    def _screens_of(self, page: PageEffect) -> set[str]:
        found: tuple[Pictured, ...] = self._of_page.get((page.node, page.key), ())
        return {each.screen for each in found}
