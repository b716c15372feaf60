"""The deploys row of every run: written before its work, closed whatever happens to the worker.

A run is dead when its row is unfinished and nobody holds the lease of its node and app.
"""

from robbieblocks.record.leases import Lease, lease
from robbieblocks.record.runs import (
    NOTHING_LIVE,
    LastRun,
    close_abandoned,
    close_dead,
    finish,
    heartbeat,
    heartbeats,
    incarnation,
    latest,
    phase,
    start,
)

__all__ = [
    "NOTHING_LIVE",
    "LastRun",
    "Lease",
    "close_abandoned",
    "close_dead",
    "finish",
    "heartbeat",
    "heartbeats",
    "incarnation",
    "latest",
    "lease",
    "phase",
    "start",
]
