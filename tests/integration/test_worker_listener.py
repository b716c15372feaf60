"""The listener and its pings, against a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from psycopg import Connection

from robbieblocks import changes, record
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.worker.connections import Listener, Liveness
from robbieblocks.worker.timing import Timing
from tests.worker_doubles import RecordingLog
from tests.workers import edit, until

pytestmark = pytest.mark.postgres

Db = Connection
Connect = Callable[[str], Connection]
TIMING = Timing(
    ping_interval_s=0.05,
    ping_timeout_s=2.0,
    heartbeat_interval_s=0.05,
    poll_without_listener_s=0.05,
    reconnect_max_s=0.2,
)


class Listening:
    """A listener at work, and what came of it."""

    def __init__(self, open_connection: Connect) -> None:
        self.wake, self.stopped = threading.Event(), threading.Event()
        self.liveness = Liveness()
        self.opened: list[tuple[str, Db]] = []

        def open_(name: str) -> Db:
            self.opened.append((name, open_connection(name)))
            return self.opened[-1][1]

        self.listener = Listener(
            open_connection=open_,
            liveness=self.liveness,
            wake=self.wake,
            stopped=self.stopped,
            timing=TIMING,
            log=RecordingLog(),
        )

    def until_reconnected(self, before: int) -> None:
        until(lambda: self.listener.reconnects > before)


@pytest.fixture
def listening(open_connection: Connect) -> Iterator[Listening]:
    made = Listening(open_connection)
    made.listener.start()
    yield made
    made.stopped.set()
    made.listener.join(30)


def test_it_listens_before_it_wakes_the_loop(
    editor: Db, open_connection: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On every connect `wake` is set only after LISTEN: an edit in between is notified."""
    made = Listening(open_connection)
    listen = changes.listen
    was_set: list[bool] = []

    def listened(connection: Db) -> None:
        was_set.append(made.wake.is_set())
        listen(connection)

    monkeypatch.setattr(changes, "listen", listened)
    made.listener.start()
    assert was_set == [False]
    assert made.wake.is_set()
    made.wake.clear()
    until(lambda: made.liveness.live)
    editor.execute("SELECT pg_terminate_backend(%s)", [made.opened[0][1].info.backend_pid])
    until(lambda: len(was_set) == 2)
    assert made.wake.wait(30)
    made.stopped.set()
    made.listener.join(30)


def test_a_commit_wakes(editor: Db, listening: Listening) -> None:
    """A notification sets `wake`."""
    until(lambda: listening.liveness.live)
    listening.wake.clear()
    edit(editor, "play", 1)
    assert listening.wake.wait(30)


def test_a_terminated_listener_comes_back_and_wakes_the_loop(
    editor: Db, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was committed while nobody listened is found: `wake` is set after the reconnect."""
    heartbeats: list[Db] = []
    monkeypatch.setattr(record, "heartbeats", heartbeats.append)
    for round_ in range(3):
        until(lambda: listening.liveness.live)
        before = listening.listener.reconnects
        listening.wake.clear()
        name, connection = listening.opened[-1 - round_ % 2]
        editor.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        listening.until_reconnected(before)
        assert listening.wake.wait(30)
        assert name in ("listener", "ping")
    until(lambda: listening.liveness.live)
    until(lambda: heartbeats)


def test_pings_that_do_not_come_back_mean_that_it_is_not_live(
    editor: Db, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When no notification arrives any more, the listener reports it and connects again."""
    until(lambda: listening.liveness.live)
    monkeypatch.setattr(changes, "ping", lambda *_: None)
    until(lambda: not listening.liveness.live)
    before = listening.listener.reconnects
    until(lambda: listening.listener.reconnects > before)
    monkeypatch.undo()
    until(lambda: listening.liveness.live)


def test_the_listener_outlasts_any_number_of_failed_connects() -> None:
    """The first connect fails fast; after that, every failed attempt is followed by another."""
    over, stopped = threading.Event(), threading.Event()
    tries: list[str] = []

    def refuse(name: str) -> Db:
        tries.append(name)
        if len(tries) == 50:
            over.set()
        raise DatabaseUnavailable("still gone")

    listener = Listener(
        open_connection=refuse,
        liveness=Liveness(),
        wake=threading.Event(),
        stopped=stopped,
        timing=Timing(reconnect_max_s=0.001, poll_without_listener_s=0.001),
        log=RecordingLog(),
    )
    with pytest.raises(DatabaseUnavailable):
        listener.start()
    assert tries == ["listener"]
    thread = threading.Thread(target=listener._run, daemon=True)
    thread.start()
    assert over.wait(60)
    stopped.set()
    thread.join(60)
    assert not thread.is_alive()
