"""What blocks are rendered from, and to."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from robbieblocks.errors import Problem


class RenderJob(NamedTuple):
    """One block to render: equal jobs give equal HTML, as long as the scripts are equal."""

    component: str
    props_json: str
    prefix: str


class RenderedBlock(NamedTuple):
    """A block's HTML.

    `interactive` says that it has state, effects, refs or event handlers, so that the browser must
    hydrate it. `rerender` says that the browser gets other HTML, because the block read the clock,
    randomness or the locale: it is rendered there again instead of hydrated. `problem` is set, and
    `html` empty, where it failed. `classes` are the words of its HTML that may be utility classes,
    sorted and with a blank between, and `later_classes` those of the props of a block that lives in
    the browser, which may become classes there; where there are too many, `left_out` says that some
    are missing. `hints` are elements for the page's head.
    `misnested` names two elements, of which HTML does not allow the second in the first: browsers
    have another tree than React, so that the block can't be hydrated. `nested_controls` names two
    that a visitor operates, the second in the first, where browsers leave it.
    """

    html: str
    interactive: bool = True
    rerender: bool = False
    problem: Problem | None = None
    classes: str = ""
    left_out: bool = False
    hints: str = ""
    misnested: str = ""
    later_classes: str = ""
    nested_controls: str = ""

    @property
    def lives(self) -> bool:
        """Whether the browser has to run it."""
        return self.interactive or self.rerender


@functools.lru_cache(maxsize=4096)
def _words(classes: str) -> frozenset[str]:
    return frozenset(classes.split())


def class_words(blocks: Iterable[RenderedBlock]) -> frozenset[str]:
    """The words of the blocks that may be utility classes, now or later."""
    texts = {text for block in blocks for text in (block.classes, block.later_classes)}
    return frozenset[str]().union(*map(_words, texts))


def shown_class_words(block: RenderedBlock) -> frozenset[str]:
    """The words of a block's HTML that may be utility classes.

    A prop may hold one and mean something else: `view: "table"`.
    """
    return _words(block.classes)
