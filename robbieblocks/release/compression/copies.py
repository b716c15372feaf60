"""Finds the assets that lack compressed copies, and has a child process make them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from robbieblocks import process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.compression.codings import SUFFIXES, is_compressible
from robbieblocks.release.files import disk
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release

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
        with disk.folder(app_folder.assets) as fd:
            known = site_root.compressed_assets.get((node, app), {})
            missing = _missing(live.assets, known, fd)
            if missing:
                _run(app_folder.assets, missing[:_AT_ONCE], go_on)
            # Those of this release alone are remembered, so that this does not grow over months.
            seen = set(live.assets).difference(missing[_AT_ONCE:])
            site_root.compressed_assets[node, app] = {
                name: stats for name in seen if (stats := _stats(name, fd))
            }


def _missing(
    names: tuple[str, ...], known: Mapping[str, tuple[FileStat, ...]], fd: int
) -> list[str]:
    """The assets whose copies are not known to be right."""
    found: list[str] = []
    for name in names:
        # Of thousands of assets all but a few are known.
        if (stats := known.get(name)) is not None and stats == _stats(name, fd):
            continue
        stat = disk.stat_of(name, dir_fd=fd)
        if stat is not None and is_compressible(name, stat[0]):
            found.append(name)
    return found


def _stats(name: str, fd: int) -> tuple[FileStat, ...]:
    """The stats of an asset, which a repair changes, and its copies; empty where one is missing."""
    found: list[FileStat] = []
    for suffix in ("", *SUFFIXES.values()):
        stat = disk.stat_of(name + suffix, dir_fd=fd)
        if stat is None:
            return ()
        found.append(stat)
    return tuple(found)


def _run(folder: Path, names: list[str], go_on: Callable[[], bool]) -> None:
    child = (sys.executable, "-X", "utf8", "-m", "robbieblocks.release.compression.child_process")
    done = process.run([*child, folder, *names], timeout=_TIMEOUT_S, go_on=go_on)
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip()
        raise SiteUnavailable(said or f"the process that compresses {folder} ended early")
