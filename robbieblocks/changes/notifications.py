"""Notifications: that something was committed, and pings that show whether they arrive."""

from __future__ import annotations

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

    Returns after the first network packet that holds any, or after `timeout_s`. The generator is
    always run to its end: leaving it early drops the rest of a packet (psycopg 3). Raises
    DatabaseUnavailable.
    """
    with translated("wait for notifications"):
        arrived = connection.notifies(timeout=timeout_s, stop_after=1)
        return [(notify.channel, notify.payload) for notify in arrived]


def ping(connection: Connection, payload: str) -> None:
    """Send a notification that every listener receives, on another connection than theirs.

    A listener that does not receive its own payload back no longer receives changes either. Raises
    DatabaseUnavailable.
    """
    with translated("send a ping"):
        connection.execute(_PING, (payload,))
