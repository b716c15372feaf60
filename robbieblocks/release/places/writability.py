"""Whether a site root can take another build: its disk's room, its mounts, and writes that last."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from robbieblocks.release.files import disk
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.places.site_root import SiteRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is free for this account, and what a build of every page of every node would take.

    Sizes are in bytes on the disk. `free_files` is None where the file system counts none.
    """

    free_bytes: int
    free_files: int | None
    needed_bytes: int
    needed_files: int

    @property
    def builds(self) -> float:
        """How many such builds fit; infinite where nothing is live."""
        parts = [self.free_bytes / self.needed_bytes] if self.needed_bytes else []
        if self.free_files is not None and self.needed_files:
            parts.append(self.free_files / self.needed_files)
        return min(parts, default=float("inf"))


def room(site_root: SiteRoot) -> Room:
    """The room on the disk of a site root that is there. Raises SiteUnavailable."""
    size = count = 0
    with disk.attempt("look at the disk of", site_root.path):
        system = os.statvfs(site_root.path)
        for app_folder in _apps(site_root):
            for folder, _, names in os.walk(os.path.realpath(app_folder.current)):
                blocks = (os.lstat(os.path.join(folder, name)).st_blocks for name in ("", *names))  # noqa: PTH118 -- ten thousand of them
                size += 512 * sum(blocks)
                count += 1 + len(names)
    return Room(
        free_bytes=system.f_bavail * system.f_frsize,
        free_files=system.f_favail if system.f_files else None,
        needed_bytes=size,
        needed_files=count,
    )


def try_writing(site_root: SiteRoot) -> None:
    """Write a file, sync it, rename it, sync the folder, and remove it. Raises SiteUnavailable."""
    with disk.attempt("write to", site_root.path), disk.folder(disk.real(site_root.path)) as fd:
        name = disk.temporary_name("tried")
        disk.replace_file(name, b"\n", dir_fd=fd, sync=True)
        try:
            os.fsync(fd)
        finally:
            os.unlink(name, dir_fd=fd)


def mounted_inside(site_root: SiteRoot) -> Path | None:
    """The first folder of a node that is on another file system than the folder above it.

    A release is renamed and linked within its node, which two file systems can't do. Raises
    SiteUnavailable.
    """
    with disk.attempt("look at", site_root.path):
        for app_folder in _apps(site_root):
            above = app_folder.node_path.stat().st_dev
            for folder in (app_folder.assets, app_folder.path, app_folder.releases):
                if folder.is_dir() and folder.stat().st_dev != above:
                    return folder
    return None


def _apps(site_root: SiteRoot) -> list[AppFolder]:
    return [
        AppFolder.of(site_root, node, app)
        for node in nodes(site_root)
        for app in apps(site_root, node)
    ]
