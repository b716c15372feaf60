"""Component stylesheets: scoped to the component's blocks, checked and minified."""

from robbieblocks.bundle.styles.scoping import minified, scoped_stylesheet

__all__ = ["minified", "scoped_stylesheet"]
