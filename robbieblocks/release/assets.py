"""The node's assets: immutable files named by their hash, shared by its apps and releases."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.errors import ContentError, Problem, SiteUnavailable
from robbieblocks.model import Asset
from robbieblocks.release import disk
from robbieblocks.release.disk import Stamp
from robbieblocks.release.layout import Place, check_asset_name
from robbieblocks.release.verify import damaged_assets

_DAY_NS: Final = 86_400 * 10**9


@dataclass(slots=True)
class Written:
    """How many files, and how many bytes in all, were written."""

    count: int = 0
    size: int = 0


# What this process found whole, by folder and app: read once, then known by its stamp. Holds the
# assets of the last publish only, so that it does not grow over months.
_known: dict[tuple[Path, str], Mapping[str, Stamp]] = {}


def write_assets(place: Place, assets: Iterable[Asset], needed: Iterable[str]) -> Written:
    """Write, or link, each asset that is missing or damaged; then all `needed` must be there.

    An asset that is there for more than a day is touched, so that pruning sees it in use.
    """
    given = {asset.name: asset for asset in assets}
    if bad := sorted(name for name in given if not check_asset_name(name)):
        raise ContentError(
            Problem(entity="asset", key=repr(name), what="it can't name a file") for name in bad
        )
    written = Written()
    known = _known.get((place.assets, place.app), {})
    found: dict[str, Stamp] = {}
    now = time.time_ns()
    place.assets.mkdir(parents=True, exist_ok=True)
    with disk.folder(place.assets) as fd, _neighbour(place) as take:
        for name, asset in given.items():
            stamp = disk.stamp_of(name, dir_fd=fd)
            if stamp is None and (stamp := take(name, fd)) is not None:
                written.count += 1
            elif stamp is None or not (known.get(name) == stamp or _equal(asset, stamp, fd)):
                stamp = disk.replace_file(name, asset.content, dir_fd=fd)
                written.count += 1
                written.size += len(asset.content)
            elif now - stamp[1] > _DAY_NS:
                stamp = _touch(name, stamp, now, fd)
            found[name] = stamp
    _known[place.assets, place.app] = found
    _require(place, [name for name in needed if name not in given])
    return written


@contextlib.contextmanager
def _neighbour(place: Place) -> Iterator[Callable[[str, int], Stamp | None]]:
    """Yields what links a missing asset from a node that this process published the app to before.

    It returns None where there is none that is as it was then. One inode serves all nodes of a
    machine, and linking costs a fifth of writing.
    """
    known: Mapping[str, Stamp] = {}
    source = -1
    with contextlib.ExitStack() as held:
        for (folder, app), whole in _known.items():
            if app == place.app and folder.parents[1] == place.root and folder != place.assets:
                with contextlib.suppress(OSError):
                    source = held.enter_context(disk.folder(folder))
                    known = whole
                    break

        def take(name: str, target: int) -> Stamp | None:
            stamp = known.get(name)
            if stamp is not None and disk.stamp_of(name, dir_fd=source) == stamp:
                with contextlib.suppress(OSError):
                    os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
                    return stamp
            return None

        yield take


def _equal(asset: Asset, stamp: Stamp, fd: int) -> bool:
    if stamp[0] != len(asset.content):
        return False
    try:
        return disk.read_file(asset.name, dir_fd=fd) == asset.content
    except OSError:
        return False


def _touch(name: str, stamp: Stamp, now: int, fd: int) -> Stamp:
    """The stamp after touching; another user's file can't be touched, and stays as it is."""
    with contextlib.suppress(PermissionError):
        os.utime(name, ns=(now, now), dir_fd=fd, follow_symlinks=False)
        return stamp[0], now
    return stamp


def _require(place: Place, names: list[str]) -> None:
    if missing := damaged_assets(place.assets, names, quick=True):
        raise SiteUnavailable(
            f"could not publish to {place.folder}: {place.assets} lacks {', '.join(missing[:5])}"
            "\n  -> build again; what verify() names is written anew"
        )
