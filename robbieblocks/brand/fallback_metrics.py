"""How large a font of visitors' machines is drawn to take the place of a hosted one.

Made by `python -m tools.font_metrics`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

FallbackKind = Literal["sans", "serif", "mono"]

# By kind and weight: how wide the letters of Android are to those of other systems.
ANDROID: Final[Mapping[tuple[FallbackKind, int], float]] = {
    ("sans", 400): 0.9972,
    ("sans", 700): 0.9362,
    ("serif", 400): 1.1944,
    ("serif", 700): 1.1844,
}

# By family in lower case: what takes its place, and for each weight, in percent, the size,
# and of that the ascent, descent and line gap.
METRICS: Final[
    Mapping[str, tuple[FallbackKind, Mapping[int, tuple[float, float, float, float]]]]
] = {
    "bricolage grotesque": (
        "sans",
        {400: (106.27, 87.52, 25.41, 0.0), 700: (102.23, 90.97, 26.41, 0.0)},
    ),
    "instrument sans": ("sans", {400: (101.99, 95.1, 24.51, 0.0), 700: (98.31, 98.67, 25.43, 0.0)}),
    "inter": ("sans", {400: (107.38, 90.24, 22.44, 0.0), 700: (102.07, 94.94, 23.61, 0.0)}),
    "jetbrains mono": ("mono", {400: (99.98, 102.02, 30.0, 0.0), 700: (99.98, 102.02, 30.0, 0.0)}),
    "nunito sans": ("sans", {400: (101.64, 99.47, 34.73, 0.0), 700: (97.95, 103.22, 36.04, 0.0)}),
    "source sans 3": ("sans", {400: (94.21, 108.69, 42.46, 0.0), 700: (92.32, 110.92, 43.33, 0.0)}),
    "source serif 4": (
        "serif",
        {400: (118.09, 87.73, 28.37, 0.0), 700: (114.11, 90.79, 29.36, 0.0)},
    ),
    "space grotesk": ("sans", {400: (110.13, 89.35, 26.51, 0.0), 700: (102.13, 96.35, 28.59, 0.0)}),
    "tektur": ("sans", {400: (111.63, 89.58, 26.88, 0.0), 700: (104.08, 96.08, 28.82, 0.0)}),
}
