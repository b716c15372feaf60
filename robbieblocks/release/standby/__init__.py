"""Standby trees: copies of what is live, made between publishes, so that the next one is quick.

A publish takes a standby tree, or a release that is not kept any more, and alters what differs.
As long as an app has fewer releases than are kept, further standby trees stand in for those.
"""

from robbieblocks.release.standby.executor import CHILD_PROCESS, IN_PROCESS, Executor
from robbieblocks.release.standby.trees import (
    add_standby_tree,
    refresh_standby_tree,
    verify_releases,
)

__all__ = [
    "CHILD_PROCESS",
    "IN_PROCESS",
    "Executor",
    "add_standby_tree",
    "refresh_standby_tree",
    "verify_releases",
]
