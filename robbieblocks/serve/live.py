"""The live releases of a node, read anew at each request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self
from urllib.parse import unquote

from robbieblocks import release
from robbieblocks.model import SHARED_APP, Manifest
from robbieblocks.release import SiteRoot

_Version = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class LiveRelease:
    """One app's live release: its folder, and which file answers which path.

    `routes` has pages by their route and other files by their path. `redirects` leads from other
    forms of a page's address to its route. `version` is the release's name with inode and mtime
    (ns) of its manifest: the rest is read again when it differs.
    """

    folder: Path
    version: _Version
    manifest: Manifest
    routes: Mapping[str, str]
    redirects: Mapping[str, str]

    @classmethod
    def of(cls, folder: Path, version: _Version, manifest: Manifest) -> Self:
        """Work out routes and redirects from a manifest."""
        pages = {unquote(page.route): page for page in manifest.pages}
        page_files = {page.path for page in manifest.pages}
        routes = {f"/{path}": path for path in manifest.files if path not in page_files}
        redirects: dict[str, str] = {}
        for route, page in pages.items():
            other = route.removesuffix("/") if route.endswith("/") else route + "/"
            redirects[other] = redirects[f"/{page.path}"] = route
        routes |= {route: page.path for route, page in pages.items()}
        return cls(folder, version, manifest, routes, redirects)


class LiveReleases:
    """The live releases of one node; what was read of them is kept while they stay live."""

    def __init__(self, site_root: SiteRoot, node: str) -> None:
        self._site_root = site_root
        self._node = node
        self._known: dict[str, LiveRelease] = {}

    def read(self) -> Iterator[LiveRelease]:
        """The live release of each app; the shared app last, so that an app's own page wins."""
        apps = release.apps(self._site_root, self._node)
        for name in sorted(apps, key=lambda app: (app == SHARED_APP, app)):
            if (found := self._read(name)) is not None:
                yield found

    def _read(self, app: str) -> LiveRelease | None:
        app_folder = release.AppFolder.of(self._site_root, self._node, app)
        live_name = app_folder.live_name
        if live_name is None:
            return None
        folder = app_folder.releases / live_name
        try:
            status = (folder / "manifest.json").stat()
        except OSError:
            return None
        version = (live_name, status.st_ino, status.st_mtime_ns)
        known = self._known.get(app)
        if known is None or known.version != version:
            manifest = release.manifest_of(app_folder, live_name)
            if manifest is None:
                return None
            known = self._known[app] = LiveRelease.of(folder, version, manifest)
        return known
