"""Compiles components to what pages load: modules, stylesheets, packages and the page's script.

`Bundler` makes them; `linked` prepares them for a page that changes while it is open. `free_names`
and `in_place_of` tell of a text what it lacks.
"""

from robbieblocks.bundle.analysis import FreeName, free_names, in_place_of
from robbieblocks.bundle.bundler import Bundler
from robbieblocks.bundle.linking import linked

__all__ = ["Bundler", "FreeName", "free_names", "in_place_of", "linked"]
