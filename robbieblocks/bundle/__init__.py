"""Compiles components to what pages load: modules, stylesheets, packages and the page's script.

`Bundler` makes bundles; `linked` prepares them for a page that changes while it is open.
`named_map` is the source map that a module names.
`free_names` and `in_place_of` tell what a text lacks; `typed_text` is one for a type checker;
`element_inside` finds an element inside another.
"""

from robbieblocks.bundle.analysis import (
    FreeName,
    TypedText,
    element_inside,
    free_names,
    in_place_of,
    typed_text,
)
from robbieblocks.bundle.browser_maps import named_map
from robbieblocks.bundle.bundler import Bundler
from robbieblocks.bundle.linking import linked

__all__ = [
    "Bundler",
    "FreeName",
    "TypedText",
    "element_inside",
    "free_names",
    "in_place_of",
    "linked",
    "named_map",
    "typed_text",
]
