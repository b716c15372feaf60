"""The wall time of each step of a build."""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager

from robbieblocks import failpoints


class Stopwatch:
    """Adds up the wall time of named phases, in milliseconds."""

    def __init__(self) -> None:
        self._phases: dict[str, float] = {}
        self._started = time.perf_counter()
        self._inner_ms = 0.0

    @property
    def phases(self) -> Mapping[str, float]:
        """Milliseconds by phase, in the order in which each began first."""
        return self._phases

    @property
    def total_ms(self) -> int:
        """Since the stopwatch was made."""
        return round((time.perf_counter() - self._started) * 1000)

    @contextmanager
    def step(self, name: str) -> Generator[None]:
        """Time a step of the pipeline. Its end is a failpoint of the same name."""
        with self.phase(name):
            yield
        failpoints.reached(name)

    @contextmanager
    def phase(self, name: str) -> Generator[None]:
        """Count the time inside the block to `name`, and not to the phase around it."""
        around, self._inner_ms = self._inner_ms, 0.0
        began = time.perf_counter()
        try:
            yield
        finally:
            took = (time.perf_counter() - began) * 1000
            self.add(name, took - self._inner_ms)
            self._inner_ms = around + took

    def add(self, name: str, milliseconds: float) -> None:
        """Count time that was measured elsewhere."""
        self._phases[name] = self._phases.get(name, 0.0) + milliseconds
