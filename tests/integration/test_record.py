"""The deploys rows: begun before the work, ended once, closed for the dead."""
# ruff: noqa: E501  # a statement reads best on one line

from __future__ import annotations

import os
import signal
from collections.abc import Collection, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from robbieblocks import record
from robbieblocks.database import sessions
from robbieblocks.database.sessions import lock_key
from robbieblocks.errors import DatabaseUnavailable, Permanent
from robbieblocks.record import Leases, RunEnd
from tests.integration.rows import Db, one

pytestmark = pytest.mark.postgres

NODE, APP = "vengeance-local", "play"


@pytest.fixture
def db(database: str) -> Iterator[Db]:
    """A connection to a database without runs."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def peer(database: str) -> Iterator[Db]:
    """Another session."""
    with psycopg.connect(database, autocommit=True) as connection:
        yield connection


@pytest.fixture
def leases() -> Leases:
    """The leases of this process."""
    return Leases()


def begun(db: Db, app: str = APP, live_hash: str | None = None) -> UUID:
    return record.start(db, node=NODE, app=app, triggered_by="cli", live_hash=live_hash)


def row(db: Db, run: UUID) -> dict[str, Any]:
    with db.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(
            "SELECT * FROM robbieblocks_deploys WHERE id = %s", (run,)
        ).fetchone()
    assert found is not None
    return found


def test_start(db: Db) -> None:
    """A run that has begun is a row in state building, with the live hash, its process and why it runs."""
    trigger = uuid4()
    run = record.start(
        db,
        node=NODE,
        app=APP,
        triggered_by="trigger",
        live_hash="a" * 64,
        trigger_ids=[trigger],
    )
    found = row(db, run)
    assert found["deploy_status"] == "building"
    assert (found["node_id"], found["app_namespace"], found["triggered_by"]) == (
        NODE,
        APP,
        "trigger",
    )
    assert found["build_hash"] == "a" * 64
    assert found["incarnation"] == record.PROCESS_ID
    assert found["worker"]
    assert found["trigger_ids"] == [trigger]
    assert found["heartbeat_at"] >= found["started_at"]
    assert found["completed_at"] is None


def test_a_trigger_of_the_owners_is_named(db: Db) -> None:
    """Where it fails, and not the schema; and a row that it drops is no run that was taken for dead."""
    body = "CREATE OR REPLACE FUNCTION theirs() RETURNS trigger LANGUAGE plpgsql AS $$ {} $$"
    db.execute(body.format("BEGIN PERFORM 1 FROM nowhere; RETURN NEW; END").encode())
    db.execute(
        "CREATE TRIGGER theirs BEFORE INSERT ON robbieblocks_deploys"
        " FOR EACH ROW EXECUTE FUNCTION theirs()"
    )
    with pytest.raises(Permanent, match=r"does not exist, in the function theirs, line 1"):
        begun(db)
    db.execute(body.format("BEGIN RETURN NULL; END").encode())
    with pytest.raises(Permanent, match="the row is dropped as it is written"):
        begun(db)


def test_nothing_live(db: Db) -> None:
    """Before an app's first release the hash is `none`, for the column takes no null."""
    assert row(db, begun(db))["build_hash"] == record.NOTHING_LIVE == "none"


def test_phase_and_heartbeats(db: Db) -> None:
    """A phase moves a run on, and both it and heartbeats note that the run is alive."""
    run = begun(db)
    first = row(db, run)["heartbeat_at"]
    assert record.phase(db, run, "deploying")
    second = row(db, run)
    assert second["deploy_status"] == "deploying"
    assert second["heartbeat_at"] > first
    assert record.heartbeats(db) == 1
    assert row(db, run)["heartbeat_at"] > second["heartbeat_at"]
    assert row(db, run)["deploy_status"] == "deploying"


def test_finish(db: Db) -> None:
    """An ended run has its outcome, hash, durations, counts and log."""
    run = begun(db)
    assert record.finish(
        db,
        run,
        RunEnd(
            status="success",
            build_hash="b" * 64,
            build_ms=12,
            deploy_ms=3,
            pages=4,
            components=5,
            log="built",
        ),
    )
    found = row(db, run)
    assert (found["deploy_status"], found["build_hash"], found["build_log"]) == (
        "success",
        "b" * 64,
        "built",
    )
    assert (found["build_duration_ms"], found["deploy_duration_ms"]) == (12, 3)
    assert (found["pages_count"], found["components_count"]) == (4, 5)
    assert found["completed_at"] >= found["started_at"]
    assert found["error_message"] is None


def test_failure_keeps_the_live_hash(db: Db) -> None:
    """A failed run without a hash of its own names what was live."""
    run = begun(db, live_hash="c" * 64)
    record.finish(db, run, RunEnd(status="failed", error="esbuild is missing"))
    found = row(db, run)
    assert (found["deploy_status"], found["build_hash"], found["error_message"]) == (
        "failed",
        "c" * 64,
        "esbuild is missing",
    )


def test_ended_once(db: Db) -> None:
    """What ended a run stands: later phases, heartbeats and ends change nothing and say so."""
    run = begun(db)
    record.finish(db, run, RunEnd(status="failed", error="first"))
    assert not record.finish(db, run, RunEnd(status="success", build_hash="d" * 64))
    assert not record.phase(db, run, "deploying")
    assert record.heartbeats(db) == 0
    assert not record.finish(db, uuid4(), RunEnd(status="success"))
    assert (row(db, run)["deploy_status"], row(db, run)["error_message"]) == ("failed", "first")


def test_what_postgres_can_not_store(db: Db) -> None:
    """NUL, lone surrogates, endless logs and impossible durations don't keep a run from ending."""
    run = begun(db)
    record.finish(
        db,
        run,
        RunEnd(
            status="failed",
            error="a\0b\ud800c",
            log="x" * 3_000_000 + "end",
            build_ms=-5,
            deploy_ms=10**12,
        ),
    )
    found = row(db, run)
    assert found["error_message"] == "a\\x00b\\ud800c"
    assert len(found["build_log"]) < 1_000_100
    assert found["build_log"].endswith("end")
    assert "2000003 characters left out" in found["build_log"]
    assert (found["build_duration_ms"], found["deploy_duration_ms"]) == (0, 2**31 - 1)


def test_close_dead(db: Db, leases: Leases) -> None:
    """Runs of a process that is gone are closed as failed, with what is known; others are left."""
    dead, other_app = begun(db), begun(db, app="work")
    ended = begun(db)
    record.finish(db, ended, RunEnd(status="success"))
    with leases.hold(db, NODE, APP) as held:
        assert held
        assert record.close_dead(db, NODE, APP) == 1
        assert held.held
        held.check()
    found = row(db, dead)
    assert found["deploy_status"] == "failed"
    assert found["worker"] in found["error_message"]
    assert found["completed_at"] is not None
    assert row(db, other_app)["deploy_status"] == "building"
    assert row(db, ended)["deploy_status"] == "success"


def test_close_dead_of_an_earlier_version(db: Db) -> None:
    """An unfinished row without worker or heartbeat is closed too."""
    db.execute(
        "INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, triggered_by) VALUES (%s, %s, 'x', 'manual')",
        (NODE, APP),
    )
    assert record.close_dead(db, NODE, APP) == 1
    (message,) = db.execute("SELECT error_message FROM robbieblocks_deploys").fetchone() or ("",)
    assert "worker unknown" in message


def test_one_lease(db: Db, peer: Db, leases: Leases) -> None:
    """A node's app has one lease; another app's is another; it is free again afterwards."""
    with leases.hold(db, NODE, APP) as held, leases.hold(peer, NODE, APP) as refused:
        assert held
        assert not refused
        with (
            leases.hold(peer, NODE, "work") as other,
            leases.hold(peer, "fluenti-local", APP) as elsewhere,
        ):
            assert other
            assert elsewhere
    with leases.hold(peer, NODE, APP) as free:
        assert free


def test_fence(db: Db, peer: Db, leases: Leases) -> None:
    """The check before the swap passes while the lease is held, and fails once it is not."""
    with leases.hold(db, NODE, APP) as held:
        held.check()
        db.execute("SELECT pg_advisory_unlock_all()")
        with leases.hold(peer, NODE, APP), pytest.raises(DatabaseUnavailable, match="was lost"):
            held.check()
    with (
        leases.hold(db, NODE, APP),
        leases.hold(peer, NODE, APP) as refused,
        pytest.raises(DatabaseUnavailable),
    ):
        refused.check()


def test_fence_of_a_terminated_session(db: Db, database: str, leases: Leases) -> None:
    """A session that the server ended has lost its lease, and leaving it hides no other error."""
    ended = psycopg.connect(database, autocommit=True)
    with leases.hold(ended, NODE, APP) as held:
        db.execute("SELECT pg_terminate_backend(%s, 5000)", (ended.info.backend_pid,))
        with pytest.raises(DatabaseUnavailable, match="check the lease"):
            held.check()
    with leases.hold(db, NODE, APP) as free:
        assert free


def test_close_abandoned(db: Db, peer: Db, leases: Leases) -> None:
    """Runs of any node that are silent, and whose lease is free, are closed; others are left."""
    silent, elsewhere, alive = begun(db), begun(db, app="work"), begun(db, app="code")
    db.execute(
        "UPDATE robbieblocks_deploys SET heartbeat_at = now() - interval '1 hour' WHERE app_namespace <> 'code'"
    )
    with leases.hold(peer, NODE, "work"):
        assert record.close_abandoned(db, 60) == 1
    assert row(db, silent)["deploy_status"] == "failed"
    assert row(db, elsewhere)["deploy_status"] == "building"
    assert row(db, alive)["deploy_status"] == "building"
    assert record.heartbeats(db) == 2
    assert record.close_abandoned(db, 60) == 0


def test_a_lease_that_a_lost_session_keeps_counts_as_ours(
    db: Db, peer: Db, database: str, leases: Leases
) -> None:
    """Only where the session was this process's own, and only once its connection is gone."""
    with psycopg.connect(database, autocommit=True) as stranger:
        stranger.execute(
            "SELECT pg_advisory_lock(%s)", [lock_key("robbieblocks lease", NODE, "work")]
        )
        with leases.hold(db, NODE, "work") as strange:
            assert not strange
    held = leases.hold(peer, NODE, APP)
    with held:
        with leases.hold(db, NODE, APP) as second:
            assert not second, "the first is still connected"
        pid = peer.info.backend_pid
        os.kill(pid, signal.SIGSTOP)
        try:
            peer.close()
            with leases.hold(db, NODE, APP) as ours:
                assert ours
                ours.check()
        finally:
            os.kill(pid, signal.SIGCONT)


def test_database_gone(db: Db) -> None:
    """Without a connection every step says what could not be recorded."""
    run = begun(db)
    db.close()
    with pytest.raises(DatabaseUnavailable, match="record the end of run"):
        record.finish(db, run, RunEnd(status="success"))
    with pytest.raises(DatabaseUnavailable, match="the start of a run of play on vengeance-local"):
        begun(db)


def test_a_lease_that_becomes_free_is_waited_for(
    db: Db, peer: Db, leases: Leases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever gives time for it gets a lease that is given back meanwhile."""
    key = lock_key("robbieblocks lease", NODE, APP)
    assert sessions.take(peer, key)
    monkeypatch.setattr(
        "robbieblocks.record.leases.time.sleep", lambda _: sessions.release(peer, key)
    )
    with leases.hold(db, NODE, APP) as lease:
        assert not lease
    with leases.hold(db, NODE, APP, wait_s=600) as lease:
        lease.check()


def test_a_session_that_another_build_noted_is_ended(db: Db, peer: Db, tmp_path: Path) -> None:
    """Its build is over, for who holds the app's file lock says so; the lease is the caller's."""
    left_over = Leases().hold(peer, NODE, APP, folder=tmp_path)
    assert left_over.__enter__()
    with Leases().hold(db, NODE, APP, folder=tmp_path, wait_s=600) as lease:
        lease.check()
    with pytest.raises(psycopg.OperationalError):
        peer.execute("SELECT 1")


@pytest.mark.parametrize("note", ["", "1 2 3", "x y", "1 1.5", "\0"])
def test_a_session_that_nobody_noted_keeps_its_lease(
    db: Db, peer: Db, leases: Leases, tmp_path: Path, note: str
) -> None:
    """Another machine's build goes on, whatever stands in the note of this one."""
    (tmp_path / ".lease").write_text(note)
    with Leases().hold(peer, NODE, APP) as theirs:
        with leases.hold(db, NODE, APP, folder=tmp_path) as lease:
            assert not lease
        theirs.check()


def test_a_note_that_is_a_link_is_not_followed(db: Db, leases: Leases, tmp_path: Path) -> None:
    """What somebody put in its place is not written over; the lease is taken all the same."""
    (tmp_path / "other").write_text("kept")
    (tmp_path / ".lease").symlink_to("other")
    with leases.hold(db, NODE, APP, folder=tmp_path) as lease:
        assert lease
    assert (tmp_path / "other").read_text() == "kept"


# --- the history -----------------------------------------------------------------------------


def history(db: Db, app: str, count: int, *, days: int, status: str = "success") -> None:
    """Runs of an app, one a minute, the newest of them `days` old."""
    db.execute(
        "INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, deploy_status, triggered_by, started_at)"
        " SELECT %s, %s, %s || n, %s, 'cli', now() - make_interval(days => %s, mins => n) FROM generate_series(0, %s) n",
        (NODE, app, status[0], status, days, count - 1),
    )


def hashes(db: Db, app: str) -> list[str]:
    """The hashes of an app's runs, newest first."""
    rows = db.execute(
        "SELECT build_hash FROM robbieblocks_deploys WHERE app_namespace = %s ORDER BY started_at DESC",
        (app,),
    )
    return [row[0] for row in rows]


def test_old_runs_go_but_the_last_fifty_of_an_app(db: Db) -> None:
    """Runs of more than 90 days ago go, a bounded number at a time, but the last 50 of each app."""
    history(db, "play", 60, days=91)
    history(db, "work", 60, days=89)
    history(db, "code", 10, days=91)
    assert record.remove_old(db, {}, limit=7) == 7
    assert record.remove_old(db, {}) == 3
    assert record.remove_old(db, {}) == 0
    assert hashes(db, "play") == [f"s{n}" for n in range(50)]
    assert (len(hashes(db, "work")), len(hashes(db, "code"))) == (60, 10)


def test_what_is_live_and_what_runs_keep_their_rows(db: Db) -> None:
    """The last run that published, and one that has not ended, stay however old they are."""
    history(db, "play", 60, days=91, status="failed")
    history(db, "play", 3, days=200)
    history(db, "play", 1, days=300, status="building")
    assert record.remove_old(db, {}) == 12
    assert hashes(db, "play") == [*(f"f{n}" for n in range(50)), "s0", "b0"]
    assert record.latest(db)[NODE, "play"].built == "s0"


def test_runs_since_the_history_is_needed_stay(db: Db) -> None:
    """However old they are, and however many; those of another node's app go."""
    history(db, "play", 70, days=200)
    history(db, "work", 70, days=200)
    sixtieth = datetime.now(UTC) - timedelta(days=200, minutes=59.5)
    assert record.remove_old(db, {(NODE, "play"): sixtieth, ("other", "work"): sixtieth}) == 30
    assert len(hashes(db, "play")) == 60
    assert len(hashes(db, "work")) == 50


def ran(
    db: Db, days_ago: float, build_hash: str, before: str | None = None, by: str = "cli"
) -> None:
    """A run of the play app; with `before` it says what was live before."""
    details = None if before is None else Jsonb({"hash_before": before})
    db.execute(
        "INSERT INTO robbieblocks_deploys (node_id, app_namespace, build_hash, deploy_status, triggered_by, started_at, details)"
        " VALUES (%s, 'play', %s, 'success', %s, now() - %s * interval '1 day', %s)",
        (NODE, build_hash, by, days_ago, details),
    )


def needed_days(db: Db, kept: Collection[str] = (), *, releases: int = 1, days: int = 0) -> float:
    """For how many days the play app's history is needed, to a tenth."""
    found = record.kept_since(db, {(NODE, "play"): kept}, releases=releases, days=days)
    return round((datetime.now(UTC) - found[NODE, "play"]) / timedelta(days=1), 1)


def test_the_history_is_needed_since_the_oldest_release_that_is_kept(db: Db) -> None:
    """By number, by day, and by hash: since the run that brought it last, which is neither one that
    found nothing to do nor a rollback, but where no other is left."""
    assert record.kept_since(db, {(NODE, "play"): ["a"]}, releases=5, days=7) == {}
    ran(db, 100, "a", "none")
    ran(db, 90, "b", "a")
    ran(db, 80, "a", "b")
    ran(db, 70, "a", "a")
    ran(db, 60, "c", "a")
    ran(db, 50, "a", by="rollback")
    ran(db, 40, "d", "a")
    ran(db, 0, "e", "d")
    assert needed_days(db) == 0
    assert needed_days(db, releases=2) == 40
    assert needed_days(db, releases=20) == 100
    assert needed_days(db, days=7) == 40
    assert needed_days(db, ["c", "no such run"]) == 60
    assert needed_days(db, ["a", "c", "d"]) == 80
    ran(db, 0, "f", by="rollback")
    assert needed_days(db, ["f"]) == 0


def test_a_run_that_failed_brought_nothing(db: Db) -> None:
    """It has the hash of what stayed live: the history goes back to the run before it."""
    ran(db, 100, "a", "none")
    ran(db, 50, "a")
    ran(db, 40, "b", "a")
    db.execute("UPDATE robbieblocks_deploys SET deploy_status = 'failed' WHERE details IS NULL")
    assert needed_days(db, ["a"]) == 100


def test_a_release_whose_run_was_killed_after_the_swap_is_needed(db: Db) -> None:
    """The runs that found it live say since when at the least: the first of them counts."""
    for days in (90, 60, 30):
        ran(db, days, "a", "a")
    ran(db, 0, "b", "a")
    assert needed_days(db, ["a"]) == 90


def test_what_another_machine_went_back_to_is_needed(db: Db) -> None:
    """The history tells what is live there, though this machine has no such release."""
    ran(db, 80, "a", "none")
    ran(db, 60, "b", "a")
    ran(db, 50, "a", by="rollback")
    assert needed_days(db) == 80


def test_times_that_python_has_not_are_no_obstacle(db: Db) -> None:
    """Before the year 1 is as long ago as can be said."""
    ran(db, 5, "a", "none")
    db.execute("UPDATE robbieblocks_deploys SET started_at = '-infinity'")
    since = record.kept_since(db, {}, releases=5, days=7)
    assert since[NODE, "play"].year == 1
    assert record.remove_old(db, since) == 0


def test_removing_waits_for_nobody(db: Db, peer: Db) -> None:
    """A row that another session has locked is left to the next time."""
    history(db, "play", 52, days=91)
    with peer.transaction():
        peer.execute("SELECT FROM robbieblocks_deploys WHERE build_hash = 's51' FOR UPDATE")
        assert record.remove_old(db, {}) == 1
    assert record.remove_old(db, {}) == 1


def test_the_latest_run_of_each_app_is_found_without_reading_the_others(db: Db) -> None:
    """Status reads a few rows an app, however long its history and however many runs failed."""
    for app in ("code", "play"):
        history(db, app, 700, days=1, status="failed")
        history(db, app, 700, days=9)
    db.execute("ANALYZE robbieblocks_deploys")
    read: LiteralString = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'robbieblocks_deploys'"
    with db.transaction():
        before = one(db, read)
        found = record.latest(db)
        rows = one(db, read) - before
    assert {key: (run.status, run.built) for key, run in found.items()} == {
        (NODE, "code"): ("failed", "s0"),
        (NODE, "play"): ("failed", "s0"),
    }
    assert rows < 20
