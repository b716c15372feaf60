"""Colours as numbers, and their contrast (WCAG 2.2, relative luminance and contrast ratio)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

import lightningcss
import tinycss2.color4

from robbieblocks.row_faults import is_fault

# It reads no colour function but rgb(), so that all others are computed for it.
_OLD_BROWSER: Final = ["chrome 60"]
_COMPUTED: Final = re.compile(r"a\{color:([^;}]+)")
_MAX_CHARACTERS: Final = 1_000


class Color(NamedTuple):
    """A colour in sRGB: three parts and the opacity, each from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float

    def over(self, ground: Color) -> Color:
        """What is seen where this lies on an opaque colour."""
        red, green, blue = (
            self.alpha * own + (1 - self.alpha) * under
            for own, under in zip(self[:3], ground[:3], strict=True)
        )
        return Color(red, green, blue, 1.0)

    @property
    def luminance(self) -> float:
        """The relative luminance, from 0 to 1."""
        parts = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
            for part in self[:3]
        ]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@lru_cache(maxsize=4096)
def color(text: str) -> Color | None:
    """The colour that a CSS value without variables names; None for everything else."""
    if len(text) > _MAX_CHARACTERS:
        return None
    try:
        css = lightningcss.process_stylesheet(
            f"a{{color:{text}}}", minify=True, browsers_list=_OLD_BROWSER
        )
        found = _COMPUTED.match(css)
        parsed = tinycss2.color4.parse_color(found[1]) if found else None
    except BaseException as error:
        if not is_fault(error):
            raise
        return None
    if parsed is None or not hasattr(parsed, "to"):
        return None
    in_srgb = parsed.to("srgb")
    red, green, blue = (part or 0.0 for part in in_srgb.coordinates)
    return Color(red, green, blue, in_srgb.alpha)
