"""Finds the assets that lack compressed copies, and has a child process make them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.compression.codings import SUFFIXES, is_compressible
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.layout import AppFolder
from robbieblocks.release.reading import live_release
from robbieblocks.release.site_root import SiteRoot

_TIMEOUT_S: Final = 600.0
# So many names fit a command line. The others have their turn after a later build.
_AT_ONCE: Final = 1000


def compress_assets(
    site_root: SiteRoot, node: str, app: str, *, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Make the copies that the assets of an app's live release lack, while it may `go_on`.

    Those that this process did not see made are compared with their asset first. They are made by
    a child process that gives way to every other: to compress well takes a second for 100 kB. What
    it has made when it may not go on stays. Raises SiteUnavailable and ProcessFailed.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with disk.attempt("compress assets in", app_folder.assets):
        _name, live = live_release(app_folder)
        if live is None:
            return
        if missing := _missing(app_folder, live.assets):
            _run(app_folder.assets, missing[:_AT_ONCE], go_on)
        # Those of this release alone are remembered, so that this does not grow over months.
        known = {name: stats for name in live.assets if (stats := _stats(app_folder.assets, name))}
        site_root.compressed_assets[node, app] = known


def _missing(app_folder: AppFolder, names: tuple[str, ...]) -> list[str]:
    """The assets whose copies are not known to be right."""
    known = app_folder.site_root.compressed_assets.get((app_folder.node, app_folder.app), {})
    found: list[str] = []
    with disk.folder(app_folder.assets) as fd:
        for name in names:
            stat = disk.stat_of(name, dir_fd=fd)
            if stat is None or not is_compressible(name, stat[0]):
                continue
            if name not in known or known[name] != _stats(app_folder.assets, name):
                found.append(name)
    return found


def _stats(folder: Path, name: str) -> tuple[FileStat, ...]:
    """The stat of each copy of an asset; empty where one is missing."""
    with disk.folder(folder) as fd:
        found = [disk.stat_of(name + suffix, dir_fd=fd) for suffix in SUFFIXES.values()]
    return () if None in found else tuple(stat for stat in found if stat)


def _run(folder: Path, names: list[str], go_on: Callable[[], bool]) -> None:
    child = (sys.executable, "-X", "utf8", "-m", "robbieblocks.release.compression.child_process")
    done = process.run([*child, folder, *names], timeout=_TIMEOUT_S, go_on=go_on)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise SiteUnavailable(said or f"the process that compresses {folder} ended early")
