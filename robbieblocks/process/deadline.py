"""When a child has had its time."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Final

# A child that is given no processor at all ends, too.
_LONGEST: Final = 20


class Deadline:
    """The end of a child's time: `timeout_s` seconds, on a busy machine later.

    After a tenth of that time, seconds in which the child was ready to run and had no
    processor are added, on Linux. So a component is not blamed for what else the machine does; a
    child that sleeps or loops gets nothing. It never takes over twenty times `timeout_s`.
    """

    def __init__(self, pid: int, timeout_s: float) -> None:
        now = time.monotonic()
        self._pid = pid
        self._timeout_s = timeout_s
        self._next = now + timeout_s / 10
        self._last = now + _LONGEST * timeout_s
        self._waited_s: float | None = None

    def left_s(self) -> float:
        """Seconds until the next time to ask; none are left where it is 0 or less."""
        now = time.monotonic()
        if now >= self._next:
            waited_s = _waited_s(self._pid)
            if self._waited_s is None:
                self._next = now + self._timeout_s * 9 / 10
            else:
                self._next += max(0, waited_s - self._waited_s)
            self._waited_s = waited_s
        return min(self._next, self._last) - now


def _waited_s(pid: int) -> float:
    """How long the thread that waited most was ready to run and had no processor; 0 if unknown.

    The second number of schedstat, in nanoseconds (Linux, Documentation/scheduler/sched-stats).
    """
    longest = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with contextlib.suppress(OSError, ValueError, IndexError):  # one may have ended
            longest = max(longest, int(thread.read_text("ascii").split()[1]))
    return longest / 1e9
