"""The change queue: rows of robbieblocks_change_triggers, written by triggers of the schema.

A notification says that something was committed. `waiting` reads which rows wait for a node. After
a build the node acknowledges the rows that its snapshot held. A row is processed when every node
that it concerns has acknowledged it, or after seven days; processed rows are kept for 30 days, or
longer where a release that is kept needs them. They are the journal, too: who changed what.

Tables of the owner's own get triggers, too, where a collection is read from them
(`collection_capture`).
"""

from robbieblocks.changes.collections import (
    Capture,
    CapturedTable,
    collection_capture,
    install_capture,
)
from robbieblocks.changes.notifications import CHANNEL, listen, ping, receive
from robbieblocks.changes.queue import (
    Acknowledged,
    ChangeGroup,
    Waiting,
    acknowledge,
    mark_processed,
    remove_processed,
    waiting,
)

__all__ = [
    "CHANNEL",
    "Acknowledged",
    "Capture",
    "CapturedTable",
    "ChangeGroup",
    "Waiting",
    "acknowledge",
    "collection_capture",
    "install_capture",
    "listen",
    "mark_processed",
    "ping",
    "receive",
    "remove_processed",
    "waiting",
]
