"""Draws social cards within builds and beside them, and knows which pages lack theirs."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from robbieblocks.media import CardMaker, Cards
from robbieblocks.messages import counted
from robbieblocks.model import WAITING_CARD, Asset, BrandedNode, CardStyle, CardText
from robbieblocks.pipeline.beside import BesideBuilds
from robbieblocks.pipeline.maintenance import MAINTENANCE_LOGGER
from robbieblocks.pipeline.page_cards import PageCards, Progress, reporting
from robbieblocks.pipeline.request import Target

# A worker's build waits for so many: they take half a second.
_AT_ONCE_MAX: Final = 8
# So many pages go out together with cards that were drawn beside builds.
_PORTION: Final = 250
_WAIT_MAX_S: Final = 60.0
_PAUSE_S: Final = 30.0
_PAUSE_MAX_S: Final = 3600.0


class _Owed(NamedTuple):
    """A card that a page lacks: `why`, how often it was tried, and when it is tried next."""

    style: CardStyle
    text: CardText
    due_at: float
    why: str = WAITING_CARD
    tries: int = 0

    def is_of(self, other: _Owed) -> bool:
        """Whether both are the same card."""
        return self.text == other.text and self.style.digest == other.style.digest

    def failed(self, why: str, tries: int) -> _Owed:
        """The same, to be tried later: the more often it was, the later."""
        pause_s = min(_PAUSE_S * 4.0 ** min(max(tries, 1) - 1, 10), _PAUSE_MAX_S)
        return self._replace(why=why, tries=tries, due_at=time.monotonic() + pause_s)


_Portion = tuple[Target, dict[str, _Owed]]


@dataclass(slots=True, kw_only=True)
class SocialCards(BesideBuilds):
    """Draws the cards of pages, and knows which pages lack theirs.

    A build waits for its cards. Where many are drawn `later`, it waits for few: a thread draws the
    others once builds rest, and those that failed again after a pause, and calls `on_ready`; the
    next build puts them into a release. What failed is not tried again by a build of this process.
    """

    maker: CardMaker
    _owed: dict[Target, dict[str, _Owed]] = field(default_factory=dict[Target, dict[str, _Owed]])
    _failed: dict[Target, str] = field(default_factory=dict[Target, str])

    def is_due(self, target: Target, page: str) -> bool:
        """Whether a page that lacks its card is to be made again: nothing waits to draw it."""
        return page not in self._owed.get(target, {})

    def of_pages(
        self,
        target: Target,
        brand: BrandedNode,
        pages: Mapping[str, CardText | None],
        progress: Progress,
    ) -> PageCards:
        """The cards of pages that are made now, where the node wants any: what each says, by key;
        None where it has a picture of its own.
        """
        style = brand.card
        if style is None:
            with self._changed:
                self._owed.pop(target, None)
            return PageCards()
        wanted = {key: text for key, text in pages.items() if text is not None}
        made = self.maker.kept(style, dict.fromkeys(wanted.values()))
        now = time.monotonic()
        lacking = {key: _Owed(style, text, now) for key, text in wanted.items() if text not in made}
        with self._changed:
            before = self._owed.get(target, {})
            owed = {
                key: before[key]
                for key, each in lacking.items()
                if key in before and before[key].is_of(each)
            }
        new = {key: each for key, each in lacking.items() if key not in owed}
        if not self.later or len(new) <= _AT_ONCE_MAX:
            drawn, new = self._drawn(new, progress, f"{target.node}: {target.app}: ")
            made |= drawn
        self._note(target, pages, owed | new)
        cards = {key: card for key, text in wanted.items() if (card := made.get(text))}
        return PageCards(cards, {key: each.why for key, each in (owed | new).items()})

    def keep_only(self, target: Target, pages: Callable[[], Collection[str]]) -> None:
        """Forget what pages lacked that are no longer there; asked for where one lacks something"""
        if target in self._owed:
            there = set(pages())
            with self._changed:
                owed = self._owed.get(target, {})
                self._put(target, {key: each for key, each in owed.items() if key in there})

    def _note(self, target: Target, made: Iterable[str], owed: Mapping[str, _Owed]) -> None:
        """Keep what pages lack that were made now."""
        if not owed and target not in self._owed:
            return
        with self._changed:
            others = dict(self._owed.get(target, {}))
            for key in made:
                others.pop(key, None)
            self._put(target, others | dict(owed))
            if self.later and owed:
                self._wake(self._run, "cards")

    def _put(self, target: Target, owed: dict[str, _Owed]) -> None:
        if owed:
            self._owed[target] = owed
        else:
            self._owed.pop(target, None)

    def _drawn(
        self, owed: Mapping[str, _Owed], progress: Progress = lambda _: None, place: str = ""
    ) -> tuple[dict[CardText, Asset | None], dict[str, _Owed]]:
        """What could be drawn of cards of one style, and what then is left of them by page."""
        if not owed:
            return {}, {}
        texts = list(dict.fromkeys(each.text for each in owed.values()))
        style = next(iter(owed.values())).style
        drawn = reporting(progress, place, len(texts))
        cards = self.maker.draw(style, texts, drawn=drawn, go_on=lambda: not self._closing)
        return cards.made, {
            key: _left(each, cards) for key, each in owed.items() if each.text not in cards.made
        }

    def _run(self) -> None:
        while (portion := self._next()) is not None:
            target, owed = portion
            try:
                _, left = self._drawn(owed)
            except Exception as error:  # noqa: BLE001 -- it would end the thread, and no one would know
                left = {key: each.failed(str(error), each.tries) for key, each in owed.items()}
            if not self._closing:
                self._tell(target, [each.why for each in left.values()])
            self._draw_ended(target, owed, left)

    def _draw_ended(
        self, target: Target, tried: Mapping[str, _Owed], left: Mapping[str, _Owed]
    ) -> None:
        with self._changed:
            owed = dict(self._owed.get(target, {}))
            for key, each in tried.items():
                # Another build may have asked for another card meanwhile.
                if owed.get(key) is each:
                    del owed[key]
                    owed |= {key: left[key]} if key in left else {}
            self._put(target, owed)
            if len(left) < len(tried):
                self._ready.add(target.app)
        if len(left) < len(tried):
            self.on_ready()

    def _next(self) -> _Portion | None:
        """Cards of one target and style that are to be drawn now; None at the end."""
        with self._changed:
            while self._owed and not self._closing:
                now = time.monotonic()
                target, first = min(
                    ((target, each) for target, of in self._owed.items() for each in of.values()),
                    key=lambda found: (found[1].due_at, found[1].tries),
                )
                rest_s = self.rest.left_s(latest=first.due_at + _WAIT_MAX_S)
                if rest_s == 0 and first.due_at <= now:
                    return target, _portion(self._owed[target], first.style, now)
                self._changed.wait(None if rest_s is None else max(rest_s, first.due_at - now))
            self._thread = None
            return None

    def _tell(self, target: Target, reasons: list[str]) -> None:
        """Log a failure once, until all goes well or it fails otherwise."""
        why = reasons[0] if reasons else ""
        if why and self._failed.get(target) != why:
            MAINTENANCE_LOGGER.log(
                logging.WARNING,
                "drawing %s of %s/%s failed, and is tried again: %s",
                *(counted(len(reasons), "social card"), target.node, target.app, why),
            )
        self._failed[target] = why


def _portion(owed: Mapping[str, _Owed], style: CardStyle, now: float) -> dict[str, _Owed]:
    due = [
        item
        for item in owed.items()
        if item[1].due_at <= now and item[1].style.digest == style.digest
    ]
    # What others were tried before, and could not be drawn, must not keep the rest from its turn.
    due.sort(key=lambda item: item[1].tries)
    return dict(due[:_PORTION])


def _left(owed: _Owed, cards: Cards) -> _Owed:
    if owed.text in cards.failed:
        return owed.failed(cards.failed[owed.text], owed.tries + 1)
    if cards.gave_up:
        return owed.failed(f"others failed before it: {cards.gave_up}", owed.tries)
    return owed
