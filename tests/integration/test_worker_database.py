"""The worker's connections, its locks, and its builds between two looks: against a real server."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import Connection

from robbieblocks import changes, failpoints, record, release
from robbieblocks import database as rooms
from robbieblocks.errors import DatabaseUnavailable, SiteUnavailable
from robbieblocks.pipeline import BuildContext, Request, Site, build
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.connections.database import WorkerDatabase
from robbieblocks.worker.connections.listener import Listener
from robbieblocks.worker.connections.query_watchdog import QueryWatchdog
from robbieblocks.worker.timing import Timing
from tests.building import NOW
from tests.unit.test_worker_loop import Lines
from tests.workers import NODES, edit, fill, shown, until

pytestmark = pytest.mark.postgres

NODE, OTHER = NODES
Db = Connection
TIMING = Timing(
    ping_interval_s=0.05,
    ping_timeout_s=0.5,
    heartbeat_interval_s=0.05,
    poll_without_listener_s=0.05,
    reconnect_max_s=0.2,
)


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """The editor's connection to the small site of tests/workers.py."""
    with psycopg.connect(database, autocommit=True) as connection:
        fill(connection)
        yield connection


@pytest.fixture
def open_(settings: Settings) -> Iterator[Callable[[str], Db]]:
    """Opens connections as the worker does, and closes them after the test."""
    opened: list[Db] = []

    def connect(name: str) -> Db:
        opened.append(rooms.connect(settings, application_name=f"robbieblocks {name}"))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def ids(db: Db) -> list[Any]:
    return [row[0] for row in db.execute("SELECT id FROM robbieblocks_change_triggers")]


# --- listening -------------------------------------------------------------------------------


class Listening:
    """An Listener at work, and what came of it."""

    def __init__(self, open_: Callable[[str], Db]) -> None:
        self.wake, self.stopped = threading.Event(), threading.Event()
        self.lines, self.beats = Lines(), 0
        self.opened: list[tuple[str, Db]] = []

        def connect(name: str) -> Db:
            self.opened.append((name, open_(name)))
            return self.opened[-1][1]

        self.guard = QueryWatchdog(longest=0.5, shut=lambda _: None)
        self.ear = Listener(
            connect=connect,
            beat=self.beat,
            wake=self.wake,
            stopped=self.stopped,
            timing=TIMING,
            guard=self.guard,
            log=self.lines,
        )

    def beat(self, connection: Db) -> None:
        connection.execute("SELECT 1")
        self.beats += 1


@pytest.fixture
def listening(open_: Callable[[str], Db]) -> Iterator[Listening]:
    made = Listening(open_)
    made.ear.start()
    yield made
    made.stopped.set()
    made.ear.join(30)


def test_it_listens_before_it_asks_for_a_look(
    db: Db, open_: Callable[[str], Db], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On every connect the flag is set only once LISTEN is done: an edit in between is heard."""
    made = Listening(open_)
    listen = changes.listen
    asked: list[bool] = []

    def listened(connection: Db) -> None:
        asked.append(made.wake.is_set())
        listen(connection)

    monkeypatch.setattr(changes, "listen", listened)
    made.ear.start()
    assert asked == [False]
    assert made.wake.is_set()
    made.wake.clear()
    until(lambda: made.ear.hearing)
    db.execute("SELECT pg_terminate_backend(%s)", [made.opened[0][1].info.backend_pid])
    until(lambda: len(asked) == 2)
    assert made.wake.wait(30)
    made.stopped.set()
    made.ear.join(30)


def test_a_commit_wakes(db: Db, listening: Listening) -> None:
    """A notification sets the flag."""
    until(lambda: listening.ear.hearing)
    listening.wake.clear()
    edit(db, "play", 1)
    assert listening.wake.wait(30)


def test_a_terminated_listener_comes_back_and_asks_for_a_look(db: Db, listening: Listening) -> None:
    """What was committed while nobody listened is found: the flag is set after the reconnect."""
    for round_ in range(3):
        until(lambda: listening.ear.hearing)
        before = listening.ear.reconnects
        listening.wake.clear()
        name, connection = listening.opened[-1 - round_ % 2]
        db.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        until(lambda before=before: listening.ear.reconnects > before)  # type: ignore[misc] # a default binds the loop's value
        assert listening.wake.wait(30)
        assert name in ("ear", "voice")
    until(lambda: listening.ear.hearing)
    assert listening.beats


def test_canaries_that_stay_away_mean_deafness(
    db: Db, listening: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nothing comes through any more, the ear says so and connects anew."""
    until(lambda: listening.ear.hearing)
    monkeypatch.setattr(changes, "ping", lambda *_: None)
    until(lambda: not listening.ear.hearing)
    before = listening.ear.reconnects
    until(lambda: listening.ear.reconnects > before)
    monkeypatch.undo()
    until(lambda: listening.ear.hearing)


def test_a_query_without_answer_is_cut(db: Db, open_: Callable[[str], Db]) -> None:
    """The guard ends the wait for a server that does not answer; the error is a transient one."""
    cut: list[str] = []
    guard = QueryWatchdog(longest=0.1, shut=cut.append)
    connection = open_("work")
    guard.watch("work", connection)
    over = threading.Event()

    def tick() -> None:
        while not over.wait(0.02):
            guard.tick()

    thread = threading.Thread(target=tick)
    thread.start()
    try:
        with pytest.raises(DatabaseUnavailable), rooms.translated("sleep"):
            connection.execute("SELECT pg_sleep(60)")
    finally:
        over.set()
        thread.join()
    assert cut == ["work"]


# --- the right to work -----------------------------------------------------------------------


def database(
    settings: Settings, open_: Callable[[str], Db], root: Path | None = None
) -> WorkerDatabase:
    return WorkerDatabase(
        node=NODE,
        site_root=SiteRoot(root or settings.site_root),
        open_=open_,
        guard=QueryWatchdog(longest=60, shut=lambda _: None),
        log=Lines(),
    )


def test_one_worker_a_node(settings: Settings, open_: Callable[[str], Db], tmp_path: Path) -> None:
    """On one machine the file lock, from two machines the advisory lock lets one work alone."""
    first, same, far = (
        database(settings, open_),
        database(settings, open_),
        database(settings, open_, tmp_path / "far"),
    )
    assert first.may_work()
    assert not same.may_work()
    assert not far.may_work()
    # The server ends a session, and frees its locks, a moment after the connection is closed.
    first.close()
    until(far.may_work, "the other machine's worker has the lock")
    far.close()
    until(same.may_work, "the other worker of this machine has the lock")
    same.close()


def test_a_lost_connection_does_not_lock_its_own_worker_out(
    settings: Settings, open_: Callable[[str], Db]
) -> None:
    """An earlier session that the server still keeps is told to end, and not waited for."""
    mine = database(settings, open_)
    assert mine.may_work()
    kept = mine.connection
    # As after a broken network: the server still has the session, and with it the lock.
    mine._connection = psycopg.connect(settings.database_url or "")
    mine.drop()
    assert mine.may_work()
    with pytest.raises(psycopg.OperationalError):
        until(lambda: kept.execute("SELECT 1") is None)
    mine.close()


def test_a_site_root_that_can_not_be_written_is_told(
    settings: Settings, open_: Callable[[str], Db], tmp_path: Path
) -> None:
    """The error names the file and what to do."""
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SiteUnavailable, match="ROBBIEBLOCKS_SITE_ROOT"):
        database(settings, open_, tmp_path / "file").may_work()


def test_rows_of_apps_that_the_node_lacks_are_acknowledged(
    db: Db, settings: Settings, open_: Callable[[str], Db]
) -> None:
    """A row that names the node and no app of its own is acknowledged, not left to wait for ever."""
    db.execute(
        "INSERT INTO robbieblocks_change_triggers (trigger_type, entity_type, entity_id, affected_apps, affected_nodes)"
        " VALUES ('page_update', 'page', gen_random_uuid(), '{nothing}', %s)",
        [[NODE]],
    )
    mine = database(settings, open_)
    assert mine.look({}).irrelevant
    assert not mine.look({}).irrelevant
    mine.close()


# --- building between two looks --------------------------------------------------------------


@pytest.fixture
def hook() -> Iterator[dict[str, Callable[[], object]]]:
    """What to do when a step of the pipeline is reached."""
    steps: dict[str, Callable[[], object]] = {}
    before = failpoints.hook

    def reached(step: str) -> None:
        steps.pop(step, lambda: None)()

    failpoints.hook = reached
    yield steps
    failpoints.hook = before


@pytest.fixture
def run(
    db: Db, settings: Settings, open_: Callable[[str], Db], toolchain: object
) -> Iterator[Callable[..., Any]]:
    """Builds play on the node, as the worker does."""
    assert toolchain
    site_root = SiteRoot(settings.site_root)
    with BuildContext.open(settings, lambda _: None) as context:

        def go(connection: Db | None = None, **request: Any) -> Any:
            return build(
                Request(nodes=(NODE,), apps=("play",), allow_missing_apps=True, **request),
                context=context,
                connection=connection or open_("work"),
                site=Site(root=site_root),
                clock=lambda: NOW,
                progress=lambda _: None,
            )

        yield go


def test_exactly_the_rows_of_the_snapshot_are_acknowledged(
    db: Db, settings: Settings, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """An edit that is committed after the snapshot waits on, and is built by the next run."""
    edit(db, "play", 1)
    hook["read"] = lambda: edit(db, "play", 2)
    report = run(triggered_by="change")
    assert len(report.handled) == 1
    assert shown(settings.site_root, NODE, "play") == 1
    assert changes.waiting(db, NODE).count == 1
    run(triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 2
    assert changes.waiting(db, NODE).count == 0


def test_no_transaction_is_open_while_building(
    db: Db, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """Compiling and rendering hold back no vacuum and no lock of the editors'."""
    states: list[str] = []

    def ask() -> None:
        found = db.execute(
            "SELECT state FROM pg_stat_activity WHERE application_name = 'robbieblocks work'"
        ).fetchall()
        states.extend(row[0] for row in found)

    hook |= {"compile": ask, "render": ask, "written": ask}
    run()
    assert states == ["idle"] * 3


def test_a_run_is_written_before_its_work_with_a_sign_of_life(
    db: Db, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """While it is built, a run's row says so, names its rows, and is kept alive."""
    seen: list[Any] = []

    def ask() -> None:
        record.heartbeats(db)
        seen.append(
            db.execute(
                "SELECT deploy_status, incarnation IS NOT NULL, trigger_ids, heartbeat_at > started_at FROM robbieblocks_deploys"
            ).fetchone()
        )

    edit(db, "play", 1)
    row = ids(db)[0]
    hook["assemble"] = ask
    report = run(triggered_by="change")
    assert seen == [("building", True, [row], True)]
    assert report.runs[0].run is not None


def test_a_worker_that_lost_its_lock_does_not_publish(
    db: Db,
    settings: Settings,
    run: Callable[..., Any],
    hook: dict[str, Callable[[], object]],
    open_: Callable[[str], Db],
) -> None:
    """Right before the swap the lease is asked for again; without it what is live stays."""
    run()
    edit(db, "play", 1)
    connection = open_("work")
    pid = connection.info.backend_pid
    hook["synced"] = lambda: db.execute("SELECT pg_terminate_backend(%s)", [pid])
    with pytest.raises(DatabaseUnavailable):
        run(connection, triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 0
    assert changes.waiting(db, NODE).count == 1
    run(triggered_by="change")
    assert shown(settings.site_root, NODE, "play") == 1
    statuses = db.execute(
        "SELECT deploy_status FROM robbieblocks_deploys ORDER BY started_at"
    ).fetchall()
    assert statuses == [("success",), ("failed",), ("success",)]


def test_a_run_that_was_taken_for_dead_does_not_publish(
    db: Db, settings: Settings, run: Callable[..., Any], hook: dict[str, Callable[[], object]]
) -> None:
    """When a peer has closed its row meanwhile, a build stops short of the swap and says why."""
    run()
    edit(db, "play", 1)
    hook["compose"] = lambda: record.close_dead(db, NODE, "play", leased=False)
    report = run(triggered_by="change")
    assert "taken for dead" in report.runs[0].error
    assert report.runs[0].transient
    assert shown(settings.site_root, NODE, "play") == 0


def test_peers_close_runs_that_give_no_sign_of_life(db: Db) -> None:
    """A run whose worker never came back is failed by any other worker, once it is silent."""
    run_ = record.start(db, node="gone", app="play", triggered_by="change", live_hash=None)
    assert record.close_abandoned(db, 3600) == 0
    db.execute("UPDATE robbieblocks_deploys SET heartbeat_at = now() - interval '2 minutes'")
    assert record.close_abandoned(db, 60) == 1
    assert not record.heartbeat(db, run_)


def test_damage_is_healed_by_a_thorough_build_alone(
    db: Db, settings: Settings, run: Callable[..., Any]
) -> None:
    """A page, a token file, a stylesheet: what was changed on disk is made again, and only that."""
    run()
    current = settings.site_root / NODE / "play" / "current"
    right = {path: path.read_bytes() for path in current.rglob("*") if path.is_file()}
    asset = next((settings.site_root / NODE / "assets").glob("*.css"))
    kept = asset.read_bytes()
    (current / "tokens.json").chmod(0o644)  # nobody but root writes over it as it is
    (current / "tokens.json").write_bytes(b"{}")
    (current / "play" / "index.html").unlink()
    asset.unlink()
    assert release.verify(SiteRoot(settings.site_root), NODE, "play")
    report = run(unasked=True, repair=True)
    assert report.runs[0].error == ""
    assert release.verify(SiteRoot(settings.site_root), NODE, "play") == ()
    assert asset.read_bytes() == kept
    for path, body in right.items():
        if not path.name.startswith("."):
            assert path.read_bytes() == body


def test_an_idle_look_that_finds_nothing_leaves_no_row(db: Db, run: Callable[..., Any]) -> None:
    """Only what was asked for, or changed something, is recorded."""
    run()
    run(unasked=True)
    run(triggered_by="change")
    assert db.execute("SELECT count(*) FROM robbieblocks_deploys").fetchone() == (2,)


def test_a_row_for_two_apps_is_answered_when_both_are_built(
    db: Db, run: Callable[..., Any]
) -> None:
    """One app's build leaves the row to wait for the other, unless that one was credited."""
    db.execute("UPDATE robbieblocks_components SET component_name = 'Sign'")
    (row,) = ids(db)
    report = run(triggered_by="change")
    assert report.handled == frozenset()
    assert changes.waiting(db, NODE).count == 1
    others = report.node_apps[NODE] - {"play"}
    assert run(triggered_by="change", built_before={row: others}).handled == {row}
    assert changes.waiting(db, NODE).count == 0
