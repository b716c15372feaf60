"""Branding: a node's tokens, fonts, CSS and scripts, as files. Pure: values in, values out."""

from robbieblocks.brand.branding import LAYERS, brand
from robbieblocks.brand.tokens import (
    KEY_REMEDY,
    THEMES,
    flattened_overrides,
    token_key_problem,
)

__all__ = [
    "KEY_REMEDY",
    "LAYERS",
    "THEMES",
    "brand",
    "flattened_overrides",
    "token_key_problem",
]
