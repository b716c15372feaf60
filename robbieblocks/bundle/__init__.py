"""Turns component rows into what a page loads: modules, their twins, stylesheets, the runtime.

Everything is cached by the hash of what it is made from; N nodes and all pages share one bundle.
"""

from robbieblocks.bundle.bundling import bundle, react

__all__ = ["bundle", "react"]
