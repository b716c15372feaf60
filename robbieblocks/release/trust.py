"""What this process knows of folders that it made or looked through itself."""

from __future__ import annotations

import enum
import time
from pathlib import Path
from typing import Final

from robbieblocks.release.layout import is_spare

# For so long a folder whose files were compared with their seal is taken for whole. What befalls it
# meanwhile is found where it is live, by its seal: a reconcile heals it.
_LASTS: Final = 60.0

Identity = tuple[int, int]
"""Which folder it is, and when a name in it came or went last."""


class Trust(enum.Enum):
    """What is known of a folder: nothing, that it holds no other names, or that it is whole."""

    NOTHING = enum.auto()
    NAMES = enum.auto()
    ALL = enum.auto()


# Which folder it was, and when its files were compared last (monotonic).
_known: Final[dict[Path, tuple[Identity, float]]] = {}


def identity(folder: Path) -> Identity:
    """Tells a folder from another of its path. Raises OSError where there is none."""
    status = folder.lstat()
    return status.st_ino, status.st_mtime_ns


def note(folder: Path, when: float) -> None:
    """Note that a folder is what its manifest says and holds nothing else, as it was seen then."""
    _known[folder] = identity(folder), when


def forget(folder: Path) -> None:
    """Note that the folder is there no more, or not for long."""
    _known.pop(folder, None)


def knows(folder: Path) -> bool:
    """Whether a folder was noted, however long ago. Raises OSError where there is none."""
    return folder in _known and _known[folder][0] == identity(folder)


def of(folder: Path) -> Trust:
    """How far a folder can be trusted now. Raises OSError where there is none.

    Of releases people know, and leave files in them; nobody looks for a spare.
    """
    if not knows(folder):
        return Trust.NOTHING
    if time.monotonic() - _known[folder][1] < _LASTS:
        return Trust.ALL
    return Trust.NAMES if is_spare(folder.name) else Trust.NOTHING


def compared_at(folder: Path) -> float:
    """When the files of what is made out of a folder were compared last: now, where need be."""
    return _known[folder][1] if of(folder) is Trust.ALL else time.monotonic()
