"""Branding: a node's tokens, fonts, CSS and scripts, as files. Pure: values in, values out.

`brand.reviewed` reads and writes the files under node_branding/; a build needs none of it.
"""

from robbieblocks.brand.branding import LAYERS, brand
from robbieblocks.brand.tokens import property_name

__all__ = ["LAYERS", "brand", "property_name"]
