"""Where the files of a node and an app are under the site root."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from robbieblocks.release.files import disk
from robbieblocks.release.names import (
    ASSETS,
    STANDBY,
    check_folder_name,
    is_folder_name,
)
from robbieblocks.release.places.site_root import SiteRoot


@dataclass(frozen=True)
class AppFolder:
    """One app of one node under the site root. Made by `AppFolder.of`, which checks the names."""

    site_root: SiteRoot
    node: str
    app: str

    @classmethod
    def of(cls, site_root: SiteRoot, node: str, app: str) -> AppFolder:
        """Raises ContentError for a node or app that can't name a folder."""
        check_folder_name("node", node)
        check_folder_name("app", app)
        return cls(site_root, node, app)

    @cached_property
    def node_path(self) -> Path:
        """The node's folder."""
        return self.site_root.path / self.node

    @cached_property
    def assets(self) -> Path:
        """The node's assets."""
        return self.site_root.path / self.node / ASSETS

    @cached_property
    def path(self) -> Path:
        """The app's folder."""
        return self.site_root.path / self.node / self.app

    @cached_property
    def releases(self) -> Path:
        """The app's releases."""
        return self.path / "releases"

    @property
    def standby(self) -> Path:
        """The first standby tree, which the next publish takes."""
        return self.releases / STANDBY

    @cached_property
    def current(self) -> Path:
        """The symlink to the release that visitors see."""
        return self.path / "current"

    @cached_property
    def previous(self) -> Path:
        """The symlink to the release that was live before."""
        return self.path / "previous"

    @property
    def pin(self) -> Path:
        """The file whose presence holds a release live."""
        return self.path / "pinned"

    @property
    def live_name(self) -> str | None:
        """The name of the release folder that `current` leads to.

        None where there is no link, or one that leads out of the app's releases: then what visitors
        get is nothing that was published.
        """
        return disk.target_in(self.current, "releases")


def has_place(node: str, app: str) -> bool:
    """Whether an app of a node can be published at all: both names can be a folder's.

    Rows may hold any names. Where they can't, nothing is live and nothing is to be locked.
    """
    return is_folder_name(node) and is_folder_name(app) and app != ASSETS


def has_folder(site_root: SiteRoot, node: str) -> bool:
    """Whether a node has a folder under the site root that this process can see."""
    try:
        return is_folder_name(node) and (site_root.path / node).is_dir()
    except OSError:
        return False


def apps(site_root: SiteRoot, node: str) -> tuple[str, ...]:
    """The apps that have a live release on a node, sorted. Raises SiteUnavailable."""
    if not is_folder_name(node):
        return ()
    folder = site_root.path / node
    with disk.attempt("read the folder", folder):
        return tuple(
            entry.name
            for entry in _folders(folder)
            if entry.name != ASSETS and (entry / "current").is_symlink()
        )


def nodes(site_root: SiteRoot) -> tuple[str, ...]:
    """The nodes that have a live release under the site root, sorted. Raises SiteUnavailable."""
    return tuple(folder.name for folder in _folders(site_root.path) if apps(site_root, folder.name))


def apps_with_releases(site_root: SiteRoot, node: str) -> tuple[str, ...]:
    """The apps of a node that have a folder of releases, live or not, sorted.

    Raises SiteUnavailable.
    """
    found = app_folders(site_root, node)
    with disk.attempt("read the folder", site_root.path / node):
        return tuple(app for app in found if AppFolder.of(site_root, node, app).releases.is_dir())


def node_folders(site_root: SiteRoot) -> tuple[str, ...]:
    """What may be nodes under the site root, live or not, sorted. Raises SiteUnavailable."""
    return tuple(folder.name for folder in _folders(site_root.path))


def app_folders(site_root: SiteRoot, node: str) -> tuple[str, ...]:
    """What may be apps of a node, live or not, sorted. Raises SiteUnavailable."""
    folders = _folders(site_root.path / node) if is_folder_name(node) else ()
    return tuple(folder.name for folder in folders if folder.name != ASSETS)


def _folders(folder: Path) -> list[Path]:
    """What may be a node or an app in a folder, in order; a disk's root has `lost+found`, too."""
    with disk.attempt("read the folder", folder):
        try:
            return sorted(each for each in folder.iterdir() if is_folder_name(each.name))
        except (FileNotFoundError, NotADirectoryError):
            return []
