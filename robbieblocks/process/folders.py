"""Temporary folders that go even when their process was killed: whoever comes next removes them.

A folder is locked by its process as long as it is used. The kernel drops the lock however the
process ends, so a folder that can be locked is left over.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from robbieblocks import file_locks

_PREFIX: Final = "robbieblocks-work-"


@contextmanager
def temporary_folder() -> Generator[Path]:
    """A new folder among the temporary files until the end of the block. Raises OSError."""
    _sweep_once(tempfile.gettempdir())
    folder, descriptor = _made()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep_temporary_folders() -> None:
    """Remove what `temporary_folder` made in processes of this user that were killed.

    Folders in use, links, and what belongs to others are left alone.
    """
    with contextlib.suppress(OSError):
        for entry in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
            descriptor = _taken(entry)
            if descriptor is not None:
                shutil.rmtree(entry, ignore_errors=True)
                os.close(descriptor)


@functools.cache
def _sweep_once(_place: str) -> None:
    sweep_temporary_folders()


def _made() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        descriptor = _taken(folder, made_here=True)
        if descriptor is not None:
            return folder, descriptor
        # Somebody's sweep came between making and locking it.


def _taken(folder: Path, *, made_here: bool = False) -> int | None:
    """The descriptor of a folder of this user's that nobody uses, locked now; None for others.

    A server of files may give what was `made_here` to another user.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    own = made_here or os.fstat(descriptor).st_uid == os.geteuid()
    if own and file_locks.try_lock(descriptor) and folder.is_dir():
        return descriptor
    os.close(descriptor)
    return None
