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
    `html` empty, where it failed. `classes` are the words that may be utility classes, sorted and
    with a blank between, of its HTML and, if it lives in the browser, of its props; where there are
    too many, `left_out` says that some are missing. `hints` are elements for the page's head.
    `misnested` names two elements, of which HTML does not allow the second in the first: browsers
    have another tree than React, so that the block can't be hydrated.
    """

    html: str
    interactive: bool = True
    rerender: bool = False
    problem: Problem | None = None
    classes: str = ""
    left_out: bool = False
    hints: str = ""
    misnested: str = ""

    @property
    def lives(self) -> bool:
        """Whether the browser has to run it."""
        return self.interactive or self.rerender


@functools.lru_cache(maxsize=4096)
def _words(classes: str) -> frozenset[str]:
    return frozenset(classes.split())


def class_words(blocks: Iterable[RenderedBlock]) -> frozenset[str]:
    """The words of the blocks that may be utility classes."""
    return frozenset[str]().union(*[_words(classes) for classes in {b.classes for b in blocks}])
