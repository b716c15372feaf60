"""Reads what is live: manifests, files and assets."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.manifest import identity_of, load, load_files
from robbieblocks.release.names import MANIFEST
from robbieblocks.release.places.layout import AppFolder, has_place
from robbieblocks.release.places.site_root import SiteRoot


def live(site_root: SiteRoot, node: str, app: str) -> Manifest | None:
    """The manifest of the release that visitors see.

    None where there is none, or where it can't be trusted: then everything is built again.
    Raises SiteUnavailable where it is there and may not be read.
    """
    if not has_place(node, app):
        return None
    return live_release(AppFolder.of(site_root, node, app))[1]


def live_size(site_root: SiteRoot, node: str, app: str, path: str) -> int | None:
    """The size in bytes of a file of the live release, or None where it isn't there."""
    try:
        return (AppFolder.of(site_root, node, app).current / path).stat().st_size
    except OSError:
        return None


def read_live(site_root: SiteRoot, node: str, app: str, path: str) -> bytes:
    """A file of the live release. Raises SiteUnavailable."""
    return _read(AppFolder.of(site_root, node, app).current / path)


def live_folder(site_root: SiteRoot, node: str, app: str) -> Path:
    """The folder of the live release itself; one that is not there where there is none."""
    app_folder = AppFolder.of(site_root, node, app)
    return app_folder.releases / (app_folder.live_name or "none")


def has_assets(site_root: SiteRoot, node: str, app: str, names: Iterable[str]) -> bool:
    """Whether the node has all of these assets."""
    # Asked for one by one, a thousand names take ten times as long.
    try:
        with os.scandir(AppFolder.of(site_root, node, app).assets) as entries:
            return {each.name for each in entries}.issuperset(names)
    except OSError:
        return False


def read_asset(site_root: SiteRoot, node: str, app: str, name: str) -> bytes:
    """An asset of the node. Raises SiteUnavailable."""
    return _read(AppFolder.of(site_root, node, app).assets / name)


def live_release(app_folder: AppFolder) -> tuple[str | None, Manifest | None]:
    """The name of the live release's folder, and its manifest where that can be trusted."""
    name = app_folder.live_name
    return name, None if name is None else manifest_of(app_folder, name)


def manifest_of(app_folder: AppFolder, name: str) -> Manifest | None:
    """The manifest of a release folder; None where it is missing, garbled or another release's.

    A file that this process has read or written already is not read again: a worker needs its own
    manifest several times a run. Raises SiteUnavailable where it may not be read.
    """
    cache = app_folder.site_root.manifests
    folder = app_folder.releases / name
    with disk.attempt("read the release", folder):
        try:
            identity = identity_of(folder)
            manifest = cache.get(identity)
            if manifest is None:
                base = partial(app_folder.site_root.manifest_bases.read, folder)
                manifest = load((folder / MANIFEST).read_bytes(), base)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
            return None
    cache.put(identity, manifest)
    expected = app_folder.node, app_folder.app, name.partition(".")[0]
    found = manifest.node, manifest.app, manifest.build_hash
    return manifest if found == expected else None


def files_manifest(site_root: SiteRoot, folder: Path) -> Manifest | None:
    """A folder's manifest, perhaps with its files alone; None where it is missing or garbled.

    Reading no pages takes a tenth of the time.
    """
    try:
        known = site_root.manifests.get(identity_of(folder))
        base = partial(site_root.manifest_bases.read_files, folder)
        return known or load_files((folder / MANIFEST).read_bytes(), base)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> bytes:
    with disk.attempt("read", path):
        return path.read_bytes()
