"""All times of a sync."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import Final

from robbieblocks.settings import Settings

_FIRST_PAUSE_MAX_S: Final = 0.5
_PAUSE_MIN_S: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncTiming:
    """All times of a sync, in seconds."""

    interval_s: float = 300.0
    # The outbox is read at least this often, where no notification arrives.
    poll_s: float = 5.0
    # Where the master refuses, or this database is behind or has no leader yet.
    refused_s: float = 15.0
    reconnect_max_s: float = 10.0
    query_timeout_s: float = 60.0
    # Millions of rows take longer to compare: a query that was ended has twice the time.
    query_longest_s: float = 960.0
    grace_s: float = 10.0


def timing_of(settings: Settings) -> SyncTiming:
    """The times of a sync with these settings."""
    return replace(SyncTiming(), interval_s=float(settings.sync.interval_s))


@dataclass(slots=True)
class Pauses:
    """How long to wait after each failure, in seconds: at random, so that nodes which lost one
    master don't all come back at once; `max_s` at most.
    """

    max_s: float
    _limit_s: float = _FIRST_PAUSE_MAX_S

    def next_s(self) -> float:
        """The next pause. After each the limit doubles."""
        limit_s = min(self._limit_s, self.max_s)
        self._limit_s = limit_s * 2
        return random.uniform(min(_PAUSE_MIN_S, limit_s), limit_s)  # noqa: S311 -- no secret

    def begin_anew(self) -> None:
        """Wait as after a first failure: there was success."""
        self._limit_s = _FIRST_PAUSE_MAX_S
