"""Makes standby trees, refreshes them to what is live, and verifies the folders of releases."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.release.checking.verification_cache import Trust, folder_identity
from robbieblocks.release.files import disk
from robbieblocks.release.names import STANDBY, STANDBY_STEM, is_release, is_standby
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release
from robbieblocks.release.recycle import (
    RecyclableFolder,
    manifest_in,
    recyclable_folders,
    standby_trees,
)
from robbieblocks.release.retention.rule import kept_of
from robbieblocks.release.standby.executor import Executor, in_child_process, in_this_process

# One folder is refreshed while another is taken.
_READY: Final = 2
# So many are made before there are releases that do not stay.
_AHEAD: Final = 5


def prepare_standby_trees(
    site_root: SiteRoot, node: str, app: str, *, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Make ready what the next publishes of an app need, while it may `go_on`.

    That is as many folders as it will use, each verified, and the first of them equal to what is
    live. Where nothing whole is live, none is made. Raises SiteUnavailable and ProcessFailed.
    """
    app_folder = AppFolder.of(site_root, node, app)
    executor = in_child_process()
    with disk.attempt("make a standby tree in", app_folder.path):
        while go_on() and add_standby_tree(app_folder, executor):
            pass
        verify_releases(app_folder, executor, go_on=go_on)
        # This comes last, because it takes the app's lock, which a running build holds.
        if go_on():
            refresh_standby_tree(app_folder, executor)


def add_standby_tree(app_folder: AppFolder, executor: Executor = in_this_process) -> bool:
    """Make one more standby tree, if the next publishes would find too few folders.

    They need two. As long as an app has few releases, none of them can be made into the next one:
    then standby trees and releases shall be seven, or two more than stay by number. Those that stay
    for another reason don't count. Returns whether one was made. Raises OSError, SiteUnavailable
    and ProcessFailed.
    """
    if not _names(app_folder):
        return False
    kept = kept_of(app_folder)
    by_number = min(app_folder.site_root.retention.releases, _AHEAD)
    ready = len(standby_trees(app_folder)) + len(kept.unneeded)
    wanted = _READY + max(0, by_number - len(kept.recent))
    return ready < wanted and _make(app_folder, None, executor)


def refresh_standby_tree(app_folder: AppFolder, executor: Executor = in_this_process) -> None:
    """See to it that the first standby tree is what is live.

    It is made of the first one there is, else of a release that is not kept, else from nothing. The
    app's lock is held for a rename alone; who publishes meanwhile finds another tree, or none.
    Raises OSError, SiteUnavailable and ProcessFailed.
    """
    if app_folder.releases.is_dir() and not _is_ready(app_folder, executor):
        _make(app_folder, next(recyclable_folders(app_folder), None), executor)


def verify_releases(
    app_folder: AppFolder,
    executor: Executor = in_this_process,
    *,
    go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Verify the releases and standby trees that this process did not make, while it may `go_on`.

    A publish that makes the next release of one of them need not verify it then. Raises OSError,
    SiteUnavailable and ProcessFailed.
    """
    for folder in [app_folder.releases / name for name in _soon_taken(app_folder)]:
        if not app_folder.site_root.verifications.knows(folder) and go_on():
            _verify(app_folder.site_root, folder, folder, executor)


def _soon_taken(app_folder: AppFolder) -> list[str]:
    """The folders that the next publishes take, in their order.

    Standby trees come first, since they never were live; what stays not by number alone is none.
    """
    names = _names(app_folder)
    if not names:
        return []
    kept = kept_of(app_folder)
    taken = [name for name in names if set(kept.reasons.get(name, ())) <= {"recent", "live"}]
    taken.sort(key=lambda name: kept.live_at.get(name, 0.0))
    return taken[: _READY + _AHEAD]


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
    equal = executor("compare", site_root, folder, release)
    if not equal or folder_identity(folder) != identity:
        return False
    site_root.verifications.put(folder, began)
    return True


def _make(app_folder: AppFolder, recyclable: RecyclableFolder | None, executor: Executor) -> bool:
    """Make a standby tree of another folder, or from nothing; whether that was done.

    It is not where the live release is damaged, or was made into another one meanwhile, since no
    lock is held.
    """
    site_root, releases = app_folder.site_root, app_folder.releases
    taking = lock(site_root, app_folder.node, app_folder.app) if recyclable else nullcontext()
    with site_root.temporary_paths.reserve(releases, STANDBY_STEM) as temporary:
        with taking:
            name, live = live_release(app_folder)
            if name is None or live is None:
                return False
            if recyclable is None:
                temporary.mkdir()
            elif not recyclable.take(temporary):
                return False
        identity = folder_identity(releases / name)
        failpoints.reached("standby taken")
        began = site_root.verifications.now()
        made = executor("make equal", site_root, temporary, releases / name)
        if not made or folder_identity(releases / name) != identity:
            return False
        with disk.folder(temporary) as fd:
            site_root.manifests.put_written(live, dir_fd=fd)
        standby = _free_name(app_folder)
        temporary.rename(standby)
        site_root.verifications.put(standby, began)
    failpoints.reached("standby placed")
    return True


def _free_name(app_folder: AppFolder) -> Path:
    numbered = (app_folder.releases / f"{STANDBY}.{number}" for number in itertools.count(1))
    names = itertools.chain([app_folder.standby], numbered)
    return next(path for path in names if not os.path.lexists(path))


def _names(app_folder: AppFolder) -> list[str]:
    """The names of all releases and standby trees."""
    if not app_folder.releases.is_dir():
        return []
    names = [entry.name for entry in os.scandir(app_folder.releases)]
    return [name for name in names if is_release(name) or is_standby(name)]
