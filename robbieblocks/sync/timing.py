"""All times of a sync."""

from __future__ import annotations

from dataclasses import replace

from robbieblocks.lazy_dataclasses import dataclass
from robbieblocks.settings import Settings


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
    grace_s: float = 10.0


def timing_of(settings: Settings) -> SyncTiming:
    """The times of a sync with these settings."""
    return replace(SyncTiming(), interval_s=float(settings.sync.interval_s))
