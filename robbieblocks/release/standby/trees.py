"""Makes standby trees, brings them up to what is live, and verifies the folders of releases."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.layout import AppFolder
from robbieblocks.release.lock import lock
from robbieblocks.release.names import STANDBY, STANDBY_STEM, is_release, is_standby
from robbieblocks.release.reading import live_release
from robbieblocks.release.recycle import manifest_in, recyclable_folders, standby_trees
from robbieblocks.release.retention import KEEP, last_live
from robbieblocks.release.site_root import SiteRoot
from robbieblocks.release.standby.executor import IN_PROCESS, Executor
from robbieblocks.release.verification_cache import Trust, folder_identity

# One of them is refreshed while the other is taken.
_MORE_THAN_KEPT: Final = 2


def refresh_standby_tree(
    site_root: SiteRoot, node: str, app: str, keep: int = KEEP, *, executor: Executor = IN_PROCESS
) -> None:
    """See to it that the first standby tree is what is live.

    It is made of the present one, else of a release beyond `keep`, else from nothing. The app's
    lock is held for renames alone; who publishes meanwhile finds another tree, or none. Where
    nothing whole is live, none is made. Raises SiteUnavailable and ProcessFailed.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("make a standby tree in", app_folder.path):
        if app_folder.releases.is_dir() and not _is_ready(app_folder, executor):
            _refresh(app_folder, keep, executor)


def add_standby_tree(
    site_root: SiteRoot, node: str, app: str, keep: int = KEEP, *, executor: Executor = IN_PROCESS
) -> bool:
    """Make one more standby tree, if releases and standby trees are fewer than `keep` and two.

    It takes no lock. Returns whether one was made. Raises SiteUnavailable and ProcessFailed.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("make a standby tree in", app_folder.path):
        wanted = 0 < len(_names(app_folder)) < keep + _MORE_THAN_KEPT
        return wanted and _add(app_folder, executor)


def verify_releases(
    site_root: SiteRoot,
    node: str,
    app: str,
    *,
    executor: Executor = IN_PROCESS,
    go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Verify the releases and standby trees that this process did not make, while it may `go_on`.

    A publish that makes the next release of one of them need not verify it then. Raises
    SiteUnavailable and ProcessFailed.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("verify the releases in", app_folder.path):
        folders = [app_folder.releases / name for name in _names(app_folder)]
        # Publishes take them in this order; standby trees come first, since they never were live.
        for folder in sorted(folders, key=last_live):
            if not site_root.verifications.knows(folder) and go_on():
                _verify(site_root, folder, folder, executor)


def _is_ready(app_folder: AppFolder, executor: Executor) -> bool:
    """Whether the first standby tree is what is live, and holds nothing else."""
    name, live = live_release(app_folder)
    first = next(iter(standby_trees(app_folder)), None)
    manifest = manifest_in(app_folder, first) if first else None
    if not name or not first or not live or not manifest:
        return False
    if manifest.build_hash != live.build_hash:
        return False
    folder = app_folder.releases / first
    if app_folder.site_root.verifications.trust(folder) is Trust.ALL:
        return True
    return _verify(app_folder.site_root, folder, app_folder.releases / name, executor)


def _verify(site_root: SiteRoot, folder: Path, release: Path, executor: Executor) -> bool:
    """Whether a folder equals a release, and holds nothing else; if so, that is noted."""
    began, identity = site_root.verifications.now(), folder_identity(folder)
    if not executor.is_equal(site_root, folder, release) or folder_identity(folder) != identity:
        return False
    site_root.verifications.put(folder, began)
    return True


def _refresh(app_folder: AppFolder, keep: int, executor: Executor) -> None:
    site_root, releases = app_folder.site_root, app_folder.releases
    reserve = site_root.temporary_paths.reserve
    with (
        reserve(releases, STANDBY_STEM) as temporary,
        reserve(releases, STANDBY_STEM) as replaced,
    ):
        # Without the lock, since reading manifests takes a while.
        recyclable = next(recyclable_folders(app_folder, keep), None)
        with lock(site_root, app_folder.node, app_folder.app):
            name, live = live_release(app_folder)
            if name is None or live is None:
                return
            if recyclable is None:
                temporary.mkdir()
            elif not recyclable.take(temporary):
                return
        failpoints.reached("standby taken")
        began = site_root.verifications.now()
        if not _make_equal(site_root, temporary, releases / name, executor):
            return
        with lock(site_root, app_folder.node, app_folder.app):
            if os.path.lexists(app_folder.standby):
                app_folder.standby.rename(replaced)
            _name(site_root, temporary, app_folder.standby, live, began)
        failpoints.reached("standby placed")


def _add(app_folder: AppFolder, executor: Executor) -> bool:
    site_root, releases = app_folder.site_root, app_folder.releases
    name, live = live_release(app_folder)
    if name is None or live is None:
        return False
    with site_root.temporary_paths.reserve(releases, STANDBY_STEM) as temporary:
        temporary.mkdir()
        began = site_root.verifications.now()
        if not _make_equal(site_root, temporary, releases / name, executor):
            return False
        number = 1
        while os.path.lexists(standby := releases / f"{STANDBY}.{number}"):
            number += 1
        _name(site_root, temporary, standby, live, began)
    return True


def _make_equal(site_root: SiteRoot, folder: Path, release: Path, executor: Executor) -> bool:
    """Make a folder equal to a release; whether it is.

    False where the release is damaged, and where it was made into another one meanwhile, since no
    lock is held.
    """
    identity = folder_identity(release)
    made = executor.make_equal(site_root, folder, release)
    return made and folder_identity(release) == identity


def _name(
    site_root: SiteRoot, temporary: Path, standby: Path, live: Manifest, began: float
) -> None:
    """Give a standby tree, which equals what is live since `began`, its name."""
    with disk.folder(temporary) as fd:
        site_root.manifests.put_written(live, dir_fd=fd)
    temporary.rename(standby)
    site_root.verifications.put(standby, began)


def _names(app_folder: AppFolder) -> list[str]:
    """The names of all releases and standby trees."""
    if not app_folder.releases.is_dir():
        return []
    names = [entry.name for entry in os.scandir(app_folder.releases)]
    return [name for name in names if is_release(name) or is_standby(name)]
