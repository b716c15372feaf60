"""Makes social cards, once for each text and style: they are kept in the cache."""

from __future__ import annotations

import functools
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from robbieblocks.cache import Cache
from robbieblocks.errors import ProcessFailed
from robbieblocks.media.child import start_child
from robbieblocks.model import Asset, CardStyle, CardText, canonical_json, sha256
from robbieblocks.process import Child
from robbieblocks.source_hash import source_hash

_KIND: Final = "social-card"
_TIMEOUT_S: Final = 20.0
# More than a card has room for.
_TITLE_LENGTH: Final = 300
_DESCRIPTION_LENGTH: Final = 500


class Cards(NamedTuple):
    """The cards that were made. `failed` says why a text has none, though its fonts may do."""

    made: dict[CardText, Asset]
    failed: dict[CardText, str]


@functools.cache
def card_drawing() -> str:
    """A hash of the code that draws cards; "" where Pillow is not installed."""
    if importlib.util.find_spec("PIL") is None:
        return ""
    return source_hash(Path(__file__).with_name("card_drawing.py"))


def make_cards(cache: Cache, style: CardStyle, texts: Iterable[CardText]) -> Cards:
    """A picture of 1200 by 630 pixels for each text; none where the fonts lack letters of a title.

    What is not in the cache is made by one child process.
    """
    keys = {text: _key(style, text) for text in texts}
    kept = cache.get_many(_KIND, keys.values())
    cards = Cards({}, {})
    child: Child | None = None
    try:
        for text, key in keys.items():
            drawn = kept.get(key)
            if drawn is None:
                if child is None or not child.alive:
                    child = start_child()
                try:
                    drawn = _drawn(child, style, text)
                except ProcessFailed as error:
                    cards.failed[text] = str(error).splitlines()[0]
                    continue
                cache.put_many(_KIND, {key: drawn})
            if drawn:
                cards.made[text] = Asset.of("card", "png", drawn)
    finally:
        if child is not None:
            child.kill()
    return cards


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
