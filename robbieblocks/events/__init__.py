"""Events: what happened to the sites is noted in an outbox on the disk, and sent from there.

Nothing is noted, and nothing on the disk is touched, where `[events]` is not set.
"""

from robbieblocks.events.event import (
    EVENTS,
    BucketPublished,
    ChangedPage,
    DriftDetected,
    Event,
    FormReceived,
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
    instant,
)
from robbieblocks.events.freezing import Frozen, tell_ended, tell_windows
from robbieblocks.events.noting import note
from robbieblocks.events.outbox import folder_of, folders, forget
from robbieblocks.events.schema import payload_schema
from robbieblocks.events.sending import Outcome, Sender, Told, post
from robbieblocks.events.state import OutboxState, state_of, try_webhook
from robbieblocks.events.telling import RunFacts, changed_pages, tell

__all__ = [
    "EVENTS",
    "BucketPublished",
    "ChangedPage",
    "DriftDetected",
    "Event",
    "FormReceived",
    "FreezeEnded",
    "FreezeStarted",
    "Frozen",
    "Held",
    "OutboxState",
    "Outcome",
    "Pinned",
    "Released",
    "RolledBack",
    "RunFacts",
    "RunFailed",
    "RunHeld",
    "RunPublished",
    "RunRecovered",
    "Sender",
    "Told",
    "Unpinned",
    "changed_pages",
    "folder_of",
    "folders",
    "forget",
    "instant",
    "note",
    "payload_schema",
    "post",
    "state_of",
    "tell",
    "tell_ended",
    "tell_windows",
    "try_webhook",
]
