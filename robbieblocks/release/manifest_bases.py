"""The whole manifests from which those of releases are told: read once, by the hash of their bytes.

Of ten thousand pages an edit alters a few. Releases of one line share a file, `.base`, with a whole
manifest of an earlier one, and the `manifest.json` of each has what is another than there.
"""

from __future__ import annotations

import stat
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Final

from robbieblocks.model import Manifest, ManifestBase, Sha256, sha256
from robbieblocks.release.files import disk
from robbieblocks.release.manifest import load, load_files
from robbieblocks.release.names import BASE

_KEPT: Final = 16
_FILES_KEPT: Final = 256

_File = tuple[int, int, int, int]


class ManifestBases:
    """The bases that were read last; for any thread.

    A file is told by device, inode, size and time: none is written over, so who finds these the
    same need not read it again.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[Sha256, ManifestBase] = OrderedDict()
        self._files: tuple[Sha256, Manifest] | None = None
        self._right: OrderedDict[tuple[Sha256, _File], None] = OrderedDict()

    def note(self, base: ManifestBase) -> None:
        """Keep a base that is written now."""
        with self._lock:
            self._known[base.digest] = base
            self._known.move_to_end(base.digest)
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)

    def has(self, folder: Path, digest: Sha256) -> bool:
        """Whether a release's folder has the base with this hash."""
        try:
            self._content(folder, digest)
        except (OSError, ValueError):
            return False
        return True

    def read(self, folder: Path, digest: Sha256) -> ManifestBase:
        """The base in a release's folder with this hash. Raises ValueError where it is another one,
        or garbled, and OSError.
        """
        content, known = self._content(folder, digest), self._known.get(digest)
        if known is None:
            known = ManifestBase(digest, load(content or disk.read_file(folder / BASE)))
            self.note(known)
        return known

    def read_files(self, folder: Path, digest: Sha256) -> Manifest:
        """As `read`, perhaps with the files alone."""
        content, known = self._content(folder, digest), self._known.get(digest)
        if known is not None:
            return known.manifest
        last = self._files
        if last is None or last[0] != digest:
            last = digest, load_files(content or disk.read_file(folder / BASE))
            self._files = last
        return last[1]

    def _content(self, folder: Path, digest: Sha256) -> bytes | None:
        """The bytes of the base in a folder, once it is sure that they are those; None where that
        was known.
        """
        status = (folder / BASE).lstat()
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{BASE} is no file")
        file = digest, (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        with self._lock:
            if file in self._right:
                return None
        content = disk.read_file(folder / BASE)
        if sha256(content) != digest:
            raise ValueError("not the manifest from which this one is told")
        with self._lock:
            self._right[file] = None
            if len(self._right) > _FILES_KEPT:
                self._right.popitem(last=False)
        return content
