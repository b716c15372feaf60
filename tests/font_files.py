"""Fonts for tests."""

from __future__ import annotations

import io
from typing import Any

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

LATIN = [*range(0x20, 0x7F)]
MORE = [*range(0x400, 0x600)]


def _glyph(letter: int) -> Any:
    """A shape like no other letter's, so that each takes its bytes."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for number in range(1, 20):
        pen.lineTo((number * letter * 7 % 500, number * letter * 13 % 700))
    pen.closePath()
    return pen.glyph()


def a_font(letters: list[int], *, flavor: str = "woff2", **table: Any) -> bytes:
    """A font whose letters are as wide as a half of it is high."""
    names = {letter: f"u{letter:04X}" for letter in letters}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap(names)
    shapes = {name: _glyph(letter) for letter, name in names.items()}
    builder.setupGlyf({".notdef": _glyph(1), **shapes})
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", *names.values()), (500, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    rights = table.pop("rights", "none")
    builder.setupNameTable({"familyName": "Own", "styleName": "Regular", "copyright": rights})
    builder.setupOS2(sTypoAscender=800, sTypoDescender=-200, **table)
    builder.setupPost(isFixedPitch=0)
    builder.font.flavor = flavor
    made = io.BytesIO()
    builder.save(made)
    return made.getvalue()
