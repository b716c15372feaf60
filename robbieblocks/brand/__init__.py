"""Branding: a node's tokens, fonts, CSS and scripts, as files. Pure: values in, values out."""

from robbieblocks.brand.branding import LAYERS, brand
from robbieblocks.brand.reviewed import Change, diff, format_toml, parse_toml
from robbieblocks.brand.tokens import property_name

__all__ = ["LAYERS", "Change", "brand", "diff", "format_toml", "parse_toml", "property_name"]
