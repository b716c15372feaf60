"""Finds which release of the site root an answer is of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.names import is_release
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.proof.answers import Answer
from robbieblocks.release.reading import files_manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRelease:
    """A release that lies in the site root."""

    node: str
    app: str
    build_hash: str

    def __str__(self) -> str:
        return f"release {self.build_hash[:12]} of {self.node}/{self.app}"


def release_of(answer: Answer, app_folder: AppFolder, path: str) -> KnownRelease | None:
    """The release that an answer names, or whose bytes it has; the app's own come first.

    A `path` has the same bytes in many releases: any one will do that has them. None where no
    release of the site root is it, or none can be read.
    """
    digest = hashlib.sha256(answer.body).hexdigest()
    try:
        folders = list(_releases(app_folder))
        for found, _folder in folders:
            if answer.build and found.build_hash == answer.build:
                return found
        if answer.build:
            return None
        for found, folder in folders:
            manifest = files_manifest(app_folder.site_root, folder)
            if manifest is None:
                continue
            # Another app may show the same text elsewhere; within the app a page has moved at most.
            is_own = (found.node, found.app) == (app_folder.node, app_folder.app)
            files = manifest.files
            if files.get(path) == digest or (not is_own and digest in files.values()):
                return found
    except (OSError, SiteUnavailable):
        return None
    return None


def _releases(app_folder: AppFolder) -> Iterator[tuple[KnownRelease, Path]]:
    """Every release but the live one of the app itself: its own first, then all others'."""
    root = app_folder.site_root
    places = [(node, app) for node in nodes(root) for app in apps(root, node)]
    own = (app_folder.node, app_folder.app)
    for node, app in sorted(places, key=lambda place: (place != own, place[0] != own[0], place)):
        folder = AppFolder.of(root, node, app)
        for path in sorted(folder.releases.iterdir()):
            is_live_here = (node, app) == own and path.name == folder.live_name
            if is_release(path.name) and not is_live_here:
                build_hash = path.name.partition(".")[0]
                yield KnownRelease(node=node, app=app, build_hash=build_hash), path
