"""Removes releases and assets that are not kept."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.release.compression.codings import SUFFIXES, original_of
from robbieblocks.release.files import disk
from robbieblocks.release.manifest import asset_names, base_digest
from robbieblocks.release.names import BASE, MANIFEST, STANDBY_STEM, TEMPORARY, is_release
from robbieblocks.release.places.layout import AppFolder, apps
from robbieblocks.release.places.lock import assets_unused, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.retention.rule import DAY_S, is_to_come, kept_of

_PRUNED_STEM: Final = "pruned"
_HEAD_BYTES: Final = 65_536
_HOUR_S: Final = 3_600.0
# So many are renamed while the app's lock is held: who publishes waits no longer.
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Pruned:
    """The names of removed releases, and how many assets were removed.

    `assets_checked` is False where somebody published meanwhile, or it was too early again.
    """

    releases: tuple[str, ...] = ()
    assets: int = 0
    assets_checked: bool = False


def prune(
    site_root: SiteRoot, node: str, app: str, *, slack: int = 0, sweep_hours: float = 1.0
) -> Pruned:
    """Remove the releases of an app that the site root's retention does not keep.

    With `slack`, releases are removed only once that many more than those are there, so that
    publishing is seldom held up. An asset is removed when no release that is left, of any app of
    the node, refers to it and none has for the days of the retention. Assets are checked at most
    every `sweep_hours`, and not while someone publishes. Raises SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("prune", app_folder.path):
        if not app_folder.releases.is_dir():
            return Pruned()
        removed = _prune_releases(app_folder, slack)
    with assets_unused(app_folder) as unused, disk.attempt("prune", app_folder.assets):
        if not unused or not _is_sweep_due(app_folder, sweep_hours):
            return Pruned(removed)
        return Pruned(removed, _prune_assets(app_folder), assets_checked=True)


def collect(site_root: SiteRoot, node: str, app: str) -> Pruned:
    """Remove all that need not stay of an app, and of its node's assets, however little it is.

    So goes what processes left that are gone; what one that runs is making stays. Raises
    SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("remove what was left in", app_folder.path):
        left = [path for path in _temporary(app_folder) if not _is_of_a_process(path.name)]
        if left:
            # Whoever publishes to the app holds the lock, and works on none of these then.
            with lock(site_root, node, app):
                for path in left:
                    disk.remove_tree(path)
    return prune(site_root, node, app, sweep_hours=0.0)


def mark_unreferenced(app_folder: AppFolder, names: Iterable[str], kept: Iterable[str]) -> None:
    """Start the days after which assets are removed, for those that only these releases refer to.

    Tabs that are open in browsers may still request them.
    """
    now = app_folder.site_root.clock()
    for asset in _assets_of_all(app_folder, names) - _assets_of_all(app_folder, kept):
        with contextlib.suppress(OSError):
            os.utime(app_folder.assets / asset, (now, now), follow_symlinks=False)


def assets_in_use(site_root: SiteRoot, node: str) -> frozenset[str] | None:
    """The assets that any release of a node refers to; None where that can't be known.

    A manifest that can't be read may refer to any asset. Raises OSError and SiteUnavailable.
    """
    in_use: set[str] = set()
    for app in apps(site_root, node):
        folder = AppFolder.of(site_root, node, app)
        for name in [each.name for each in os.scandir(folder.releases) if is_release(each.name)]:
            used = _assets_of(folder, name)
            if used is not None:
                in_use |= used
            elif os.path.lexists(folder.releases / name):
                return None
    return frozenset(in_use)


def unused_assets(
    app_folder: AppFolder, in_use: Collection[str]
) -> tuple[list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """The files beside the assets in use: those whose days are over, and those still kept.

    A compressed copy goes with its asset, and is listed by itself where that is gone. Raises
    OSError.
    """
    now = app_folder.site_root.clock()
    oldest = now - app_folder.site_root.retention.asset_days * DAY_S
    over: list[os.DirEntry[str]] = []
    waiting: list[os.DirEntry[str]] = []
    entries: dict[str, os.DirEntry[str]] = {}
    # A node of which nothing was ever live may have no asset.
    with contextlib.suppress(FileNotFoundError):
        entries = {entry.name: entry for entry in os.scandir(app_folder.assets)}
    for entry in entries.values():
        if entry.name in in_use or original_of(entry.name) in entries:
            continue
        if entry.is_dir(follow_symlinks=False):
            continue
        limit = now - _HOUR_S if entry.name.startswith(TEMPORARY) else oldest
        unused_since = entry.stat(follow_symlinks=False).st_mtime
        is_over = unused_since < limit and not is_to_come(unused_since, now)
        (over if is_over else waiting).append(entry)
    return over, waiting


def _prune_releases(app_folder: AppFolder, slack: int) -> tuple[str, ...]:
    names = [entry.name for entry in os.scandir(app_folder.releases)]
    for name in names:
        # What another process is removing is left to it.
        if _is_left_over(app_folder, name, _PRUNED_STEM) and not _is_of_a_process(name):
            disk.remove_tree(app_folder.releases / name)
    standby_trees = [
        name
        for name in names
        if _is_left_over(app_folder, name, STANDBY_STEM) and not _is_of_a_process(name)
    ]
    _remove(app_folder, standby_trees)
    removed: list[str] = []
    if len(kept_of(app_folder).unneeded) > slack:
        while now_removed := _remove(app_folder):
            removed += now_removed
    return tuple(removed)


def _is_left_over(app_folder: AppFolder, name: str, stem: str) -> bool:
    """Whether a process that was killed made this temporary folder and did not remove it."""
    reserved = app_folder.site_root.temporary_paths.is_reserved(name)
    return name.startswith(TEMPORARY) and name.endswith(f"-{stem}") and not reserved


def _temporary(app_folder: AppFolder) -> Iterator[Path]:
    reserved = app_folder.site_root.temporary_paths.is_reserved
    # Who makes a standby tree holds no lock, and may be in a container, whose processes have their
    # own numbers: `prune` renames such a folder before it removes it, so that none is half there.
    standby = f"-{STANDBY_STEM}"
    for folder in (app_folder.path, app_folder.releases):
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(folder):
                name = entry.name
                if name.startswith(TEMPORARY) and not (name.endswith(standby) or reserved(name)):
                    yield Path(entry.path)


def _is_of_a_process(name: str) -> bool:
    """Whether the process that made a temporary path runs on this machine, and is not this one."""
    number = name.removeprefix(TEMPORARY).partition("-")[0]
    if not number.isascii() or not number.isdigit() or int(number) in (0, os.getpid()):
        return False
    try:
        os.kill(int(number), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


def _remove(app_folder: AppFolder, given: Collection[str] | None = None) -> list[str]:
    """Remove some folders that are given, else releases that are not kept; their names.

    They are renamed under the lock, so that a half-removed release is never taken for one, and
    removed without it: removing a thousand takes longer than a publish may wait.
    """
    if given is not None and not given:
        return []
    # The stack is closed last, when the lock is free.
    with (
        contextlib.ExitStack() as removals,
        lock(app_folder.site_root, app_folder.node, app_folder.app),
    ):
        names = list(given or ())
        if given is None:
            kept = kept_of(app_folder)
            names = list(kept.unneeded[:_AT_ONCE])
            mark_unreferenced(app_folder, names, kept.reasons)
        for name in names:
            _rename(app_folder, name, removals)
            failpoints.reached("pruning")
    failpoints.reached("pruned")
    return names


def _rename(app_folder: AppFolder, name: str, removals: contextlib.ExitStack) -> None:
    site_root = app_folder.site_root
    temporary = removals.enter_context(
        site_root.temporary_paths.reserve(app_folder.releases, _PRUNED_STEM)
    )
    site_root.verifications.remove(app_folder.releases / name)
    # Another process may have placed or removed a temporary folder meanwhile.
    with contextlib.suppress(FileNotFoundError):
        (app_folder.releases / name).rename(temporary)


def _assets_of_all(app_folder: AppFolder, names: Iterable[str]) -> frozenset[str]:
    found = (_assets_of(app_folder, name) for name in names)
    return frozenset[str]().union(*(each for each in found if each))


def _assets_of(app_folder: AppFolder, name: str) -> frozenset[str] | None:
    """The assets that a release refers to; None where its manifest can't be read."""
    folder = app_folder.releases / name
    try:
        found, is_told = _assets_in(folder / MANIFEST)
        if found is None or not is_told:
            return found
        # What the base refers to and this release no more stays until there is a new base.
        of_base, _ = _assets_in(folder / BASE)
    except OSError:
        return None
    return None if of_base is None else found | of_base


def _assets_in(file: Path) -> tuple[frozenset[str] | None, bool]:
    """The assets in a manifest's table, and whether it is told from a base. Raises OSError."""
    with file.open("rb") as opened:
        # The table is at the beginning; of ten thousand pages the rest is megabytes.
        head = opened.read(_HEAD_BYTES)
        found = asset_names(head)
        return (
            asset_names(head + opened.read()) if found is None else found,
            base_digest(head) is not None,
        )


def _is_sweep_due(app_folder: AppFolder, sweep_hours: float) -> bool:
    """Whether assets were last checked long enough ago; if so, notes that they are now."""
    swept = app_folder.node_path / ".assets.swept"
    now = app_folder.site_root.clock()
    try:
        swept_at = swept.stat().st_mtime
        if now - swept_at < sweep_hours * _HOUR_S and not is_to_come(swept_at, now):
            return False
    except FileNotFoundError:
        pass
    swept.touch()
    os.utime(swept, (now, now))
    return True


def _prune_assets(app_folder: AppFolder) -> int:
    in_use = assets_in_use(app_folder.site_root, app_folder.node)
    if in_use is None:
        return 0
    now = app_folder.site_root.clock()
    over, waiting = unused_assets(app_folder, in_use)
    for entry in waiting:
        if is_to_come(entry.stat(follow_symlinks=False).st_mtime, now):
            # Its days begin now.
            os.utime(entry.path, (now, now), follow_symlinks=False)
    for entry in over:
        for suffix in ("", *SUFFIXES.values()):
            Path(entry.path + suffix).unlink(missing_ok=True)
        failpoints.reached("asset removed")
    return len(over)
