"""How many events were sent, failed and given up, by receiver."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal, TypeAlias

EventOutcome: TypeAlias = Literal["sent", "failed", "given up"]


class EventCounts:
    """Counts attempts by receiver and outcome. Any thread may count and read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, EventOutcome]] = Counter()

    def count(self, receiver: str, outcome: EventOutcome) -> None:
        """Count one."""
        with self._lock:
            self._counts[receiver, outcome] += 1

    def so_far(self) -> dict[tuple[str, EventOutcome], int]:
        """A copy of the counts."""
        with self._lock:
            return dict(self._counts)
