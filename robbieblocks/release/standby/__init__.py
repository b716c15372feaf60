"""Standby trees: copies of what is live, made between publishes, so that the next one is quick.

A publish takes a standby tree, or a release that is not kept any more, and alters what differs.
"""

from robbieblocks.release.standby.trees import prepare_standby_trees

__all__ = ["prepare_standby_trees"]
