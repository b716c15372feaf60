"""Remove releases and assets that nobody needs any more."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.release import disk, fault
from robbieblocks.release.layout import TEMPORARY, VERIFIED, Place, apps
from robbieblocks.release.lock import assets_unused, lock
from robbieblocks.release.verify import is_release, manifest_of, pinned

_DAY: Final = 86_400.0
_HOUR: Final = 3_600.0


@dataclass(frozen=True, slots=True)
class Pruned:
    """The build hashes of removed releases, and how many assets went."""

    releases: tuple[str, ...] = ()
    assets: int = 0


def prune(
    site_root: Path,
    node: str,
    app: str,
    keep: int = 5,
    *,
    slack: int = 0,
    asset_days: float = 7.0,
    sweep_hours: float = 1.0,
) -> Pruned:
    """Keep the `keep` releases that were live last; never remove current, previous or pinned.

    With `slack`, releases go only when there are that many too many, so that publishing is seldom
    held up.

    An asset goes when no release that is left, of any app of the node, refers to it and none has
    for `asset_days`. Assets are looked through at most every `sweep_hours`, and not while someone
    publishes. Raises SiteUnavailable.
    """
    place = Place.of(site_root, node, app)
    if not place.releases.is_dir():
        return Pruned()
    doomed: dict[str, Path] = {}
    names = [entry.name for entry in os.scandir(place.releases)]
    with disk.attempt("prune", place.folder):
        for name in filter(_is_left_over, names):
            disk.remove_tree(place.releases / name)
    held = sum(map(is_release, names))
    if not slack or held > keep + slack:
        with lock(site_root, node, app), disk.attempt("prune", place.folder):
            doomed = _put_aside(place, keep)
    with disk.attempt("prune", place.folder):
        # Without the lock: a thousand folders take longer to remove than a publish may wait.
        for aside in doomed.values():
            disk.remove_tree(aside)
    removed = tuple(doomed)
    with assets_unused(place) as alone, disk.attempt("prune", place.assets):
        if not alone or not _due(place, sweep_hours):
            return Pruned(removed)
        return Pruned(removed, _prune_assets(place, asset_days * _DAY))


def _is_left_over(name: str) -> bool:
    """Whether a process that was killed put a release aside and did not remove it."""
    return (
        name.startswith(TEMPORARY)
        and name.endswith(f"-{disk.PRUNED}")
        and not disk.is_pruned_here(name)
    )


def _put_aside(place: Place, keep: int) -> dict[str, Path]:
    """Rename what is not kept, so that a half-removed release is never taken for one."""
    kept = {
        disk.target_of(place.current),
        disk.target_of(place.previous),
        pinned(place.root, place.node, place.app),
    }
    names = [entry.name for entry in os.scandir(place.releases) if is_release(entry.name)]
    by_age = sorted(names, key=lambda name: _last_live(place.releases / name), reverse=True)
    once_live = [name for name in by_age if _last_live(place.releases / name)]
    kept.update(once_live[: max(keep, 1)])
    doomed = [name for name in by_age if name not in kept]
    in_use = _assets_of(place, [name for name in kept if name])
    asides = {name: place.releases / disk.temporary_name(disk.PRUNED) for name in doomed}
    for name, aside in asides.items():
        _touch(place.assets, _assets_of(place, [name]) - in_use)
        (place.releases / name).rename(aside)
        fault.reached("pruning")
    return asides


def _last_live(folder: Path) -> float:
    """When a release was last made live; 0 for one that never was, or failed its check."""
    try:
        return (folder / VERIFIED).stat().st_mtime
    except OSError:
        return 0.0


def _assets_of(place: Place, names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        manifest = manifest_of(place, name)
        if manifest is not None:
            found.update(manifest.assets)
            for page in manifest.pages:
                found.update(page.assets)
    return found


def _touch(folder: Path, names: Iterable[str]) -> None:
    """From now on they count as unreferenced: open tabs may still ask for them."""
    for name in names:
        with contextlib.suppress(OSError):
            os.utime(folder / name, follow_symlinks=False)


def _due(place: Place, sweep_hours: float) -> bool:
    """Whether the last look through the assets is long enough ago; if so, it is now."""
    stamp = place.node_folder / ".assets.swept"
    try:
        if time.time() - stamp.stat().st_mtime < sweep_hours * _HOUR:
            return False
    except FileNotFoundError:
        pass
    stamp.touch()
    return True


def _prune_assets(place: Place, max_age: float) -> int:
    in_use: set[str] = set()
    for app in apps(place.root, place.node):
        other = Place.of(place.root, place.node, app)
        names = [entry.name for entry in os.scandir(other.releases) if is_release(entry.name)]
        if any(manifest_of(other, name) is None for name in names):
            return 0  # what can't be read may refer to anything
        in_use |= _assets_of(other, names)
    oldest = time.time() - max_age
    leftover = time.time() - _HOUR
    removed = 0
    for entry in list(os.scandir(place.assets)):
        age_limit = leftover if entry.name.startswith(TEMPORARY) else oldest
        if entry.name in in_use or entry.is_dir(follow_symlinks=False):
            continue
        if entry.stat(follow_symlinks=False).st_mtime < age_limit:
            Path(entry.path).unlink(missing_ok=True)
            removed += 1
    return removed
