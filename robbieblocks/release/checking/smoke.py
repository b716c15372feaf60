"""The smoke check: what a web server would read from the disk right after the swap."""

from __future__ import annotations

from collections.abc import Collection

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk
from robbieblocks.release.names import BASE, MANIFEST
from robbieblocks.release.places.layout import AppFolder


def check_files(
    app_folder: AppFolder, manifest: Manifest, manifest_json: bytes, changed: Collection[str]
) -> list[str]:
    """What is wrong when read by way of `current`: the manifest and what changed.

    What the manifest is told from is read again where it was written with this release.
    """
    name = app_folder.live_name
    if name is None or name != manifest.build_hash:
        return [f"{app_folder.current} leads to {name}"]
    problems: list[str] = []
    try:
        with disk.folder(app_folder.releases / name) as fd:
            if disk.read_file(MANIFEST, dir_fd=fd) != manifest_json:
                problems.append(f"{MANIFEST} is not what was written")
            if not _has_base(manifest, fd):
                problems.append(f"{BASE} is not what was written")
            problems += [
                f"{path} is not what was written"
                for path in sorted(changed)
                if disk.hash_of(path, dir_fd=fd) != manifest.files[path]
            ]
    except OSError as error:
        problems.append(f"{app_folder.current} can't be read: {error.strerror}")
    return problems


def _has_base(manifest: Manifest, fd: int) -> bool:
    """Whether the folder has what its manifest is told from; one that is shared is not read."""
    base = manifest.base
    if base is None:
        return True
    if base.manifest.build_hash == manifest.build_hash:
        return disk.hash_of(BASE, dir_fd=fd) == base.digest
    return disk.stat_of(BASE, dir_fd=fd) is not None
