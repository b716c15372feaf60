"""What is made of a font: a file of the letters that nearly every page needs, and its measures.

It runs in the child process that reads pictures: whatever a file does, only that is harmed.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import Any, Final

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

from robbieblocks.media.forms import Refused

# Decoding more in Python takes a minute, and a bomb far longer.
_GLYPHS_MAX: Final = 20_000
_BYTES_MAX: Final = 64 << 20
# A part that is hardly smaller costs a second request for nothing.
_WORTH: Final = 0.7
_RANGE: Final = re.compile(r"U\+([0-9A-F]{1,6})(?:-([0-9A-F]{1,6}))?")
# OpenType, OS/2: the font may not be cut up.
_NO_SUBSETTING: Final = 0x0100
_USE_TYPO_METRICS: Final = 0x80
_NAMES_OF_RIGHTS: Final = (0, 13)
# English prose: each letter about as often as pages have it (tools/font_metrics.py).
SAMPLE: Final = (
    "It was a bright cold day in early spring, and the clocks of the old town were striking nine. "
    "Everybody who lived near the harbour knew what that meant: boats would come back before noon, "
    "the market would open at ten, and for two or three hours nobody could hear a word of anything."
)
# How wide it is, in em, in Arial, Times New Roman and Courier New; by kind, and from which weight.
_WIDTHS: Final = {
    "sans": {400: 125.229, 700: 135.255},
    "serif": {400: 114.257, 700: 122.001},
    "mono": {400: 168.6, 700: 168.6},
}
_BOLD_FROM: Final = 550
_SERIFS: Final = range(2, 11)


@dataclass(frozen=True, slots=True)
class MadeFont:
    """The common letters as a woff2 file, None where the font is published whole; and for each
    weight that was measured size, ascent, descent and gap in percent.
    """

    common: bytes | None
    kind: str
    measures: tuple[tuple[int, float, float, float, float], ...]


def font_of(content: bytes, common_range: str) -> MadeFont:
    """What is made of a woff2 or woff file. Raises Refused."""
    if (size := int.from_bytes(content[16:20], "big")) > _BYTES_MAX:
        raise Refused(f"can't be read as a font: it says that it has {size:,} bytes unpacked")
    try:
        return _made(content, common_range)
    except Exception as error:
        # The library raises whatever a table makes of it; memory is bounded in this child.
        raise Refused(f"can't be read as a font: {type(error).__name__}") from error


def _made(content: bytes, common_range: str) -> MadeFont:
    wanted = _letters(common_range)
    with TTFont(io.BytesIO(content), lazy=True) as font:
        known = set(font.getBestCmap() or ())
        has_letters = {*map(ord, SAMPLE)} <= known
        if font["maxp"].numGlyphs > _GLYPHS_MAX or not has_letters:
            return MadeFont(None, "", ())
        if known <= wanted or not _may_be_cut(font):
            return MadeFont(None, *_measured(content))
    common = _cut(content, wanted & known)
    measured = _measured(common)
    return MadeFont(common if len(common) <= _WORTH * len(content) else None, *measured)


def _letters(ranges: str) -> set[int]:
    found: set[int] = set()
    for first, last in _RANGE.findall(ranges):
        found.update(range(int(first, 16), int(last or first, 16) + 1))
    return found


def _may_be_cut(font: TTFont) -> bool:
    """Whether the font's own rights leave it to us: a part may bear no name that is reserved."""
    said = [font["name"].getDebugName(number) for number in _NAMES_OF_RIGHTS]
    reserved = any("reserved font name" in text.lower() for text in said if text)
    return not reserved and not font["OS/2"].fsType & _NO_SUBSETTING


def _cut(content: bytes, letters: set[int]) -> bytes:
    options = subset.Options(
        flavor="woff2",
        layout_features=["*"],
        name_IDs=["*"],
        notdef_outline=True,
        passthrough_tables=True,
    )
    with TTFont(io.BytesIO(content), lazy=True, recalcTimestamp=False) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=letters)
        cutter.subset(font)
        font.flavor = "woff2"
        made = io.BytesIO()
        font.save(made)
        return made.getvalue()


def _measured(content: bytes) -> tuple[str, tuple[tuple[int, float, float, float, float], ...]]:
    with TTFont(io.BytesIO(content), lazy=True) as font:
        kind = _kind(font)
        axes = {axis.axisTag: axis for axis in font["fvar"].axes} if "fvar" in font else {}
        if "wght" not in axes:
            stated = font["OS/2"].usWeightClass
            weight = 700 if stated >= _BOLD_FROM else 400
            return kind, ((weight, *_sizes(font, _WIDTHS[kind][weight])),)
    found: list[tuple[int, float, float, float, float]] = []
    lightest, boldest = axes["wght"].minValue, axes["wght"].maxValue
    for weight, width in _WIDTHS[kind].items():
        with TTFont(io.BytesIO(content)) as font:
            at = {tag: axis.defaultValue for tag, axis in axes.items()}
            at["wght"] = min(max(weight, lightest), boldest)
            found.append((weight, *_sizes(instantiateVariableFont(font, at), width)))
    return kind, tuple(found)


def _kind(font: TTFont) -> str:
    if font["post"].isFixedPitch:
        return "mono"
    table = font["OS/2"]
    by_class = table.sFamilyClass >> 8
    if by_class in (1, 2, 3, 4, 5, 7):
        return "serif"
    is_serif = table.panose.bFamilyType == 2 and table.panose.bSerifStyle in _SERIFS
    return "serif" if by_class != 8 and is_serif else "sans"


def _sizes(font: Any, width: float) -> tuple[float, float, float, float]:
    """Size, ascent, descent and gap in percent: all letters as wide as those of this width."""
    em = font["head"].unitsPerEm
    names, advances = font.getBestCmap(), font["hmtx"]
    size = sum(advances[names[ord(letter)]][0] for letter in SAMPLE) / em / width
    table, across = font["OS/2"], font["hhea"]
    if table.fsSelection & _USE_TYPO_METRICS:
        heights = table.sTypoAscender, -table.sTypoDescender, table.sTypoLineGap
    else:
        heights = across.ascent, -across.descent, across.lineGap
    if not 0.2 <= size <= 5:
        raise Refused("can't be read as a font: its letters have no width")
    ascent, descent, gap = (round(max(height, 0) / em / size * 100, 2) for height in heights)
    return round(size * 100, 2), ascent, descent, gap
