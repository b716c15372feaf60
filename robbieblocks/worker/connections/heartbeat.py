"""Heartbeats: they tell other workers that this process and its runs are alive."""

from __future__ import annotations

from psycopg import Connection

from robbieblocks import database, record
from robbieblocks.worker.log import Log


def send_heartbeat(connection: Connection, *, lease_s: float, log: Log) -> None:
    """Date this process' unfinished runs, and close those of workers that died.

    A run of any node counts as dead when it had no heartbeat for `lease_s` seconds and its lease is
    free. Raises DatabaseUnavailable, and UsageError where the account may not write.
    """
    record.heartbeats(connection)
    if database.is_pooled(connection):
        # Leases are session locks, which a pooler breaks. Each node's own worker closes its runs.
        return
    closed = record.close_abandoned(connection, lease_s)
    if closed:
        log.warning("runs.closed", count=closed, why="no heartbeat from their workers")
