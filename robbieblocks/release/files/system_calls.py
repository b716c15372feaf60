"""System calls that Python has no function for, and what stands in where one is missing."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from robbieblocks.release.files.disk import folder

_EXCHANGE: Final = 2
_AT_FDCWD: Final = -100


def sync_file_system(path: Path) -> None:
    """Make all that was written to a file system durable in one call: syncfs(2), else sync(2).

    One fsync(2) a file costs seconds at a thousand files.
    """
    syncfs = _libc("syncfs")
    if syncfs is None:
        os.sync()
        return
    with folder(path) as fd:
        if syncfs(fd) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(path))


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders' names at one moment; False where the system or file system can't.

    renameat2(2) with RENAME_EXCHANGE on Linux, renamex_np(2) with RENAME_SWAP on macOS.
    """
    names = os.fsencode(one), os.fsencode(other)
    if sys.platform == "darwin":
        swap = _libc("renamex_np")
        done = swap is not None and swap(*names, _EXCHANGE) == 0
    else:
        swap = _libc("renameat2")
        done = swap is not None and swap(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE) == 0
    if swap is None or done:
        return done
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(one))


@functools.cache
def _libc(name: str) -> Callable[..., Any] | None:
    function: Callable[..., Any] | None = getattr(ctypes.CDLL(None, use_errno=True), name, None)
    return function
