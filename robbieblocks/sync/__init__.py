"""Keeps a node's database in step with a master: sends its edits up, sees that others come down.

The rules stand in the database (`schema/unified-schema/23-robbieblocks-sync.sql`); this package
connects, carries and looks after. docs/sync.md explains both.

- `run`, `beside`: the process that syncs, and the same within a worker.
- `join`, `leave`, `pause`, `resync`: what a node does to its own database.
- `init_master`, `admit`, `lock_out`: what the master's owner does.
- `status`, and the conflicts: what people look at.
"""

from robbieblocks.sync.conflicts import Conflict, Restored, listed, one, restore, together
from robbieblocks.sync.health import SyncHealth
from robbieblocks.sync.lifecycle import DEFAULT_PORT, SyncOptions, beside, run
from robbieblocks.sync.mastering import Admitted, Step, admit, init_master, lock_out
from robbieblocks.sync.membership import Left, join, leave, pause, resync
from robbieblocks.sync.node_values import Repaired
from robbieblocks.sync.status import SyncStatus, TableStatus, status
from robbieblocks.sync.timing import SyncTiming

__all__ = [
    "DEFAULT_PORT",
    "Admitted",
    "Conflict",
    "Left",
    "Repaired",
    "Restored",
    "Step",
    "SyncHealth",
    "SyncOptions",
    "SyncStatus",
    "SyncTiming",
    "TableStatus",
    "admit",
    "beside",
    "init_master",
    "join",
    "leave",
    "listed",
    "lock_out",
    "one",
    "pause",
    "restore",
    "resync",
    "run",
    "status",
    "together",
]
