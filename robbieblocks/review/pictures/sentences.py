"""What a review says of its pictures, in the words that all its forms share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from robbieblocks.messages import counted, listed
from robbieblocks.review.pictures.values import SHOWN_FROM, Pictured, Pictures

_NAMED_MAX: Final = 6
# Per cent: a smaller share says less than the number of pixels.
_SHARE_FROM: Final = 0.01


def pictures_text(pictures: Pictures) -> str:
    """All of it in one line."""
    pages = {(each.page.node, each.page.key) for each in pictures.taken}
    differing = {(each.page.node, each.page.key) for each in pictures.shown}
    if not pages:
        return "Pictures: no page looks otherwise, as none changes"
    if not differing:
        return f"Pictures: {counted(len(pages), 'page')} taken, none looks otherwise"
    verb = "looks" if len(differing) == 1 else "look"
    return f"Pictures: {len(differing)} of {counted(len(pages), 'page')} taken {verb} otherwise"


def difference_text(each: Pictured) -> str:
    """What differs on one screen: `phone 3.2 %`, `phone 15 pixels`, `desktop looks the same`."""
    if each.pixels is None or each.percent is None:
        if each.problems and each.page.effect == "changed":
            return f"{each.screen}: no comparison"
        return f"{each.screen} {each.page.effect}" if each.pictures else f"{each.screen}: none"
    if each.pixels == 0:
        return f"{each.screen} looks the same"
    few = each.percent < _SHARE_FROM
    said = counted(each.pixels, "pixel") if few else percent_text(each.percent)
    if each.pixels < SHOWN_FROM:
        return f"{each.screen} differs by {said}: not shown"
    return f"{each.screen} {said}"


def percent_text(percent: float) -> str:
    """A share with two digits that say something: `0.012 %`, `3.4 %`, `58 %`."""
    digits = 0 if percent >= 10 else 1 if percent >= 1 else 3 if percent < 0.1 else 2
    return f"{percent:.{digits}f} %"


def remarks(each: Pictured) -> Iterator[str]:
    """What to know about a page's pictures on one screen."""
    yield from each.problems
    if each.height:
        most = max(picture.height for picture in each.pictures.values()) if each.pictures else 0
        yield f"the page is {each.height:,} px high: the picture ends at {most:,} px"
    yield from each.notes
    if each.also:
        yield f"the same on {listed(sorted({page.node for page in each.also}), _NAMED_MAX)}"


def left_out_text(pictures: Pictures) -> str:
    """Which pages there are no pictures of, and how to get them; empty where there are all."""
    if not pictures.left_out:
        return ""
    names = dict.fromkeys(f"{page.key} on {page.node}" for page in pictures.left_out)
    return (
        f"{counted(len(pictures.left_out), 'page')} like these left out: "
        f"{listed(list(names), _NAMED_MAX)}; --page takes one"
    )
