"""Components that a site has without rows of their own, for its components to import."""

from robbieblocks.builtin.components import BUILTIN, is_builtin, with_builtin

__all__ = ["BUILTIN", "is_builtin", "with_builtin"]
