"""Remove releases and assets that nobody needs any more."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.release import disk, trust
from robbieblocks.release.layout import (
    MANIFEST,
    SPARE_IN_THE_MAKING,
    TEMPORARY,
    VERIFIED,
    Place,
    apps,
)
from robbieblocks.release.lock import assets_unused, lock
from robbieblocks.release.manifest import asset_names
from robbieblocks.release.verify import is_release, manifest_of, pinned

KEEP: Final = 5

_PRUNED: Final = "pruned"
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
    keep: int = KEEP,
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
    removed: list[str] = []
    names = [entry.name for entry in os.scandir(place.releases)]
    with disk.attempt("prune", place.folder):
        for name in names:
            if _is_left_over(name, _PRUNED):
                disk.remove_tree(place.releases / name)
    spares = [name for name in names if _is_left_over(name, SPARE_IN_THE_MAKING)]
    crowded = not slack or sum(map(is_release, names)) > keep + slack
    with contextlib.ExitStack() as asides, disk.attempt("prune", place.folder):
        if crowded or spares:
            with lock(site_root, node, app):
                for name in spares:
                    _rename(place, name, asides)
                if crowded:
                    removed = _put_aside(place, keep, asides)
        # Without the lock: a thousand folders take longer to remove than a publish may wait.
        asides.close()
    with assets_unused(place) as alone, disk.attempt("prune", place.assets):
        if not alone or not _due(place, sweep_hours):
            return Pruned(tuple(removed))
        return Pruned(tuple(removed), _prune_assets(place, asset_days * _DAY))


def _is_left_over(name: str, stem: str) -> bool:
    """Whether a process that was killed put a folder aside and did not remove it."""
    return name.startswith(TEMPORARY) and name.endswith(f"-{stem}") and not disk.is_in_hand(name)


def _put_aside(place: Place, keep: int, asides: contextlib.ExitStack) -> list[str]:
    """Rename what is not kept, so that a half-removed release is never taken for one."""
    kept, doomed = sort_out(place, keep)
    for name in doomed:
        let_go(place, name, kept)
        _rename(place, name, asides)
        failpoints.reached("pruning")
    return doomed


def _rename(place: Place, name: str, asides: contextlib.ExitStack) -> None:
    aside = asides.enter_context(disk.aside(place.releases, _PRUNED))
    trust.forget(place.releases / name)
    (place.releases / name).rename(aside)


def sort_out(place: Place, keep: int = KEEP) -> tuple[set[str], list[str]]:
    """The releases that are kept, and those that nothing needs, the one live last first."""
    held = (
        disk.target_of(place.current),
        disk.target_of(place.previous),
        pinned(place.root, place.node, place.app),
    )
    names = [entry.name for entry in os.scandir(place.releases) if is_release(entry.name)]
    by_age = sorted(names, key=lambda name: last_live(place.releases / name), reverse=True)
    once_live = [name for name in by_age if last_live(place.releases / name)]
    kept = {*filter(None, held), *once_live[: max(keep, 1)]}
    return kept, [name for name in by_age if name not in kept]


def let_go(place: Place, name: str, kept: Iterable[str]) -> None:
    """Note that the assets which only this release refers to are in use no more."""
    in_use = frozenset[str]().union(*(_assets_of(place, other) for other in kept))
    _touch(place.assets, _assets_of(place, name) - in_use)


def last_live(folder: Path) -> float:
    """When a release was last made live; 0 for one that never was, or failed its check."""
    try:
        return (folder / VERIFIED).stat().st_mtime
    except OSError:
        return 0.0


def _assets_of(place: Place, name: str) -> frozenset[str]:
    try:
        return asset_names((place.releases / name / MANIFEST).read_bytes())
    except OSError:
        return frozenset()


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
        in_use.update(*(_assets_of(other, name) for name in names))
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
