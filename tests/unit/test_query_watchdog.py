"""What the query watchdog takes for an answer that does not come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from types import SimpleNamespace
from typing import cast

import pytest
from psycopg import Connection
from psycopg.pq import TransactionStatus

from robbieblocks import database
from robbieblocks.worker.connections import QueryWatchdog
from tests.worker_doubles import RecordingLog
from tests.workers import until

_TIMEOUT_S = 60.0


@dataclass
class Asking:
    """A connection over which a question was asked, as far as the watchdog looks at it."""

    socket: socket.socket
    info: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(transaction_status=TransactionStatus.ACTIVE)
    )

    def fileno(self) -> int:
        return self.socket.fileno()


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a TCP connection."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as near,
    ):
        far, _ = server.accept()
        with far:
            yield near, far


def _counts(asking: Connection, before: int) -> bool:
    return database.bytes_moved(asking) > before


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_slow_line_is_no_server_that_does_not_answer(
    way: str, line: tuple[socket.socket, socket.socket]
) -> None:
    """While bytes of a question or an answer pass, however few, the query goes on; once none have
    passed for the whole time it is ended."""
    now, moved, log = [0.0], list[float](), RecordingLog()
    near, far = line
    asking = cast("Connection", Asking(near))
    watchdog = QueryWatchdog(
        _TIMEOUT_S, log, monotonic=lambda: now[0], moved=lambda: moved.append(now[0])
    )
    watchdog.watch("master", asking)
    watchdog.check()
    from_, to = (near, far) if way == "up" else (far, near)
    for _ in range(5):
        before = database.bytes_moved(asking)
        from_.sendall(b"x")
        assert to.recv(1) == b"x"
        until(partial(_counts, asking, before), "it is counted")
        now[0] += _TIMEOUT_S - 1
        watchdog.check()
    assert (len(moved), log.named("database.unresponsive")) == (5, [])
    now[0] += _TIMEOUT_S + 1
    watchdog.check()
    assert [said["connection"] for said in log.named("database.unresponsive")] == ["master"]
    assert far.recv(1) == b""


def test_what_takes_long_has_twice_the_time_at_the_next_try(
    line: tuple[socket.socket, socket.socket],
) -> None:
    """Up to the longest; and while it has more than usual, that is no standstill."""
    now, moved, log = [0.0], list[float](), RecordingLog()
    watchdog = QueryWatchdog(
        _TIMEOUT_S,
        log,
        monotonic=lambda: now[0],
        moved=lambda: moved.append(now[0]),
        longest_s=3 * _TIMEOUT_S,
    )
    asking = cast("Connection", Asking(line[0]))
    for allowed, tries in ((60, 1), (120, 2), (180, 3), (180, 4)):
        watchdog.watch("own", asking)
        watchdog.check()
        now[0] += allowed - 1
        watchdog.check()
        assert len(log.named("database.unresponsive")) == tries - 1
        assert bool(moved) is (tries > 1)
        now[0] += 2
        watchdog.check()
        assert len(log.named("database.unresponsive")) == tries


def test_once_nothing_has_taken_long_for_a_while_all_is_as_at_first(
    line: tuple[socket.socket, socket.socket],
) -> None:
    """Quick queries alone reset nothing: the slow one may be asked only now and then. While one
    needs the time again, it has it.
    """
    now, log = [0.0], RecordingLog()
    calm_s = 5 * _TIMEOUT_S
    watchdog = QueryWatchdog(
        _TIMEOUT_S, log, monotonic=lambda: now[0], longest_s=2 * _TIMEOUT_S, calm_s=calm_s
    )
    asking = Asking(line[0])
    connection = cast("Connection", asking)

    def ended(pause_s: float, query_s: float) -> int:
        """How many queries were ended in all, after one that takes so long, after a pause."""
        asking.info.transaction_status = TransactionStatus.IDLE
        watchdog.check()
        now[0] += pause_s
        watchdog.watch("master", connection)
        asking.info.transaction_status = TransactionStatus.ACTIVE
        for _ in range(2):
            watchdog.check()
            now[0] += query_s / 2
        watchdog.check()
        return len(log.named("database.unresponsive"))

    assert ended(0, _TIMEOUT_S + 2) == 1
    for _ in range(3):
        assert ended(calm_s / 2, 1) == 1
        assert ended(1, _TIMEOUT_S + 2) == 1
    assert ended(calm_s, 1) == 1
    assert ended(1, _TIMEOUT_S + 2) == 2
