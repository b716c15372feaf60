"""How the manifest of a release that is published now will be on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from robbieblocks.model import Manifest
from robbieblocks.release.places.layout import AppFolder


@dataclass(frozen=True, slots=True)
class ManifestOnDisk:
    """A manifest, its JSON, and what that is told from: its bytes where it is new, else the folder
    of the release that has it. None where it is written whole.
    """

    manifest: Manifest
    content: bytes
    base: bytes | Path | None = None


def on_disk(
    app_folder: AppFolder, manifest: Manifest, live_name: str | None, live: Manifest | None
) -> ManifestOnDisk:
    """The manifest of a release that follows what is live."""
    site_root, folder = app_folder.site_root, app_folder.releases / (live_name or "")
    base = live.base if live else None
    if base is not None and not site_root.manifest_bases.has(folder, base.digest):
        base = None
    written = site_root.manifest_writer.write(manifest, base)
    own = written.manifest.base
    if own is None:
        return ManifestOnDisk(written.manifest, written.content)
    if written.base_content is None:
        return ManifestOnDisk(written.manifest, written.content, folder)
    site_root.manifest_bases.note(own)
    return ManifestOnDisk(written.manifest, written.content, written.base_content)
