"""The node's assets: immutable files named by their hash, shared by its apps and releases."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from robbieblocks.errors import ContentError, Problem, SiteUnavailable
from robbieblocks.model import Asset
from robbieblocks.release.checking.verify import damaged_assets
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.names import is_asset_name
from robbieblocks.release.places.layout import AppFolder

_DAY_NS: Final = 86_400 * 10**9
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True)
class WrittenAssets:
    """How many assets were written or linked, and how many bytes were written."""

    count: int
    size_bytes: int


def write_assets(
    app_folder: AppFolder, assets: Iterable[Asset], needed: Iterable[str]
) -> WrittenAssets:
    """Write, or link, each asset that is missing or damaged; then all `needed` must be there.

    An asset that is there for more than a day is touched, so that pruning sees it in use. An asset
    that the app's last publish found whole is not read again while its size and time are the same.
    """
    given = {asset.name: asset for asset in assets}
    if invalid := sorted(name for name in given if not is_asset_name(name)):
        raise ContentError(
            Problem(entity="asset", key=repr(name), what="it can't name a file") for name in invalid
        )
    count = size_bytes = 0
    key = app_folder.node, app_folder.app
    all_whole = app_folder.site_root.whole_assets
    whole = all_whole.get(key, {})
    found: dict[str, FileStat] = {}
    now = time.time_ns()
    app_folder.assets.mkdir(parents=True, exist_ok=True)
    with disk.folder(app_folder.assets) as fd, _other_node(app_folder) as link:
        for name, asset in given.items():
            stat = disk.stat_of(name, dir_fd=fd)
            if stat is None and (stat := link(name, fd)) is not None:
                count += 1
            elif stat is None or not (whole.get(name) == stat or _equal(asset, stat, fd)):
                stat = disk.replace_file(name, asset.content, dir_fd=fd)
                count += 1
                size_bytes += len(asset.content)
            elif now - stat[1] > _DAY_NS:
                stat = _touch(name, stat, now, fd)
            found[name] = stat
    # The last publish alone is remembered, so that this does not grow over months.
    all_whole[key] = found
    _require(app_folder, [name for name in needed if name not in given])
    return WrittenAssets(count, size_bytes)


@contextlib.contextmanager
def _other_node(app_folder: AppFolder) -> Generator[Callable[[str, int], FileStat | None]]:
    """Yields a function that links a missing asset from a node to which the app was published.

    It returns None where no other node has the asset as it was published. One inode serves all
    nodes of a machine, and linking takes a fifth of the time of writing.
    """
    site_root = app_folder.site_root
    whole: Mapping[str, FileStat] = {}
    source = -1
    with contextlib.ExitStack() as opened:
        for (node, app), assets in list(site_root.whole_assets.items()):
            if app == app_folder.app and node != app_folder.node:
                with contextlib.suppress(OSError):
                    other = AppFolder(site_root, node, app)
                    source = opened.enter_context(disk.folder(other.assets))
                    whole = assets
                    break

        def link(name: str, target: int) -> FileStat | None:
            stat = whole.get(name)
            if stat is not None and disk.stat_of(name, dir_fd=source) == stat:
                with contextlib.suppress(OSError):
                    os.link(name, name, src_dir_fd=source, dst_dir_fd=target, follow_symlinks=False)
                    return stat
            return None

        yield link


def _equal(asset: Asset, stat: FileStat, fd: int) -> bool:
    if stat[0] != len(asset.content):
        return False
    try:
        return disk.read_file(asset.name, dir_fd=fd) == asset.content
    except OSError:
        return False


def _touch(name: str, stat: FileStat, now: int, fd: int) -> FileStat:
    """The stat after touching; another user's file can't be touched, and stays as it is."""
    with contextlib.suppress(PermissionError):
        os.utime(name, ns=(now, now), dir_fd=fd, follow_symlinks=False)
        return stat[0], now
    return stat


def _require(app_folder: AppFolder, names: list[str]) -> None:
    if missing := damaged_assets(app_folder.assets, names, quick=True):
        raise SiteUnavailable(
            f"could not publish to {app_folder.path}: {app_folder.assets} lacks "
            f"{', '.join(missing[:_NAMED_AT_MOST])}"
            "\n  -> build again; what verify() names is written again"
        )
