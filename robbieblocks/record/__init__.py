"""The deploys row of every run: written before its work starts, and ended whatever happens to it.

A run is dead when its row is unfinished and nobody holds the lease of its node and app.
"""

from robbieblocks.record.health import DRIFTS, Drift, Finding, NodeFacts, judge
from robbieblocks.record.history import LastRun, kept_since, latest, remove_old
from robbieblocks.record.leases import Lease, Leases
from robbieblocks.record.runs import (
    NOTHING_LIVE,
    PROCESS_ID,
    UNFINISHED,
    RunEnd,
    close_abandoned,
    close_dead,
    finish,
    heartbeats,
    note,
    phase,
    start,
)
from robbieblocks.record.workers import WorkerSeen, session_name, worker_lock, workers

__all__ = [
    "DRIFTS",
    "NOTHING_LIVE",
    "PROCESS_ID",
    "UNFINISHED",
    "Drift",
    "Finding",
    "LastRun",
    "Lease",
    "Leases",
    "NodeFacts",
    "RunEnd",
    "WorkerSeen",
    "close_abandoned",
    "close_dead",
    "finish",
    "heartbeats",
    "judge",
    "kept_since",
    "latest",
    "note",
    "phase",
    "remove_old",
    "session_name",
    "start",
    "worker_lock",
    "workers",
]
