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

FOLDER_PREFIX: Final = "robbieblocks-work-"
"""What the names of the folders begin with."""
_OPEN: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def temporary_folder(place: Path | None = None, prefix: str = FOLDER_PREFIX) -> Generator[Path]:
    """A new folder among the temporary files, or in `place`, until the end of the block.

    What it is renamed to stays. Raises OSError.
    """
    if place is None:
        _sweep_once(tempfile.gettempdir())
    else:
        sweep_temporary_folders(place, prefix)
    folder, descriptor = _made(place, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


@contextmanager
def held_folder(folder: Path) -> Generator[None]:
    """Keep a folder with such a name from being removed as left over until the end of the block.

    It is made where it is missing, and stays. Raises PermissionError where it is somebody else's.
    """
    while True:
        folder.mkdir(exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(folder, _OPEN)
        except FileNotFoundError:
            # Somebody's sweep came between.
            continue
        except OSError as error:
            message = f"{folder} is no folder of this account"
            raise PermissionError(message) from error
        try:
            if os.fstat(descriptor).st_uid != os.geteuid():
                message = f"{folder} belongs to someone else"
                raise PermissionError(message)
            file_locks.lock(descriptor, shared=True)
            if _is_at(descriptor, folder):
                yield
                return
        finally:
            os.close(descriptor)


def sweep_temporary_folders(place: Path | None = None, prefix: str = FOLDER_PREFIX) -> None:
    """Remove what `temporary_folder` made in processes of this user that were killed.

    Folders in use, links, and what belongs to others are left alone. `place` is the folder of
    temporary files where nothing else is said.
    """
    with contextlib.suppress(OSError):
        for entry in (place or Path(tempfile.gettempdir())).glob(f"{prefix}*"):
            descriptor = _taken(entry)
            if descriptor is not None:
                shutil.rmtree(entry, ignore_errors=True)
                os.close(descriptor)


@functools.cache
def _sweep_once(_place: str) -> None:
    sweep_temporary_folders()


def _made(place: Path | None, prefix: str) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=place))
        descriptor = _taken(folder, made_here=True)
        if descriptor is not None:
            return folder, descriptor
        # Somebody's sweep came between making and locking it.


def _taken(folder: Path, *, made_here: bool = False) -> int | None:
    """The descriptor of a folder of this user's that nobody uses, locked now; None for others.

    A server of files may give what was `made_here` to another user.
    """
    try:
        descriptor = os.open(folder, _OPEN)
    except OSError:
        return None
    own = made_here or os.fstat(descriptor).st_uid == os.geteuid()
    if own and file_locks.try_lock(descriptor) and folder.is_dir():
        return descriptor
    os.close(descriptor)
    return None


def _is_at(descriptor: int, folder: Path) -> bool:
    """Whether an open folder still lies there."""
    with contextlib.suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), folder.lstat())
    return False
