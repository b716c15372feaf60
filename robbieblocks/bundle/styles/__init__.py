"""Component stylesheets: scoped to the component's blocks, checked and minified."""

from robbieblocks.bundle.styles.minifying import minified
from robbieblocks.bundle.styles.scoping import scoped_stylesheet

__all__ = ["minified", "scoped_stylesheet"]
