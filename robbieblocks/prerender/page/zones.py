"""The blocks of a page in their wrappers, by zone; and how many of them fill a first screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Final

from markupsafe import Markup

from robbieblocks.model import (
    ZONES,
    AssembledBlock,
    AssembledPage,
    RenderedBlock,
    shown_class_words,
)
from robbieblocks.prerender.page.page_assets import AssetGraph

# About a third of a phone's screen. Less, a bar of links say, is not worth a frame of its own.
_ENOUGH_LETTERS: Final = 200
# Blocks of pictures and lines have no text: further ones are not looked at.
_MOST_BLOCKS: Final = 8
_TAG: Final = re.compile("<[^<>]*>")


def wrapped_blocks(
    page: AssembledPage, rendered: Mapping[int, RenderedBlock], graph: AssetGraph
) -> list[str]:
    """Each block's HTML in its wrapper, in the order of the page."""
    return [_wrapped(block, rendered[block.order], graph) for block in page.blocks]


def _wrapped(block: AssembledBlock, rendered: RenderedBlock, graph: AssetGraph) -> str:
    keys = graph.component_keys(block.component)
    base = graph.base(block.component, reset=block.reset, words=shown_class_words(rendered))
    return (
        f'<div class="rb-block" id="{block.id}" data-rb-component="{keys}"{base}>'
        f"{rendered.html}</div>"
    )


def by_zone(page: AssembledPage, wrapped: Iterable[str]) -> dict[str, Markup]:
    """Each zone's HTML: its blocks in order."""
    zones: dict[str, list[str]] = {zone: [] for zone in ZONES}
    for block, html in zip(page.blocks, wrapped, strict=True):
        zones[block.zone].append(html)
    # HTML that was checked when the blocks were rendered.
    return {zone: Markup("\n".join(parts)) for zone, parts in zones.items()}  # noqa: S704 - see above


def end_of_first_screen(body: str, wrapped: list[str]) -> int | None:
    """Where in the body the blocks end that fill a first screen; None where no more follow, and
    where the first ones have no text.

    A browser lays out and paints what it has read before it starts a page's first script.
    """
    letters = 0
    for html in islice(wrapped[:-1], _MOST_BLOCKS):
        letters += len(_TAG.sub("", html))
        if letters >= _ENOUGH_LETTERS:
            at = body.find(html)
            return at + len(html) if at >= 0 else None
    return None
