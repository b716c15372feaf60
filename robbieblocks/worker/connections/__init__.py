"""The worker's connections to the database.

- "work": read the queue and build; used by the main thread only (`WorkerDatabase`).
- "listener" and "ping": receive notifications, and check that they arrive; used by the listener's
  thread only (`Listener`).

`QueryWatchdog` ends queries that hang on any of them. `LeaderLock` lets one worker a node build.
"""

from robbieblocks.worker.connections.database import WorkerDatabase
from robbieblocks.worker.connections.leader_lock import LeaderLock
from robbieblocks.worker.connections.listener import Listener, Liveness
from robbieblocks.worker.connections.query_watchdog import QueryWatchdog
from robbieblocks.worker.connections.retry import connect_with_retry

__all__ = [
    "LeaderLock",
    "Listener",
    "Liveness",
    "QueryWatchdog",
    "WorkerDatabase",
    "connect_with_retry",
]
