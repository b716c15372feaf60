"""Whether a web server, which has an account of its own, can read what is live."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.release.files.disk import attempt
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.places.site_root import SiteRoot


@dataclass(frozen=True, slots=True)
class Reader:
    """An account that reads what is live: its user, and its groups. Nobody's has neither."""

    user: int | None = None
    groups: frozenset[int] = frozenset()

    def may_enter(self, folder: os.stat_result) -> bool:
        """Whether its mode lets the account enter a folder: the first part that fits decides."""
        if self.user == folder.st_uid:
            return bool(folder.st_mode & stat.S_IXUSR)
        if folder.st_gid in self.groups:
            return bool(folder.st_mode & stat.S_IXGRP)
        return bool(folder.st_mode & stat.S_IXOTH)


NOBODY: Final = Reader()


def closed_to(site_root: SiteRoot, reader: Reader = NOBODY) -> Path | None:
    """The first folder on the way to what is live that an account may not enter.

    From `/` down; None where it may enter all of them. Folders of releases are made with the
    process's umask, so one of each app stands for all. Access control lists are not looked at.
    Raises SiteUnavailable.
    """
    # Unlike Path.resolve, it leaves a circle of links to stat, which refuses it as an OSError.
    root = Path(os.path.realpath(site_root.path))
    with attempt("look at", root):
        for folder in (*reversed(root.parents), root, *_live_folders(site_root)):
            if not reader.may_enter(folder.stat()):
                return folder
    return None


def _live_folders(site_root: SiteRoot) -> Iterator[Path]:
    for node in nodes(site_root):
        for app in apps(site_root, node):
            app_folder = AppFolder.of(site_root, node, app)
            yield app_folder.node_path
            yield app_folder.assets
            yield app_folder.path
            yield app_folder.releases
            yield app_folder.current
