"""Whether releases and assets still are what was published."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from robbieblocks.model import ASSET_PREFIX
from robbieblocks.release.files import disk
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.names import MANIFEST, hash_in_name
from robbieblocks.release.places.layout import AppFolder, has_place
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release


def verify(site_root: SiteRoot, node: str, app: str, *, quick: bool = False) -> tuple[str, ...]:
    """What of the live release is damaged: release paths, and `/_rb/<name>` for assets.

    Every file is read and hashed; `quick` reads only those whose size or time changed since they
    were written, which finds every edit but one that restores both. `manifest.json` alone means
    that nothing is known: publish again with all contents. Empty where nothing is live. Raises
    SiteUnavailable.
    """
    if not has_place(node, app):
        return ()
    app_folder = AppFolder.of(site_root, node, app)
    name, manifest = live_release(app_folder)
    if name is None:
        return ()
    if manifest is None:
        return (MANIFEST,)
    folder = app_folder.releases / name
    with disk.attempt("read the release", folder):
        whole = whole_files(folder, manifest, manifest.files, trust_stats=quick)
    damaged = [path for path in manifest.files if path not in whole]
    with disk.attempt("read the assets", app_folder.assets):
        assets = damaged_assets(app_folder.assets, manifest.assets, quick=quick)
    return *damaged, *(ASSET_PREFIX + asset for asset in assets)


def damaged_assets(folder: Path, names: Iterable[str], *, quick: bool) -> tuple[str, ...]:
    """The assets that are missing or, unless `quick`, whose bytes are not those of their name."""
    wanted = list(names)
    try:
        with disk.folder(folder) as fd:
            return tuple(name for name in wanted if not _is_asset_whole(name, fd, quick=quick))
    except FileNotFoundError:
        return tuple(wanted)


def _is_asset_whole(name: str, fd: int, *, quick: bool) -> bool:
    if disk.stat_of(name, dir_fd=fd) is None:
        return False
    beginning = None if quick else hash_in_name(name)
    if beginning is None:
        return True
    digest = disk.hash_of(name, dir_fd=fd)
    return digest is not None and digest.startswith(beginning)
