"""Which of a review's pages pictures are taken of: each rendering once, and few of those alike."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from robbieblocks.pipeline import Cause, Target
from robbieblocks.review.pictures.values import Theme
from robbieblocks.review.values import PageEffect, Reviewed

# Of pages that change for the same causes on one node.
_ALIKE_MAX: Final = 3
_ALL_MAX: Final = 24
_PICTURED: Final = ("removed", "changed", "added")
_THEME: Final = re.compile(rb'<html\b[^<>]* data-theme="(\w+)"')


@dataclass(frozen=True, kw_only=True)
class Rendering:
    """One page's bytes on both sides, None where it is not there; `also` are pages equal to it."""

    page: PageEffect
    before: bytes | None = field(repr=False)
    after: bytes | None = field(repr=False)
    also: tuple[PageEffect, ...] = ()

    @property
    def theme(self) -> Theme:
        """Whether it is dark."""
        return "dark" if theme_of(self.after or self.before or b"") == "dark" else "light"


def theme_of(page: bytes) -> str:
    """The theme that a page says it has; empty where it says none."""
    found = _THEME.search(page)
    return found[1].decode() if found else ""


def choose(
    made: Reviewed, named: Collection[str] = ()
) -> tuple[tuple[Rendering, ...], tuple[PageEffect, ...]]:
    """What to take pictures of, and pages that are left out because others like them are taken.

    Pages that are `named` are not left out for being like others. Both are in the review's order.
    """
    found = _renderings(made)
    alike: dict[tuple[str, str, tuple[Cause, ...]], int] = {}
    ranked: list[tuple[int, int, Rendering]] = []
    for place, each in enumerate(found):
        # A page of its own is the cause where it comes or goes: those are alike too.
        causes = tuple(sorted(each.page.causes)) if each.page.effect == "changed" else ()
        group = (each.page.node, each.page.effect, causes)
        rank = 0 if each.page.key in named else alike.get(group, 0)
        alike[group] = alike.get(group, 0) + 1
        ranked.append((rank, place, each))
    # First one of each kind, then a second one of each: a bound takes the last ones only.
    taken = {place for rank, place, _ in sorted(ranked)[:_ALL_MAX] if rank < _ALIKE_MAX}
    return (
        tuple(each for place, each in enumerate(found) if place in taken),
        tuple(each.page for place, each in enumerate(found) if place not in taken),
    )


def _renderings(made: Reviewed) -> list[Rendering]:
    """Each pair of a page's bytes once. What a page loads is named in it by hashes."""
    known: dict[tuple[str, bytes | None, bytes | None], list[PageEffect]] = {}
    for page in made.review.pages:
        if page.effect in _PICTURED:
            target = Target(page.node, page.app)
            before, after = made.before.get(target), made.after.get(target)
            key = (
                page.route,
                before.contents.get(page.path_before) if before else None,
                after.contents.get(page.path_after) if after else None,
            )
            known.setdefault(key, []).append(page)
    return [
        Rendering(page=pages[0], before=before, after=after, also=tuple(pages[1:]))
        for (_, before, after), pages in known.items()
    ]
