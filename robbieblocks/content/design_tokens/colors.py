"""Colours of the Design Tokens Color Module 2025.10 as CSS."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from robbieblocks.content.design_tokens.json_values import (
    Unusable,
    css_number,
    is_list,
    is_number,
    shown,
)
from robbieblocks.model import Json, JsonObject

# Each colour space as CSS writes it, and what each of its three components may be.
_UNIT: Final = (0.0, 1.0)
_ANY: Final = (-math.inf, math.inf)
_POSITIVE: Final = (0.0, math.inf)
_HUE: Final = (0.0, 360.0)
_PERCENT: Final = (0.0, 100.0)
_SPACES: Final[Mapping[str, tuple[str, Sequence[tuple[float, float]]]]] = {
    "hsl": ("hsl({} {}% {}%{})", (_HUE, _PERCENT, _PERCENT)),
    "hwb": ("hwb({} {}% {}%{})", (_HUE, _PERCENT, _PERCENT)),
    "lab": ("lab({} {} {}{})", (_PERCENT, _ANY, _ANY)),
    "lch": ("lch({} {} {}{})", (_PERCENT, _POSITIVE, _HUE)),
    "oklab": ("oklab({} {} {}{})", (_UNIT, _ANY, _ANY)),
    "oklch": ("oklch({} {} {}{})", (_UNIT, _POSITIVE, _HUE)),
    **{
        name: (f"color({name} {{}} {{}} {{}}{{}})", (_UNIT, _UNIT, _UNIT))
        for name in ("srgb", "srgb-linear", "display-p3", "a98-rgb", "prophoto-rgb", "rec2020")
    },
    **{
        name: (f"color({name} {{}} {{}} {{}}{{}})", (_ANY, _ANY, _ANY))
        for name in ("xyz-d65", "xyz-d50")
    },
}
# Steps of 255 that three decimals leave uncertain.
_ROUNDED: Final = 0.15

_HEX: Final = re.compile(r"#[0-9a-fA-F]{6}")
_HEX_TOLERANCE: Final = 0.6 / 255


def color_css(value: JsonObject, followed: Callable[[Json], Json]) -> str:
    """A colour object as CSS; `followed` follows what its members refer to. Raises Unusable."""
    space = followed(value.get("colorSpace"))
    parts = followed(value.get("components"))
    form = _SPACES.get(space) if isinstance(space, str) else None
    if form is None:
        what = f"has no colour space that is known: {shown(space)}"
        raise Unusable(what, f"known: {', '.join(_SPACES)}")
    if not is_list(parts) or len(parts) != 3:
        raise Unusable("has no three components", 'write "components": [0, 0.4, 0.8]')
    numbers = [
        _component(followed(part), limits) for part, limits in zip(parts, form[1], strict=True)
    ]
    alpha = _component(followed(value.get("alpha", 1)), _UNIT)
    if space == "srgb":
        found = _rgb(numbers, alpha, followed(value.get("hex")))
        if found:
            return found
    written = ["none" if number is None else css_number(number) for number in numbers]
    return form[0].format(*written, "" if alpha == 1 else f" / {_alpha(alpha)}")


def _component(value: Json, limits: tuple[float, float]) -> float | None:
    if value == "none":
        return None
    if not is_number(value) or not limits[0] <= value <= limits[1]:
        raise Unusable(
            f"has the component {shown(value)}, which is not between "
            f"{limits[0]:g} and {limits[1]:g}",
            "write it as its colour space does",
        )
    return value


def _rgb(numbers: Sequence[float | None], alpha: float | None, given: Json) -> str:
    """`#rrggbb` or `rgb(r g b / a)`, where the colour is one of those; else an empty text."""
    steps = [None if number is None else number * 255 for number in numbers]
    whole = [step for step in steps if step is not None and abs(step - round(step)) <= _ROUNDED]
    if isinstance(given, str) and _HEX.fullmatch(given) and alpha == 1:
        of_hex = [int(given[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        pairs = zip(numbers, of_hex, strict=True)
        if all(one is not None and abs(one - other) <= _HEX_TOLERANCE for one, other in pairs):
            return given
    if len(whole) < 3:
        return ""
    if alpha == 1:
        return "#" + "".join(f"{round(step):02x}" for step in whole)
    return f"rgb({' '.join(str(round(step)) for step in whole)} / {_alpha(alpha)})"


def _alpha(alpha: float | None) -> str:
    return "none" if alpha is None else css_number(alpha)
