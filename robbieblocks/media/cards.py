"""Makes social cards, once for each text and style: they are kept in the cache."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Final, NamedTuple

from robbieblocks import failpoints
from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.media.child import start_child
from robbieblocks.model import Asset, CardStyle, CardText, canonical_json, sha256
from robbieblocks.process import Child
from robbieblocks.row_faults import is_fault
from robbieblocks.source_hash import source_hash

_CODE: Final = source_hash(Path(__file__).with_name("card_drawing.py"))
_KIND: Final = "social-card"
_TIMEOUT_S: Final = 20.0
# More than a card has room for.
_TITLE_LENGTH: Final = 300
_DESCRIPTION_LENGTH: Final = 500
# Each may take as much memory as a child may; and to start one takes as long as two cards.
_CHILDREN_MAX: Final = 8
_TEXTS_EACH: Final = 4
# What fails so often in a row fails because of the machine.
_FAILURES_MAX: Final = 4
_LOOK_S: Final = 0.2


class Cards(NamedTuple):
    """The cards that were made; None where the fonts lack a letter of the title.

    `failed` says why a text has none, though its fonts may do. Where one failure followed another,
    the texts that are in neither were not tried, and `gave_up` says why.
    """

    made: dict[CardText, Asset | None]
    failed: dict[CardText, str]
    gave_up: str = ""


@functools.cache
def card_drawing() -> str:
    """A hash of the code that draws cards; "" where Pillow is not installed."""
    if importlib.util.find_spec("PIL") is None:
        return ""
    return _CODE


@dataclass(frozen=True, slots=True)
class CardMaker:
    """Makes pictures of 1200 by 630 pixels in child processes. What was made is in the cache."""

    cache: Cache

    def kept(self, style: CardStyle, texts: Iterable[CardText]) -> dict[CardText, Asset | None]:
        """The cards of those texts that are in the cache; None as in `Cards`."""
        keys = {text: _key(style, text) for text in texts}
        found = self.cache.get_many(_KIND, keys.values())
        return {text: _asset(found[key]) for text, key in keys.items() if key in found}

    def draw(
        self,
        style: CardStyle,
        texts: Collection[CardText],
        *,
        drawn: Callable[[int], object] = lambda _: None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Cards:
        """Draw the cards of texts, in as many processes as the machine has processors.

        `drawn` is told how many are done. Each is kept as soon as it is drawn, so that whoever is
        killed meanwhile loses none. Ends early where `go_on` says so.
        """
        cards, in_a_row = Cards({}, {}), 0
        with _Drawers(style, texts) as drawers:
            while len(cards.made) + len(cards.failed) < len(texts):
                told = drawers.next_one()
                if not go_on():
                    break
                if told is None:
                    continue
                text, picture = told
                if isinstance(picture, BaseException) and _is_of_its_text(picture):
                    cards.failed[text] = [*str(picture).splitlines(), type(picture).__name__][0]
                    in_a_row += 1
                    if in_a_row == _FAILURES_MAX:
                        return cards._replace(gave_up=cards.failed[text])
                elif isinstance(picture, BaseException):
                    raise picture
                else:
                    in_a_row = 0
                    self.cache.put_many(_KIND, {_key(style, text): picture})
                    failpoints.reached("card")
                    cards.made[text] = _asset(picture)
                drawn(len(cards.made))
        return cards


@dataclass(slots=True)
class _Drawers:
    """Threads with a child process each, which take one text after the other.

    A child ends with the thread that started it, so each thread starts its own.
    """

    style: CardStyle
    texts: Collection[CardText]
    _waiting: deque[CardText] = field(init=False)
    _told: SimpleQueue[tuple[CardText, bytes | BaseException]] = field(default_factory=SimpleQueue)
    _threads: list[Thread] = field(default_factory=list[Thread])
    _children: set[Child] = field(default_factory=set[Child])
    _lock: Lock = field(default_factory=Lock)
    _closing: bool = False

    def __enter__(self) -> _Drawers:
        self._waiting = deque(self.texts)
        wanted = -(-len(self.texts) // _TEXTS_EACH)
        for _ in range(min(wanted, len(os.sched_getaffinity(0)), _CHILDREN_MAX)):
            self._threads.append(Thread(target=self._work, name="social cards"))
            self._threads[-1].start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closing = True
            for child in self._children:
                child.interrupt()
        for thread in self._threads:
            thread.join()

    def next_one(self) -> tuple[CardText, bytes | BaseException] | None:
        """A text with its picture, or with what went wrong; None where none is ready soon."""
        try:
            return self._told.get(timeout=_LOOK_S)
        except Empty:
            return None

    def _work(self) -> None:
        child: Child | None = None
        try:
            while self._waiting and not self._closing:
                try:
                    text = self._waiting.popleft()
                except IndexError:
                    return  # another thread was quicker
                try:
                    if child is None or not child.alive:
                        child = self._started(child)
                    self._told.put((text, _drawn(child, self.style, text)))
                except BaseException as error:  # noqa: BLE001 - raised by whoever waits for it
                    self._told.put((text, error))
        finally:
            self._ended(child)

    def _started(self, before: Child | None) -> Child:
        self._ended(before)
        child = start_child()
        with self._lock:
            self._children.add(child)
            if self._closing:
                child.interrupt()
        return child

    def _ended(self, child: Child | None) -> None:
        if child is not None:
            with self._lock:
                self._children.discard(child)
            child.kill()


def _is_of_its_text(error: BaseException) -> bool:
    """Whether a failure is told of one card, and not of the machine."""
    return isinstance(error, ProcessFailed) or (is_fault(error) and not isinstance(error, OSError))


def _asset(drawn: bytes) -> Asset | None:
    return Asset.of("card", "png", drawn) if drawn else None


def _key(style: CardStyle, text: CardText) -> str:
    return sha256(canonical_json([style.digest, *_bounded(text)]))


def _bounded(text: CardText) -> CardText:
    return CardText(text.title[:_TITLE_LENGTH], text.description[:_DESCRIPTION_LENGTH])


def _drawn(child: Child, style: CardStyle, text: CardText) -> bytes:
    """The picture; no bytes where there can be none. Raises ProcessFailed."""
    fonts = {font.name: font.content for font in (*style.title_fonts, *style.text_fonts)}
    head = {
        "type": "card",
        "card": {
            **_bounded(text)._asdict(),
            "site": style.site,
            "background": style.background,
            "heading": style.heading,
            "text": style.text,
            "accent": style.accent,
        },
        "fonts": {name: len(content) for name, content in fonts.items()},
        "title_fonts": [font.name for font in style.title_fonts],
        "text_fonts": [font.name for font in style.text_fonts],
    }
    answer = child.call(json.dumps(head).encode() + b"\n" + b"".join(fonts.values()), _TIMEOUT_S)
    told, _, drawn = answer.partition(b"\n")
    return b"" if "error" in json.loads(told) else drawn
