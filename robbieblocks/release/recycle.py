"""Folders of which the next release can be made: standby trees, and releases that are not kept.

Of ten thousand pages an edit changes a few. The next release is such a folder with those altered.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.files import disk, tree
from robbieblocks.release.files.tree import TreeDifference
from robbieblocks.release.names import is_standby
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.reading import files_manifest
from robbieblocks.release.retention.pruning import mark_unreferenced
from robbieblocks.release.retention.rule import kept_of


@dataclass(frozen=True, slots=True)
class RecyclableFolder:
    """A folder that nobody needs as it is, and its manifest, perhaps with its files alone."""

    app_folder: AppFolder
    name: str
    manifest: Manifest

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.app_folder.releases / self.name

    def difference(self, wanted: Manifest, given: Collection[str]) -> TreeDifference:
        """How it differs from the files that are wanted. Raises OSError."""
        trust = self.app_folder.site_root.verifications.trust(self.path)
        return tree.difference(self.path, self.manifest, wanted, given=given, trust=trust)

    def take(self, temporary: Path) -> bool:
        """Rename it to a temporary path, under the app's lock: now it is no release any more.

        False where it is kept now. Raises OSError where it is gone.
        """
        if not is_standby(self.name):
            kept = kept_of(self.app_folder)
            if self.name not in kept.unneeded:
                return False
            mark_unreferenced(self.app_folder, [self.name], kept.reasons)
        self.app_folder.site_root.verifications.remove(self.path)
        self.path.rename(temporary)
        return True


def recyclable_folders(app_folder: AppFolder, but: str = "") -> Iterator[RecyclableFolder]:
    """The standby trees, then releases that do not stay, the oldest first; not the one `but`.

    A release that never passed its smoke check is left out: its files may not be durable.
    """
    kept = kept_of(app_folder)
    once_live = [name for name in kept.unneeded if kept.live_at[name]]
    for name in (*standby_trees(app_folder), *reversed(once_live)):
        if name != but and (manifest := manifest_in(app_folder, name)) is not None:
            yield RecyclableFolder(app_folder, name, manifest)


def standby_trees(app_folder: AppFolder) -> list[str]:
    """The names of the standby trees, the one that was refreshed last first."""
    return sorted(entry.name for entry in os.scandir(app_folder.releases) if is_standby(entry.name))


def manifest_in(app_folder: AppFolder, name: str) -> Manifest | None:
    """The manifest of a standby tree or release; None where it is missing or another's."""
    path = app_folder.releases / name
    if not disk.is_folder(str(path)):
        return None
    manifest = files_manifest(app_folder.site_root, path)
    right = manifest is not None and (is_standby(name) or name == manifest.build_hash)
    return manifest if right else None
