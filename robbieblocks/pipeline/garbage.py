"""Python's search for cycles of garbage, kept out of builds."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_ALL_EVERY: Final = 3600.0


class Garbage:
    """Lets garbage wait for the end of a build.

    Python looks for it after so many new objects, and walks through all content each time: 0.3 s at
    10,000 pages. What is there after a thorough build is left out from then on, but once an hour.
    """

    def __init__(self) -> None:
        self._all_looked_through_at = -math.inf

    @contextmanager
    def waits(self, *, thorough: bool) -> Iterator[None]:
        """Have it wait for the end of the block, and after a `thorough` build look for it then."""
        paused = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if thorough:
                self._collect()
            if paused:
                gc.enable()

    def _collect(self) -> None:
        now = time.monotonic()
        if now - self._all_looked_through_at >= _ALL_EVERY:
            self._all_looked_through_at = now
            gc.unfreeze()
        gc.collect()
        gc.freeze()
