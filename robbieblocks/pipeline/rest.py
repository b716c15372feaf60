"""Lets threads do what can wait while no build runs, nor has run a moment ago."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from contextlib import contextmanager
from threading import Condition
from typing import Final

# Edits often come in series.
_REST_S: Final = 2.0


class Rest:
    """Counts the builds that run. Builds rest once none has run for `rest_s` seconds.

    `changed` is notified when one ends. A thread that waits for them waits on it, and for whatever
    else it waits; threads may share one.
    """

    def __init__(self, rest_s: float = _REST_S) -> None:
        self.changed = Condition()
        self.rest_s = rest_s
        self._builds = 0
        self._rested_at = 0.0

    @property
    def builds(self) -> int:
        """How many builds run."""
        return self._builds

    @contextmanager
    def put_off(self) -> Generator[None]:
        """Builds don't rest inside the block, nor right after it."""
        with self.changed:
            self._builds += 1
        try:
            yield
        finally:
            with self.changed:
                self._builds -= 1
                self._rested_at = time.monotonic() + self.rest_s
                self.changed.notify_all()

    def left_s(self, latest: float = math.inf) -> float | None:
        """Seconds until builds rest, or until the instant `latest` (of `time.monotonic`) in a pause
        between them; 0 where they do, None while one runs: as `Condition.wait` takes it.
        """
        if self._builds:
            return None
        return max(0.0, min(self._rested_at, latest) - time.monotonic())
