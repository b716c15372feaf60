"""Events: what happened to the sites is noted in an outbox on the disk, and sent from there.

Nothing is noted, and nothing on the disk is touched, where `[events]` is not set.
"""

from robbieblocks.events.event import (
    EVENTS,
    ChangedPage,
    DriftDetected,
    Event,
    FreezeEnded,
    FreezeStarted,
    Held,
    Pinned,
    Released,
    RolledBack,
    RunFailed,
    RunHeld,
    RunPublished,
    RunRecovered,
    Unpinned,
)
from robbieblocks.events.outbox import forget, note

__all__ = [
    "EVENTS",
    "ChangedPage",
    "DriftDetected",
    "Event",
    "FreezeEnded",
    "FreezeStarted",
    "Held",
    "Pinned",
    "Released",
    "RolledBack",
    "RunFailed",
    "RunHeld",
    "RunPublished",
    "RunRecovered",
    "Unpinned",
    "forget",
    "note",
]
