"""Which release folders this process made or verified itself, and when."""

from __future__ import annotations

import enum
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from robbieblocks.release.names import is_standby

# For so long, a folder whose files were compared with its stat index counts as whole. Damage within
# that time is found once the folder is live: a full build compares its files again, and repairs it.
_VALID_S: Final = 60.0

FolderIdentity = tuple[int, int]
"""Inode, and when a name in the folder was added or removed last."""


class Trust(enum.Enum):
    """What is known of a folder: nothing, that it has no unknown names, or that it is whole."""

    NOTHING = enum.auto()
    NAMES = enum.auto()
    ALL = enum.auto()


class VerificationCache:
    """The folders that were seen to be what their manifests say and to hold nothing else.

    `valid_s` is how long that lets their files go unchecked; `clock` is monotonic, in seconds.
    """

    def __init__(
        self, valid_s: float = _VALID_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._valid_s = valid_s
        self.now = clock
        self._verified: dict[Path, tuple[FolderIdentity, float]] = {}

    def put(self, folder: Path, when: float) -> None:
        """Note that a folder's files were compared at `when`, and that it holds nothing else."""
        self._verified[folder] = folder_identity(folder), when

    def remove(self, folder: Path) -> None:
        """Note that the folder is about to be renamed, changed or removed."""
        self._verified.pop(folder, None)

    def knows(self, folder: Path) -> bool:
        """Whether a folder was verified, however long ago. Raises OSError where there is none."""
        known = self._verified.get(folder)
        return known is not None and known[0] == folder_identity(folder)

    def trust(self, folder: Path) -> Trust:
        """How far a folder can be trusted now. Raises OSError where there is none.

        People may drop files into releases, so those are listed again after `valid_s`. Standby
        trees are hidden; their names stay trusted.
        """
        if not self.knows(folder):
            return Trust.NOTHING
        if self.now() - self._verified[folder][1] < self._valid_s:
            return Trust.ALL
        return Trust.NAMES if is_standby(folder.name) else Trust.NOTHING

    def compared_at(self, folder: Path) -> float:
        """When the files of what is made out of this folder were compared last.

        That is now, unless they are taken without a comparison.
        """
        return self._verified[folder][1] if self.trust(folder) is Trust.ALL else self.now()


def folder_identity(folder: Path) -> FolderIdentity:
    """Tells a folder from another one at its path. Raises OSError where there is none."""
    status = folder.lstat()
    return status.st_ino, status.st_mtime_ns
