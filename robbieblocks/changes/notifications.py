"""Notifications: that something was committed, and pings that show whether they arrive."""

from __future__ import annotations

import select
from typing import Final, LiteralString

from psycopg import Connection

from robbieblocks.database import is_pooled, translated

CHANNEL: Final = "robbieblocks_change"
"""The channel on which the schema's triggers announce queue rows."""

# Receive committed changes, and our own pings.
_LISTEN: LiteralString = "LISTEN robbieblocks_change; LISTEN robbieblocks_ping"

# A server may end idle sessions, and a session that listens is always idle.
_NO_IDLE_TIMEOUT: LiteralString = "SET idle_session_timeout = 0"

# Every worker of the database receives it; the payload tells each its own.
_PING: LiteralString = "SELECT pg_notify('robbieblocks_ping', %s)"


def listen(connection: Connection) -> None:
    """Subscribe a connection that is used for nothing else. Raises DatabaseUnavailable."""
    with translated("listen for changes"):
        if not is_pooled(connection):
            connection.execute(_NO_IDLE_TIMEOUT)
        connection.execute(_LISTEN)


def receive(connection: Connection, timeout_s: float) -> list[tuple[str, str]]:
    """Wait for notifications; return the channel and payload of each.

    Returns after the first network packet, or after `timeout_s`. Raises DatabaseUnavailable.
    """
    with translated("wait for notifications"):
        arrived = _arrived(connection)
        if not arrived:
            # Not by psycopg, which wakes ten times a second while it waits.
            readable = select.poll()
            readable.register(connection.fileno(), select.POLLIN)
            if readable.poll(timeout_s * 1000):
                arrived = _arrived(connection)
        return arrived


def _arrived(connection: Connection) -> list[tuple[str, str]]:
    """What is there to be read by now.

    The generator is always run to its end: leaving it early drops the rest of a packet (psycopg 3).
    """
    notifies = connection.notifies(timeout=0, stop_after=1)
    return [(notify.channel, notify.payload) for notify in notifies]


def ping(connection: Connection, payload: str) -> None:
    """Send a notification that every listener receives, on another connection than theirs.

    A listener that does not receive its own payload back no longer receives changes either. Raises
    DatabaseUnavailable.
    """
    with translated("send a ping"):
        connection.execute(_PING, (payload,))
