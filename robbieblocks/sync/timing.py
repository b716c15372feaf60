"""All times of a sync."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tenacity import RetryCallState, Retrying, wait_random_exponential

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


class Pauses:
    """How long to wait after each failure, in seconds: at random, so that nodes which lost one
    master don't all come back at once; `max_s` at most. The limit doubles with each.
    """

    def __init__(self, max_s: float) -> None:
        self._wait = wait_random_exponential(
            multiplier=_FIRST_PAUSE_MAX_S, max=max_s, min=min(_PAUSE_MIN_S, max_s)
        )
        self.begin_anew()

    def next_s(self) -> float:
        """The next pause."""
        pause_s = self._wait(self._failures)
        self._failures.prepare_for_next_attempt()
        return pause_s

    def begin_anew(self) -> None:
        """Wait as after a first failure: there was success."""
        self._failures = RetryCallState(Retrying(), None, (), {})
