"""Who can alter a file: what is run, or believed without a second look, must be the user's own."""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


def distrust(path: Path) -> str:
    """Why a file or folder that is there may be another user's work; empty where it can't be.

    Only this user and root may own it, and only the owner may write it. Raises OSError.
    """
    status = path.lstat()
    if status.st_uid not in (os.geteuid(), 0):
        return f"{path} belongs to the user {status.st_uid}, and not to the one who runs this"
    if status.st_mode & _OTHERS_WRITE and not stat.S_ISLNK(status.st_mode):
        return f"{path} can be written by other users"
    return ""
