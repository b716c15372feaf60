"""Locks on files, by flock(2), which the kernel drops however the process that holds them ends.

A lock belongs to the open file: whoever inherits the descriptor holds it too, and it is free once
all copies are closed. Only the standard library is imported, so that the keeper of the embedded
Postgres may import this module.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW
_OPEN: Final = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
_MAKE: Final = _OPEN | os.O_CREAT | os.O_EXCL
_FIRST_PAUSE_S: Final = 0.001
_LONGEST_PAUSE_S: Final = 0.016


def open_lock_file(path: Path, *, mode: int = 0o644) -> int:
    """The descriptor of a lock file, which is made where it is missing. Raises OSError.

    It can only be read where another account made the file, as a command by sudo does: flock(2)
    needs no more.
    """
    while True:
        try:
            return os.open(path, _OPEN)
        except FileNotFoundError:
            # Where somebody else has just made it, theirs is opened.
            with suppress(FileExistsError):
                return _made(path, mode)
        except PermissionError:
            return os.open(path, _READ)


@contextmanager
def lock_file(path: Path, *, mode: int = 0o644) -> Generator[int]:
    """The descriptor of a lock file until the end of the block; then its lock is free."""
    descriptor = open_lock_file(path, mode=mode)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock, exclusive or shared, if it is free; whether it was taken."""
    try:
        fcntl.flock(descriptor, _kind(shared=shared) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(descriptor: int, *, shared: bool = False) -> None:
    """Take the lock, exclusive or shared; wait for it as long as it takes."""
    fcntl.flock(descriptor, _kind(shared=shared))


def lock_within(descriptor: int, timeout_s: float, *, shared: bool = False) -> bool:
    """Take the lock, exclusive or shared; False if it is still taken after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    pause_s = _FIRST_PAUSE_S
    while not try_lock(descriptor, shared=shared):
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
    return True


def _made(path: Path, mode: int) -> int:
    descriptor = os.open(path, _MAKE, mode)
    # Whatever the umask: other accounts must be able to lock it, too.
    os.fchmod(descriptor, mode)
    return descriptor


def _kind(*, shared: bool) -> int:
    return fcntl.LOCK_SH if shared else fcntl.LOCK_EX
