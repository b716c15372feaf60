"""Draws the icons of a node out of one picture: Pillow the sizes, resvg the pixels of an SVG."""

from __future__ import annotations

import io
import math
from typing import Any, Final

from PIL import Image

from robbieblocks.media.forms import Forms, Made, Refused

SIDE: Final = 512
_SVG: Final = "image/svg+xml"
# What Windows and old readers take out of an ICO.
_ICO_PX: Final = (16, 32, 48)
# In tabs; on home screens of Apple's devices; in a list of apps.
_TAB_PX: Final = 48
_TOUCH_PX: Final = 180
_LIST_PX: Final = 192
# What lies in a circle of this part of the side is never cut off (W3C, Web Application Manifest,
# "safe zone").
_SAFE: Final = 0.8
# As fine as the reach of what is drawn is measured.
_MEASURED_PX: Final = 128
_OPAQUE: Final = 8


def icons_of(content: bytes, kind: str, ground: str) -> Forms:
    """An ICO, and PNGs for tabs, home screens and the installed site, of a square SVG or PNG.

    In that order: the last two are of 512 pixels, the very last with room to be cut round. `ground`
    is the `#rrggbb` behind those two that no device shows through. Raises Refused.
    """
    whole = _picture(content, kind)
    covered = Image.new("RGBA", whole.size, ground)
    covered.alpha_composite(whole)
    icons = (
        _png(_sized(whole, _TAB_PX)),
        _png(_sized(covered, _TOUCH_PX).convert("RGB")),
        _png(_sized(whole, _LIST_PX)),
        _png(whole),
        _png(_with_room(whole, ground)),
    )
    return Forms(*whole.size, (_ico(whole), *icons))


def _picture(content: bytes, kind: str) -> Image.Image:
    if kind == _SVG:
        content = _pixels(content)
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        return _sized(image.convert("RGBA"), SIDE)


def _pixels(content: bytes) -> bytes:
    if b"<text" in content:
        # Which fonts a machine has would decide what nodes show.
        raise Refused("writes text, and no font comes with it")
    import resvg_py

    text = content.decode()
    try:
        return resvg_py.svg_to_bytes(text, width=SIDE, height=SIDE, skip_system_fonts=True)
    except ValueError as error:
        raise Refused(f"can't be drawn: {' '.join(str(error).split())[:200]}") from None


def _with_room(whole: Image.Image, ground: str) -> Image.Image:
    """The picture as large as nothing of it is cut off, on the ground."""
    side = min(SIDE, round(SIDE * _SAFE / 2 / _reach(whole)))
    small = _sized(whole, side)
    made = Image.new("RGBA", (SIDE, SIDE), ground)
    made.alpha_composite(small, ((SIDE - side) // 2, (SIDE - side) // 2))
    return made.convert("RGB")


def _reach(whole: Image.Image) -> float:
    """How far from the middle something is drawn, in parts of the side: a full square is 0.71."""
    seen = _sized(whole, _MEASURED_PX).getchannel("A").tobytes()
    middle = (_MEASURED_PX - 1) / 2
    far = max(
        (
            math.hypot(at % _MEASURED_PX - middle, at // _MEASURED_PX - middle)
            for at, alpha in enumerate(seen)
            if alpha >= _OPAQUE
        ),
        default=middle,
    )
    # Half a pixel lies beyond the middle of the last one. What is tiny stays as it is.
    return max((far + 0.5) / _MEASURED_PX, _SAFE / 2)


def _sized(image: Image.Image, side: int) -> Image.Image:
    # Its types are not all told.
    given: Any = image
    made: Image.Image = given.resize((side, side), Image.Resampling.LANCZOS)
    return made


def _png(image: Image.Image) -> Made:
    written = io.BytesIO()
    image.save(written, "PNG", optimize=True)
    return Made("image/png", *image.size, written.getvalue())


def _ico(whole: Image.Image) -> Made:
    each = [_sized(whole, side) for side in _ICO_PX]
    written = io.BytesIO()
    sizes = [(side, side) for side in _ICO_PX]
    each[-1].save(written, "ICO", sizes=sizes, append_images=each[:-1])
    return Made("image/x-icon", _ICO_PX[-1], _ICO_PX[-1], written.getvalue())
