"""Compiles components to what pages load: modules, stylesheets, packages and the page's script.

`Bundler` makes them; `linked` prepares them for a page that changes while it is open.
"""

from robbieblocks.bundle.bundler import Bundler
from robbieblocks.bundle.linking import linked

__all__ = ["Bundler", "linked"]
