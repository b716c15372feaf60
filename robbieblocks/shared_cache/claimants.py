"""Which processes with one cache claim entries, and which of them have ended.

Each has a file of its own beside the cache and holds its lock, which the kernel drops however the
process ends. A claim says the file's name.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import time
from pathlib import Path
from typing import Final

from robbieblocks.file_locks import open_lock_file, try_lock

_FOLDER: Final = "shared-claims"
_NAME: Final = re.compile("[0-9a-f]{16}")
# A claim is believed for less than a minute; its file is younger than its last claim.
_KEPT_S: Final = 3_600.0


class Claimant:
    """This process as one that claims. Where the disk fails it has no name, and nobody is dead."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER
        self._descriptor: int | None = None
        self._name = ""

    def name(self) -> str:
        """What a claim of this process says; "" where it can't be told from others'."""
        with contextlib.suppress(OSError):
            if self._descriptor is None:
                self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._remove_old()
                name = secrets.token_hex(8)
                self._descriptor = open_lock_file(self._folder / name, mode=0o600)
                if try_lock(self._descriptor):
                    self._name = name
            else:
                os.utime(self._descriptor)
        return self._name

    def is_dead(self, name: str) -> bool:
        """Whether it is the name of a process with this cache that has ended."""
        return bool(_NAME.fullmatch(name)) and _is_free(self._folder / name)

    def close(self) -> None:
        """Give the lock back: from here on this process's claims are nobody's."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor, self._name = None, ""

    def _remove_old(self) -> None:
        before = time.time() - _KEPT_S
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                if path.stat().st_mtime < before and _is_free(path):
                    path.unlink()


def _is_free(path: Path) -> bool:
    """Whether a file is there and nobody holds its lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return try_lock(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)
