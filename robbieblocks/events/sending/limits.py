"""How much may wait in an outbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from robbieblocks.events.outbox import Waiting
from robbieblocks.events.sending import schedule

WAITING_MAX: Final = 1_000
BYTES_MAX: Final = 32 * 1024 * 1024


def beyond(waiting: Sequence[Waiting], now: float) -> Iterator[tuple[Waiting, str]]:
    """Those of `waiting`, the oldest first, that may wait no longer, each with why."""
    left, total = len(waiting), sum(each.size for each in waiting)
    for each in waiting:
        if now - each.noted > schedule.AGE_MAX_S:
            why = "it waited for more than four days"
        elif left > WAITING_MAX:
            why = f"more than {WAITING_MAX} events waited"
        elif total > BYTES_MAX:
            why = f"what waited took more than {BYTES_MAX // 1024 // 1024} MB"
        else:
            return
        left, total = left - 1, total - each.size
        yield each, why
