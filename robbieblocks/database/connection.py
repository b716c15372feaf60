"""Opens connections, all with the same defaults."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, LiteralString

import psycopg
from psycopg import Connection, conninfo

from robbieblocks.database.address import read_address
from robbieblocks.database.connect_errors import unreachable_error, unreadable_error
from robbieblocks.database.errors import translated
from robbieblocks.database.loading import load_safely
from robbieblocks.database.rights import RightsCursor
from robbieblocks.settings import Settings

# A server that has vanished is noticed after about half a minute, not two hours. libpq reads a
# setting from the address, then from the environment (the first word); these apply where neither
# has one.
_DEFAULTS: dict[str, tuple[str, str]] = {
    "connect_timeout": ("PGCONNECT_TIMEOUT", "10"),
    "keepalives_idle": ("", "10"),
    "keepalives_interval": ("", "5"),
    "keepalives_count": ("", "3"),
    "tcp_user_timeout": ("", "30000"),
}

# Where `struct tcp_info` of Linux has what was sent and confirmed, and what was received.
_TCP_COUNTS_AT: Final = 120
_TCP_INFO_BYTES: Final = 136

# Whether the server is a standby, or sessions may not write.
_READ_ONLY: LiteralString = (
    "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool"
)

# Have times written as the driver reads them. A role, a database or a server may have it otherwise.
_READABLE_TIMES: LiteralString = "SET datestyle = 'ISO'"

# Which backend answers.
_BACKEND: LiteralString = "SELECT pg_backend_pid()"
# The time at the server, now: not when the transaction began.
_NOW: LiteralString = "SELECT clock_timestamp()"


def connect(settings: Settings, *, application_name: str, autocommit: bool = True) -> Connection:
    """Open a connection to the database of these settings.

    Without `settings.database_url` the libpq variables (PGHOST, PGDATABASE, PGSERVICE, ...) decide.
    Raises DatabaseUnavailable, which names host, database and user, the cause and what to do, or
    UsageError where libpq can't read the address. No message holds a password. What Python can't
    hold is read as `database.loading` says.
    """
    address = settings.database_url or ""
    given = read_address(address)
    defaults = {
        name: value
        for name, (variable, value) in _DEFAULTS.items()
        if name not in given and not os.environ.get(variable)
    }
    try:
        own = {"application_name": application_name, "client_encoding": "utf8"}
        return _opened(conninfo.make_conninfo(address, **defaults, **own), autocommit=autocommit)
    except psycopg.OperationalError as error:
        raise unreachable_error(error, address) from None
    except psycopg.ProgrammingError as error:
        raise unreadable_error(error, address) from None


def connect_beside(connection: Connection[Any]) -> Connection:
    """Open another connection to the server and database of one, as the same user.

    What was SET over the first does not hold for it. Raises DatabaseUnavailable.
    """
    info = connection.info
    # Of several hosts that an address may name, the one that was reached.
    reached = {"host": info.host, "hostaddr": info.hostaddr, "port": str(info.port)}
    given = info.get_parameters() | reached | {"password": info.password}
    try:
        stated = {name: value for name, value in given.items() if value}
        return _opened(conninfo.make_conninfo("", **stated))
    except psycopg.OperationalError as error:
        raise unreachable_error(error, info.dsn) from None


def shut_down(connection: Connection[Any]) -> None:
    """End a connection while another thread waits for an answer over it: that one gets an error."""
    # Closing the descriptor would free its number for an unrelated file, so only the socket is shut
    # down, through a copy.
    with suppress(OSError, psycopg.Error):
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as copy:
            copy.shutdown(socket.SHUT_RDWR)


def bytes_moved(connection: Connection[Any]) -> int:
    """How many bytes have gone over a connection both ways, as far as the other side has said that
    it has them; 0 where the system does not count them, as of a socket that is a file.
    """
    if not hasattr(socket, "TCP_INFO"):
        return 0
    with suppress(OSError, psycopg.Error):
        descriptor = os.dup(connection.fileno())
        with socket.socket(fileno=descriptor) as copy:
            said = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
            if len(said) == _TCP_INFO_BYTES:
                return sum(struct.unpack_from("=QQ", said, _TCP_COUNTS_AT))
    return 0


def _opened(address: str, *, autocommit: bool = True) -> Connection:
    connection = psycopg.connect(
        address,
        autocommit=autocommit,
        # Through PgBouncer in transaction mode a prepared statement is on some other session.
        prepare_threshold=None,
        cursor_factory=RightsCursor,
    )
    load_safely(connection)
    if not (connection.info.parameter_status("DateStyle") or "ISO").startswith("ISO"):
        connection.execute(_READABLE_TIMES)
        if not autocommit:
            connection.commit()
    return connection


def is_pooled(connection: Connection) -> bool:
    """Tell whether a connection pooler stands in between, such as PgBouncer.

    Then the backend that answers is another than the one that greeted us. In PgBouncer's
    transaction mode session locks and LISTEN don't work. Raises DatabaseUnavailable.
    """
    with translated("find out which backend answers"):
        row = connection.execute(_BACKEND).fetchone()
    return row is None or row[0] != connection.info.backend_pid


def is_read_only(connection: Connection) -> bool:
    """Whether the server is a standby, or sessions may not write. Raises DatabaseUnavailable."""
    with translated("find out whether the database takes writes"):
        row = connection.execute(_READ_ONLY).fetchone()
    return row is not None and bool(row[0])


def clock_ahead_s(connection: Connection, now: Callable[[], datetime]) -> float:
    """How many seconds the server's clock is ahead of `now`, which gives a time with a zone.

    Less than 0 where it is behind, and 0 where the difference is within what the question took.
    Raises DatabaseUnavailable.
    """
    with translated("ask the database for the time"):
        asked = now()
        row = connection.execute(_NOW).fetchone()
        answered = now()
    there: datetime = row[0] if row else answered
    if asked <= there <= answered:
        return 0.0
    return (there - (answered if there > answered else asked)).total_seconds()
