"""The loop: clear, look, build, wait; and what it does when the world fails."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from robbieblocks.changes import Waiting
from robbieblocks.errors import (
    DatabaseUnavailable,
    ProcessFailed,
    RobbieBlocksError,
    SchemaIncomplete,
    SchemaOutdated,
)
from robbieblocks.worker.agenda import Agenda
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.health import Health
from robbieblocks.worker.loop import Loop
from robbieblocks.worker.timing import Timing
from tests.worker_doubles import MemoryWorld, RecordingEvent, RecordingLog

TIMING = Timing(
    quiet_s=0.0,
    max_wait_s=0.0,
    retry_first_s=0.0,
    poll_interval_s=100.0,
    reconcile_interval_s=10_000.0,
)


@dataclass
class Bench:
    """A loop over a world in memory."""

    world: MemoryWorld
    wake: RecordingEvent = field(default_factory=RecordingEvent)
    log: RecordingLog = field(default_factory=RecordingLog)
    now: float = 100.0
    wall: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __post_init__(self) -> None:
        self.liveness = Liveness(live=True)
        self.loop = Loop(
            database=self.world,
            builder=self.world,
            agenda=Agenda(timing=TIMING, jitter=lambda: 0.5),
            health=Health(node="n", timing=TIMING, liveness=self.liveness),
            log=self.log,
            wake=self.wake,
            stopped=threading.Event(),
            monotonic=self.clock,
            today=lambda: self.wall,
        )

    def clock(self) -> float:
        self.now += 0.001
        return self.now

    def settle(self) -> None:
        """Go round until the loop would wait."""
        waited = len(self.wake.waited)
        for _ in range(200):
            self.loop.run_once()
            if len(self.wake.waited) > waited:
                return
        pytest.fail("the loop never comes to rest")


@pytest.fixture
def bench() -> Bench:
    made = Bench(MemoryWorld(apps={"play": 1, "work": 1, "shared": 1}))
    made.settle()
    made.world.jobs.clear()
    made.world.calls.clear()
    made.wake.calls.clear()
    made.wake.waited.clear()
    return made


def test_at_the_start_everything_becomes_live() -> None:
    """Without any row or notification, the first turns make live what should be."""
    made = Bench(MemoryWorld(apps={"play": 7, "shared": 2}))
    made.settle()
    assert made.world.live == made.world.apps
    assert made.loop.health.reconciled
    assert made.loop.health.unready == ""


def test_a_schema_that_is_not_whole_is_no_failure_of_an_app(bench: Bench) -> None:
    """A worker whose build finds it, or that comes to it, is not ready and says why; then all apps
    are examined."""
    bench.world.edit("play")
    bench.world.errors["build"] = [SchemaIncomplete("trigger x is missing")]
    bench.world.errors["check_schema"] = [SchemaIncomplete("trigger y is missing")]
    for why in ("unreachable: trigger x is missing", "unreachable: trigger y is missing"):
        bench.loop.run_once()
        assert bench.loop.health.unready == why
        assert bench.loop.health.retrying == ()
    bench.settle()
    assert bench.loop.health.unready == ""
    assert {app for job in bench.world.jobs for app in job.apps} == {"play", "work", "shared"}


def test_wake_is_cleared_before_the_queue_is_read(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit that is committed while the queue is read, and was not seen, wakes the loop again."""
    looked = bench.world.read_queue

    def look(known: Any) -> Waiting:
        found = looked(known)
        if not bench.world.rows and bench.world.apps["play"] == 1:
            bench.world.edit("play")
            bench.wake.set()
        return found

    monkeypatch.setattr(bench.world, "read_queue", look)
    bench.loop.run_once()
    assert bench.wake.calls[:2] == ["clear", "wait"]
    assert bench.wake.waited == []
    bench.loop.run_once()
    assert bench.world.live["play"] == 2


def test_what_no_node_is_left_to_handle_is_marked_at_a_poll_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A poll that finds nothing to build marks it; a notification costs nothing for it."""
    bench.settle()
    bench.settle()
    assert bench.world.calls.count("mark_processed") == 2
    bench.world.calls.clear()
    wait = bench.wake.wait

    def notified(timeout: float | None = None) -> bool:
        return wait(timeout) or True

    monkeypatch.setattr(bench.wake, "wait", notified)
    bench.settle()
    bench.world.calls.clear()
    bench.settle()
    assert "read_queue" in bench.world.calls
    assert "mark_processed" not in bench.world.calls


def test_a_lost_notification_costs_at_most_the_poll_interval(bench: Bench) -> None:
    """Without any notification the loop reads the queue again after the poll interval."""
    bench.settle()
    assert 0.8 * TIMING.poll_interval_s <= bench.wake.waited[-1] <= 1.2 * TIMING.poll_interval_s
    bench.world.edit("play")
    bench.settle()
    assert bench.world.live["play"] == 2


def test_without_a_live_listener_it_polls_more_often(bench: Bench) -> None:
    """While notifications don't arrive, the short poll interval is used."""
    bench.liveness.live = False
    bench.settle()
    assert bench.wake.waited[-1] <= 1.2 * TIMING.poll_without_listener_s


def test_an_edit_during_a_build_causes_exactly_one_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten edits while the build runs are one build afterwards, and nothing is left over."""
    bench.world.edit("play")
    build = bench.world.build

    def busy(job: Any, partial: Any) -> Any:
        made = build(job, partial)
        if len(bench.world.jobs) == 1:
            for _ in range(10):
                bench.world.edit("play")
        return made

    monkeypatch.setattr(bench.world, "build", busy)
    bench.settle()
    assert len(bench.world.jobs) == 2
    assert bench.world.live["play"] == bench.world.apps["play"]
    assert bench.world.rows == {}


def test_a_lost_database_is_waited_out_and_nothing_is_forgotten(bench: Bench) -> None:
    """However often the connection breaks, in a look or in a build, the edit goes out."""
    gone: list[RobbieBlocksError] = [DatabaseUnavailable("gone") for _ in range(5)]
    bench.world.errors = {"read_queue": gone[:1], "connect": gone[1:4], "build": gone[4:]}
    bench.world.edit("play")
    for _ in range(10):
        bench.settle()
    assert bench.world.live["play"] == 2
    assert bench.world.rows == {}
    assert bench.loop.health.state == "active"
    assert bench.world.calls.count("disconnect") >= 2


def test_what_failed_is_the_reason_until_it_is_built(bench: Bench) -> None:
    """Readiness says of an app that is tried again what its build failed with."""
    bench.world.edit("play")
    bench.world.errors = {"build": [ProcessFailed("no room: make some")]}
    bench.loop.run_once()
    assert "no room: make some" in bench.loop.health.unready
    bench.settle()
    assert bench.world.live["play"] == 2
    assert bench.loop.health.findings == ()


def test_no_number_of_failed_connects_ends_the_loop(bench: Bench) -> None:
    """A server that is away for a night is back in the morning, and so is the worker."""
    bench.settle()
    gone: list[RobbieBlocksError] = [DatabaseUnavailable("gone") for _ in range(1000)]
    bench.world.errors = {"read_queue": gone[:1], "connect": gone[1:]}
    bench.world.edit("play")
    bench.settle()
    bench.settle()
    assert bench.world.errors["connect"] == []
    assert bench.world.live["play"] == bench.world.apps["play"]


def test_nothing_is_begun_after_the_signal(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due when it is told to stop waits for the next start; the running build ends."""
    bench.settle()
    build = bench.world.build

    def told_meanwhile(*given: Any) -> Any:
        bench.world.edit("work")
        bench.loop.stopped.set()
        return build(*given)

    monkeypatch.setattr(bench.world, "build", told_meanwhile)
    bench.world.edit("play")
    done = len(bench.world.jobs)
    bench.loop.run()
    assert [job.apps for job in bench.world.jobs[done:]] == [("play",)]
    assert bench.loop.health.state == "stopping"


def test_after_an_absence_everything_is_examined(bench: Bench) -> None:
    """Once the database is back, every app is compared again, whatever rows there are."""
    bench.world.errors = {"read_queue": [DatabaseUnavailable("gone")]}
    bench.world.apps["work"] = 5
    for _ in range(3):
        bench.settle()
    assert bench.world.live["work"] == 5


def test_infrastructure_errors_are_tried_again_alone(bench: Bench) -> None:
    """An app whose child process died is built again; the other app of the row went out at once."""
    bench.world.errors = {"build play": [ProcessFailed("esbuild died")] * 2}
    bench.world.edit("play", "work")
    for _ in range(6):
        bench.settle()
    assert bench.world.live == bench.world.apps
    assert bench.world.rows == {}
    assert [job.apps for job in bench.world.jobs] == [("play", "work"), ("play",), ("play",)]


def test_an_error_of_ours_stops_neither_the_loop_nor_other_apps(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in a build is logged with its trace and tried again like any failure."""
    build = bench.world.build
    bugs = [ZeroDivisionError("oops")]

    def buggy(job: Any, partial: Any) -> Any:
        if bugs:
            raise bugs.pop()
        return build(job, partial)

    monkeypatch.setattr(bench.world, "build", buggy)
    bench.world.edit("play")
    for _ in range(3):
        bench.settle()
    assert bench.world.live["play"] == 2
    assert bench.log.named("build.broken")


@pytest.mark.parametrize("call", ["read_queue", "is_leader", "build"])
def test_no_error_ends_the_loop(bench: Bench, call: str) -> None:
    """Even what trying again can't mend only makes the worker wait and look again."""
    errors: list[Exception] = [SchemaOutdated("no such table"), PermissionError(13, "no")]
    bench.world.errors = {call: errors}
    bench.world.edit("play")
    for _ in range(10):
        bench.settle()
    assert bench.world.live["play"] == 2


def test_a_standby_builds_nothing_and_takes_over(bench: Bench) -> None:
    """While another has the node nothing is built; when it is gone everything is examined."""
    bench.world.leader = False
    bench.world.edit("play")
    bench.settle()
    assert bench.world.jobs == []
    assert bench.loop.health.state == "standby"
    assert bench.wake.waited[-1] <= 1.2 * TIMING.poll_without_listener_s
    bench.world.leader = True
    bench.settle()
    assert bench.world.live["play"] == 2
    assert {job.apps for job in bench.world.jobs} >= {("work",), ("shared",)}


def test_a_node_without_branding_waits_for_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that is taken out of branding idles, and works again when it is back."""

    def nobody(known: Any) -> Waiting:
        assert not known
        return Waiting(apps=None)

    monkeypatch.setattr(bench.world, "read_queue", nobody)
    bench.world.edit("play")
    bench.settle()
    assert bench.loop.health.state == "unknown node"
    assert bench.world.jobs == []
    monkeypatch.undo()
    bench.settle()
    assert bench.world.live["play"] == 2


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps_loses_no_change(bench: Bench, hours: int) -> None:
    """Set back or forward by hours, the loop waits as long as before and builds what is edited."""
    bench.settle()
    bench.wall += timedelta(hours=hours)
    bench.world.edit("play", at=bench.wall)
    bench.settle()
    assert bench.world.live["play"] == bench.world.apps["play"]
    assert bench.world.rows == {}
    # Rows of before the jump seem to lie in the future, or long ago: they go out all the same.
    bench.world.edit("work", at=bench.wall - timedelta(hours=2 * hours))
    bench.settle()
    assert bench.world.live["work"] == bench.world.apps["work"]
    assert bench.world.rows == {}
    assert 0 < bench.wake.waited[-1] <= 1.2 * TIMING.poll_interval_s
    assert not bench.loop.health.stuck


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_boundary_is_met_by_the_clock_as_it_is_within_a_poll(bench: Bench, hours: int) -> None:
    """A scheduled instant follows the wall: passed over by a jump it is built at the next look,
    put off by one it is waited for again."""
    due = bench.wall + timedelta(hours=1)
    bench.world.boundaries = {"play": due}
    bench.world.edit("play")
    for _ in range(3):
        bench.settle()
    bench.world.boundaries = {}
    done = len(bench.world.jobs)
    bench.wall += timedelta(hours=hours)
    bench.settle()
    scheduled = [job.apps for job in bench.world.jobs[done:] if job.reason == "schedule"]
    assert scheduled == ([("play",)] if hours > 0 else [])
    # However far off it seems, the loop looks again after a poll, and finds the clock put right.
    assert bench.wake.waited[-1] <= 1.2 * TIMING.poll_interval_s
    bench.wall = due
    bench.settle()
    scheduled = [job.apps for job in bench.world.jobs[done:] if job.reason == "schedule"]
    assert scheduled == [("play",)]


def test_a_state_is_said_once(bench: Bench) -> None:
    """A month without database does not fill the log."""
    bench.world.errors = {"is_leader": [SchemaOutdated("no such table")] * 50}
    for _ in range(50):
        bench.settle()
    assert len(bench.log.named("worker.state")) <= 2
