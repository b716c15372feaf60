"""Compiles components to what pages load: modules, stylesheets, packages and the page's script.

`Bundler` is the only name for other packages.
"""

from robbieblocks.bundle.bundler import Bundler

__all__ = ["Bundler"]
