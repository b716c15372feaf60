"""Whether a web server, which has an account of its own, can read what is live."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from robbieblocks.release.files.disk import attempt
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.places.site_root import SiteRoot


def closed_to_others(site_root: SiteRoot) -> Path | None:
    """The first folder on the way to what is live that only its owner and group may enter.

    From `/` down; None where everybody may enter all of them. Folders of releases are made with
    the process's umask, so one of each app stands for all. Raises SiteUnavailable.
    """
    # Unlike Path.resolve, it leaves a circle of links to stat, which refuses it as an OSError.
    root = Path(os.path.realpath(site_root.path))
    with attempt("look at", root):
        for folder in (*reversed(root.parents), root, *_live_folders(site_root)):
            if not folder.stat().st_mode & stat.S_IXOTH:
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
