"""The category of a token's row."""

from __future__ import annotations

from typing import Final

_CATEGORIES: Final = {
    "color": "color",
    **dict.fromkeys(("fontFamily", "fontWeight", "fontFamilies", "fontWeights"), "font"),
    **dict.fromkeys(("fontSizes", "fontSize", "lineHeights", "letterSpacing"), "font"),
    **dict.fromkeys(("shadow", "boxShadow"), "shadow"),
    **dict.fromkeys(("duration", "cubicBezier", "transition", "time"), "animation"),
    "spacing": "spacing",
    "borderRadius": "radius",
}


def category_of(kind: str, key: str) -> str:
    """The category that a token's type tells, or else the first part of its key."""
    return _CATEGORIES.get(kind, key.split(".")[0][:50])
