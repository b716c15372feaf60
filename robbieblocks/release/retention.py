"""Removes releases and assets that are not kept."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.release.compression.codings import SUFFIXES, original_of
from robbieblocks.release.files import disk
from robbieblocks.release.manifest import asset_names
from robbieblocks.release.names import MANIFEST, STANDBY_STEM, TEMPORARY, VERIFIED, is_release
from robbieblocks.release.pinning.pins import read_pin
from robbieblocks.release.places.layout import AppFolder, apps
from robbieblocks.release.places.lock import assets_unused, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import manifest_of

KEEP: Final = 5

_PRUNED_STEM: Final = "pruned"
_HEAD_BYTES: Final = 65_536
_DAY_S: Final = 86_400.0
_HOUR_S: Final = 3_600.0
_LONG_AGO: Final = 1.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """The build hashes of removed releases, and how many assets were removed."""

    releases: tuple[str, ...] = ()
    assets: int = 0


def prune(
    site_root: SiteRoot,
    node: str,
    app: str,
    keep: int = KEEP,
    *,
    slack: int = 0,
    asset_days: float = 7.0,
    sweep_hours: float = 1.0,
) -> Pruned:
    """Keep the `keep` releases that were live last; never remove current, previous or pinned.

    With `slack`, releases are removed only once that many more than `keep` are there, so that
    publishing is seldom held up. An asset is removed when no release that is left, of any app of
    the node, refers to it and none has for `asset_days`. Assets are checked at most every
    `sweep_hours`, and not while someone publishes. Raises SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("prune", app_folder.path):
        if not app_folder.releases.is_dir():
            return Pruned()
        removed = _prune_releases(app_folder, keep, slack)
    with assets_unused(app_folder) as unused, disk.attempt("prune", app_folder.assets):
        if not unused or not _is_sweep_due(app_folder, sweep_hours):
            return Pruned(removed)
        return Pruned(removed, _prune_assets(app_folder, asset_days * _DAY_S))


def apply_retention(app_folder: AppFolder, keep: int = KEEP) -> tuple[set[str], list[str]]:
    """The releases that are kept, and those that are not, the one live last first."""
    pin = read_pin(app_folder)
    held = (
        app_folder.live_name,
        disk.target_of(app_folder.previous),
        pin.build_hash if pin else None,
    )
    last = {
        entry.name: last_live(app_folder.releases / entry.name)
        for entry in os.scandir(app_folder.releases)
        if is_release(entry.name)
    }
    by_age = sorted(last, key=lambda name: last[name], reverse=True)
    once_live = [name for name in by_age if last[name]]
    kept = {*filter(None, held), *once_live[: max(keep, 1)]}
    return kept, [name for name in by_age if name not in kept]


def mark_unreferenced(app_folder: AppFolder, name: str, kept: Iterable[str]) -> None:
    """Start the days after which assets are removed, for those that only this release refers to.

    Tabs that are open in browsers may still request them.
    """
    in_use = frozenset[str]().union(*(_assets_of(app_folder, other) for other in kept))
    for asset in _assets_of(app_folder, name) - in_use:
        with contextlib.suppress(OSError):
            os.utime(app_folder.assets / asset, follow_symlinks=False)


def last_live(folder: Path) -> float:
    """When a release was last made live; 0 for one that never was, or failed its check.

    A time that is still to come, from a clock that was wrong, is no reason to keep a release for
    ever: such a release counts as the oldest of those that were live.
    """
    try:
        live_at = (folder / VERIFIED).stat().st_mtime
    except OSError:
        return 0.0
    return _LONG_AGO if _is_to_come(live_at) else live_at


def _is_to_come(moment: float) -> bool:
    """Whether a file's time is further ahead than a clock that is set right explains."""
    return moment > time.time() + _HOUR_S


def _prune_releases(app_folder: AppFolder, keep: int, slack: int) -> tuple[str, ...]:
    names = [entry.name for entry in os.scandir(app_folder.releases)]
    for name in names:
        if _is_left_over(app_folder, name, _PRUNED_STEM):
            disk.remove_tree(app_folder.releases / name)
    standby_trees = [name for name in names if _is_left_over(app_folder, name, STANDBY_STEM)]
    crowded = not slack or sum(map(is_release, names)) > keep + slack
    removed: list[str] = []
    # Folders are renamed under the lock and removed without it, when the stack is closed: removing
    # a thousand takes longer than a publish may wait.
    with contextlib.ExitStack() as removals:
        if crowded or standby_trees:
            with lock(app_folder.site_root, app_folder.node, app_folder.app):
                for name in standby_trees:
                    _rename(app_folder, name, removals)
                if crowded:
                    removed = _rename_unneeded(app_folder, keep, removals)
    return tuple(removed)


def _is_left_over(app_folder: AppFolder, name: str, stem: str) -> bool:
    """Whether a process that was killed made this temporary folder and did not remove it."""
    reserved = app_folder.site_root.temporary_paths.is_reserved(name)
    return name.startswith(TEMPORARY) and name.endswith(f"-{stem}") and not reserved


def _rename_unneeded(app_folder: AppFolder, keep: int, removals: contextlib.ExitStack) -> list[str]:
    """Rename what is not kept, so that a half-removed release is never taken for one."""
    kept, unneeded = apply_retention(app_folder, keep)
    for name in unneeded:
        mark_unreferenced(app_folder, name, kept)
        _rename(app_folder, name, removals)
        failpoints.reached("pruning")
    return unneeded


def _rename(app_folder: AppFolder, name: str, removals: contextlib.ExitStack) -> None:
    site_root = app_folder.site_root
    temporary = removals.enter_context(
        site_root.temporary_paths.reserve(app_folder.releases, _PRUNED_STEM)
    )
    site_root.verifications.remove(app_folder.releases / name)
    (app_folder.releases / name).rename(temporary)


def _assets_of(app_folder: AppFolder, name: str) -> frozenset[str]:
    try:
        with (app_folder.releases / name / MANIFEST).open("rb") as file:
            # The table is at the beginning; of ten thousand pages the rest is megabytes.
            head = file.read(_HEAD_BYTES)
            return asset_names(head) or asset_names(head + file.read())
    except OSError:
        return frozenset()


def _is_sweep_due(app_folder: AppFolder, sweep_hours: float) -> bool:
    """Whether assets were last checked long enough ago; if so, notes that they are now."""
    swept = app_folder.node_path / ".assets.swept"
    try:
        swept_at = swept.stat().st_mtime
        if time.time() - swept_at < sweep_hours * _HOUR_S and not _is_to_come(swept_at):
            return False
    except FileNotFoundError:
        pass
    swept.touch()
    return True


def _prune_assets(app_folder: AppFolder, max_age_s: float) -> int:
    in_use: set[str] = set()
    for app in apps(app_folder.site_root, app_folder.node):
        other = AppFolder.of(app_folder.site_root, app_folder.node, app)
        names = [entry.name for entry in os.scandir(other.releases) if is_release(entry.name)]
        if any(manifest_of(other, name) is None for name in names):
            return 0  # a manifest that can't be read may refer to any asset
        in_use.update(*(_assets_of(other, name) for name in names))
    oldest = time.time() - max_age_s
    oldest_temporary = time.time() - _HOUR_S
    removed = 0
    entries = {entry.name: entry for entry in os.scandir(app_folder.assets)}
    for entry in entries.values():
        limit = oldest_temporary if entry.name.startswith(TEMPORARY) else oldest
        # A compressed copy goes with its asset, and as a file of its own where that is gone.
        if entry.name in in_use or original_of(entry.name) in entries:
            continue
        if entry.is_dir(follow_symlinks=False):
            continue
        unused_since = entry.stat(follow_symlinks=False).st_mtime
        if _is_to_come(unused_since):
            # Its days begin now.
            os.utime(entry.path, follow_symlinks=False)
        elif unused_since < limit:
            for suffix in ("", *SUFFIXES.values()):
                Path(entry.path + suffix).unlink(missing_ok=True)
            removed += 1
    return removed
