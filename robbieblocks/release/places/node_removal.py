"""Removes a node from the site root, for good."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Final

from robbieblocks import failpoints, file_locks
from robbieblocks.errors import UsageError
from robbieblocks.release.files import disk
from robbieblocks.release.names import TEMPORARY, check_folder_name
from robbieblocks.release.places.layout import apps
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot

_REMOVED_STEM: Final = "removed"


def worker_lock(site_root: SiteRoot, node: str) -> Path:
    """The file that the node's worker on this machine has locked."""
    return site_root.path / node / ".worker.lock"


def removed_nodes(site_root: SiteRoot) -> list[Path]:
    """The folders of nodes whose removal was killed, or goes on. Raises SiteUnavailable."""
    with disk.attempt("read the folder", site_root.path):
        reserved = site_root.temporary_paths.is_reserved
        found = site_root.path.glob(f"{TEMPORARY}*-{_REMOVED_STEM}")
        return sorted(path for path in found if not reserved(path.name))


def finish_removals(site_root: SiteRoot) -> None:
    """Remove what killed removals of nodes left. Raises SiteUnavailable."""
    for path in removed_nodes(site_root):
        with disk.attempt("remove", path):
            disk.remove_tree(path)


def remove_node(site_root: SiteRoot, node: str) -> None:
    """Remove a node with all its apps; for visitors all of it goes at one moment.

    What a killed removal left is removed, too. Raises UsageError while a worker has the node, and
    SiteUnavailable.
    """
    check_folder_name("node", node)
    root = site_root.path
    with disk.attempt("remove the node", root / node), ExitStack() as held:
        for left_over in removed_nodes(site_root):
            disk.remove_tree(left_over)
        worker = held.enter_context(file_locks.lock_file(worker_lock(site_root, node)))
        if not file_locks.try_lock(worker):
            raise UsageError(f"a worker has the node {node}: stop it first")
        for app in apps(site_root, node):
            held.enter_context(lock(site_root, node, app))
        with site_root.temporary_paths.reserve(root, _REMOVED_STEM) as away:
            (root / node).rename(away)
            disk.sync_folder(disk.real(root))
            failpoints.reached("removed")
