"""Branding: a node's tokens, fonts, CSS and scripts, as files. Pure: values in, values out."""

from robbieblocks.brand.aliases import in_order as token_order
from robbieblocks.brand.branding import LAYERS, brand
from robbieblocks.brand.css import value_problem as token_value_problem
from robbieblocks.brand.families import families as font_families
from robbieblocks.brand.node_texts import node_text_problem
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
    "font_families",
    "node_text_problem",
    "token_key_problem",
    "token_order",
    "token_value_problem",
]
