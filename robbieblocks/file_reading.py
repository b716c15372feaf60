"""Reads files that people put into folders: regular ones, not too large, inside the folder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 4 << 20

_OPEN: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class Refused(OSError):
    """A file that is never read, whoever may: `strerror` says why, for a person."""


def read_file(path: Path, *inside: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file; a symlink may lead to another file in one of the folders `inside`.

    Raises Refused for a symlink that leads out, a pipe, a device, a folder and a file of more than
    `most` bytes (4 MiB), and OSError where the file can't be read.
    """
    real = os.path.realpath(path, strict=True)
    folders = map(os.path.realpath, inside)
    if not any(os.path.commonpath([real, folder]) == folder for folder in folders):
        raise Refused(errno.ELOOP, f"it is a symlink that leads out of {inside[0]}", str(path))
    # Without O_NONBLOCK a pipe would be waited for.
    fd = os.open(real, _OPEN)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise Refused(errno.EINVAL, "it is not a regular file", str(path))
        content = file.read(most + 1)
    if len(content) > most:
        raise Refused(errno.EFBIG, f"it has more than {most // 2**20} MiB", str(path))
    return content
