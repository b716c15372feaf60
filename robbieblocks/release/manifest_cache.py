"""Manifests that were read or written by this process, so that they are not read again."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Final

from robbieblocks.model import Manifest
from robbieblocks.release.names import MANIFEST

_SIZE: Final = 8


class ManifestCache:
    """The eight manifests that were used last, by the identity of their files; for any thread.

    A file is told by device, inode, size and time: a manifest is never written over, so these
    change with its bytes.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_file: OrderedDict[tuple[int, ...], Manifest] = OrderedDict()

    def get(self, status: os.stat_result) -> Manifest | None:
        """The manifest in the file with this status, where it is known."""
        return self._by_file.get(_identity(status))

    def put(self, status: os.stat_result, manifest: Manifest) -> None:
        """Note which manifest is in the file with this status."""
        with self._lock:
            self._by_file[_identity(status)] = manifest
            self._by_file.move_to_end(_identity(status))
            if len(self._by_file) > _SIZE:
                self._by_file.popitem(last=False)

    def put_written(self, manifest: Manifest, *, dir_fd: int) -> None:
        """Note that this manifest was written to a folder now."""
        self.put(os.stat(MANIFEST, dir_fd=dir_fd, follow_symlinks=False), manifest)


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
