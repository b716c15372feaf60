"""Reads files that people put into folders: regular ones, not too large, inside the folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 16 * 1024 * 1024

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


def read_file(path: Path, *, inside: Path) -> bytes:
    """The bytes of a file; a symlink may lead to another file inside the folder.

    Raises OSError for anything else: a symlink that leads out, a pipe, a device, a folder, a file
    of more than 16 MiB. Its `strerror` says which, and can be shown to a person.
    """
    real = os.path.realpath(path, strict=True)
    folder = os.path.realpath(inside)
    if os.path.commonpath([real, folder]) != folder:
        raise OSError(errno.ELOOP, f"it is a symlink that leads out of {inside}", str(path))
    # Without O_NONBLOCK a pipe would be waited for.
    fd = os.open(real, _OPEN)
    with open(fd, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it has more than {MOST_BYTES // 2**20} MiB", str(path))
    return content
