"""Where the tests' files lie: in memory where the machine has room, since they last a moment.

Each test makes a database, a site or a home, and removes it again. On a disk that is most of what
the tests wait for.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

PLACE: Final = Path("/dev/shm")
# A run of two workers takes about a quarter of it at most. Containers often have 64 MB there.
_ROOM_BYTES: Final = 6 << 30


def is_roomy() -> bool:
    """Whether files of tests may lie there: it has room, so has the memory, and programs run."""
    try:
        status = os.statvfs(PLACE)
    except OSError:
        return False
    free = min(status.f_bavail * status.f_frsize, psutil.virtual_memory().available)
    runs_programs = not status.f_flag & os.ST_NOEXEC
    return runs_programs and os.access(PLACE, os.W_OK | os.X_OK) and free >= _ROOM_BYTES


def sweep() -> None:
    """Remove what killed runs left there: pytest itself waits for days, and memory is dear.

    A run's folder has a file with the run's process id until it ends.
    """
    for lock in PLACE.glob("pytest-of-*/pytest-*/.lock"):
        with suppress(OSError, ValueError):
            if not psutil.pid_exists(int(lock.read_text("ascii"))):
                shutil.rmtree(lock.parent, ignore_errors=True)
