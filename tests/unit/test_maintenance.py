"""What is done between builds: everything that was requested, and none of it twice at a time."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from robbieblocks.errors import ProcessFailed, SiteUnavailable
from robbieblocks.pipeline import Target
from robbieblocks.pipeline.maintenance import Maintenance
from robbieblocks.pipeline.rest import Rest
from robbieblocks.release import SiteRoot
from robbieblocks.worker import open_log
from robbieblocks.worker.log import records_logged

ROOT = SiteRoot(Path("/site"))
ONE, OTHER = Target(node="n", app="one"), Target(node="n", app="other")
PATIENCE_S = 20


class Recorder:
    """Notes what is done; for the app `blocked`, that takes until `go_on` is set.

    Preparing raises `error`, if there is one.
    """

    def __init__(self, blocked: str = "", error: Exception | None = None) -> None:
        self.done: list[tuple[str, str]] = []
        self.compressed: list[str] = []
        self.blocked = blocked
        self.error = error
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def maintenance(self, rest_s: float = 0.0) -> Maintenance:
        """A thread that has this done."""
        self.rest = Rest(rest_s)
        return Maintenance(
            self.rest, prepare=self.prepare, prune=self.prune, compress=self.compress
        )

    def prepare(self, _root: SiteRoot, target: Target, _go_on: Callable[[], bool]) -> None:
        """Note it, and raise the error."""
        self._note("prepare", target)
        if self.error is not None:
            raise self.error

    def prune(self, _root: SiteRoot, target: Target) -> None:
        """Note it."""
        self._note("prune", target)

    def compress(self, _root: SiteRoot, target: Target, go_on: Callable[[], bool]) -> None:
        """Note it where it may go on."""
        if go_on():
            self.compressed.append(target.app)
        if self.error is not None:
            raise self.error

    def _note(self, what: str, target: Target) -> None:
        self.done.append((what, target.app))
        if target.app == self.blocked:
            self.begun.set()
            assert self.go_on.wait(PATIENCE_S)


class Waits(threading.Condition):
    """Says when the thread has begun to wait, and keeps for how long it would."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.timeouts_s: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until notified: the time is the test's."""
        self.timeouts_s.append(timeout)
        self.begun.set()
        return super().wait()


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """How the thread waits, by a clock that stands at 100 s."""
    waits = Waits()
    module = "robbieblocks.pipeline.rest"
    monkeypatch.setattr(f"{module}.Condition", lambda: waits)
    monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: 100.0))
    return waits


def test_standby_trees_are_made_where_they_are_wanted() -> None:
    """Before anything is pruned, because a publish may come at once."""
    tasks = Recorder()
    maintenance = tasks.maintenance()
    maintenance.request(ROOT, [ONE], standby=False)
    assert maintenance.wait(PATIENCE_S)
    maintenance.request(ROOT, [OTHER], standby=True)
    assert maintenance.wait(PATIENCE_S)
    assert tasks.done == [("prune", "one"), ("prepare", "other"), ("prune", "other")]


def test_what_is_requested_meanwhile_is_done_once() -> None:
    """However often it is requested."""
    tasks = Recorder(blocked="one")
    maintenance = tasks.maintenance()
    maintenance.request(ROOT, [ONE], standby=False)
    assert tasks.begun.wait(PATIENCE_S)
    for _ in range(5):
        maintenance.request(ROOT, [OTHER, ONE], standby=False)
    tasks.go_on.set()
    assert maintenance.wait(PATIENCE_S)
    assert tasks.done == [("prune", "one"), ("prune", "other"), ("prune", "one")]


def test_standby_trees_wait_until_no_build_runs(waits: Waits) -> None:
    """A build would have to share the machine with them."""
    tasks = Recorder()
    maintenance = tasks.maintenance()
    with tasks.rest.put_off():
        maintenance.request(ROOT, [ONE], standby=True)
        assert waits.begun.wait(PATIENCE_S)
        assert tasks.done == []
    assert maintenance.wait(PATIENCE_S)
    assert waits.timeouts_s == [None]
    assert tasks.done == [("prepare", "one"), ("prune", "one")]


def test_standby_trees_wait_for_a_while_after_a_build(waits: Waits) -> None:
    """The next edit may come, and the wait begins anew."""
    tasks = Recorder()
    maintenance = tasks.maintenance(rest_s=1000)
    with tasks.rest.put_off():
        pass
    maintenance.request(ROOT, [ONE], standby=True)
    assert waits.begun.wait(PATIENCE_S)
    assert waits.timeouts_s == [1000]
    assert tasks.done == []
    maintenance.close()


def test_at_once_standby_trees_are_made_beside_a_build() -> None:
    """As when a worker starts: edits come soon after."""
    tasks = Recorder(blocked="one")
    tasks.go_on.set()
    maintenance = tasks.maintenance(rest_s=1000)
    with tasks.rest.put_off():
        maintenance.request(ROOT, [ONE], standby=True, at_once=True)
        assert tasks.begun.wait(PATIENCE_S)
    maintenance.close()


def test_one_that_is_closed_makes_no_more_standby_trees() -> None:
    """It does not wait for the rest, and prunes."""
    tasks = Recorder()
    maintenance = tasks.maintenance(rest_s=1000)
    with tasks.rest.put_off():
        maintenance.request(ROOT, [ONE], standby=True)
    maintenance.close()
    assert tasks.done == [("prune", "one")]


@pytest.mark.parametrize("error", [SiteUnavailable("the disk is full"), ProcessFailed("it died")])
def test_a_failure_ends_neither_the_rest_nor_the_next(error: Exception) -> None:
    """What can't be done now is done after a later build."""
    tasks = Recorder(error=error)
    maintenance = tasks.maintenance()
    for targets in ([ONE, OTHER], [ONE]):
        maintenance.request(ROOT, targets, standby=True)
        assert maintenance.wait(PATIENCE_S)
    both = [(what, app) for app in ("one", "other", "one") for what in ("prepare", "prune")]
    assert tasks.done == both


def test_a_failure_is_logged_once() -> None:
    """Again where it fails otherwise, or after it went well; one that was stopped is no failure."""
    tasks, stream = Recorder(), io.StringIO()
    maintenance = tasks.maintenance()
    full, gone = SiteUnavailable("the disk is full"), SiteUnavailable("the disk is gone")
    with records_logged(open_log("json", stream)):
        for error in (full, full, None, full, gone):
            tasks.error = error
            maintenance.request(ROOT, [ONE], standby=True)
            assert maintenance.wait(PATIENCE_S)
        tasks.error = ProcessFailed("was told to stop")
        maintenance.close()
        maintenance.request(ROOT, [ONE], standby=True)
        assert maintenance.wait(PATIENCE_S)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert {(line["event"], line["level"]) for line in lines} == {("maintenance.failed", "warning")}
    told = [line["error"] for line in lines if "compressing" in line["error"]]
    assert told == [
        "compressing assets for n/one failed: the disk is full",
        "compressing assets for n/one failed: the disk is full",
        "compressing assets for n/one failed: the disk is gone",
    ]


def test_one_that_was_asked_for_nothing_has_no_thread() -> None:
    """A command that built nothing is over at once: closing waits for nothing."""
    before = threading.active_count()
    maintenance = Recorder().maintenance()
    assert threading.active_count() == before
    maintenance.close()
    assert maintenance.wait(0)


def test_assets_are_compressed_last_and_where_standby_trees_are_wanted() -> None:
    """A command that ends leaves that to a worker."""
    tasks = Recorder()
    maintenance = tasks.maintenance()
    maintenance.request(ROOT, [ONE], standby=False)
    assert maintenance.wait(PATIENCE_S)
    assert tasks.compressed == []
    maintenance.request(ROOT, [ONE, OTHER], standby=True)
    assert maintenance.wait(PATIENCE_S)
    assert tasks.compressed == ["one", "other"]
    assert len(tasks.done) == 5


def test_assets_are_not_compressed_beside_a_build() -> None:
    """Nor while something else is to be done; a build asks anew when it is over."""
    tasks = Recorder(blocked="one")
    maintenance = tasks.maintenance()
    with tasks.rest.put_off():
        maintenance.request(ROOT, [ONE], standby=True, at_once=True)
        assert tasks.begun.wait(PATIENCE_S)
        tasks.go_on.set()
        assert maintenance.wait(PATIENCE_S)
        assert tasks.compressed == []
    maintenance.request(ROOT, [ONE], standby=True)
    assert maintenance.wait(PATIENCE_S)
    assert tasks.compressed == ["one"]


def test_the_cache_is_tidied_after_all_else() -> None:
    """Once for what was requested together, also by a process that ends."""
    done = Recorder()
    tidied: list[int] = []
    maintenance = Maintenance(
        prepare=done.prepare,
        prune=done.prune,
        compress=done.compress,
        tidy=lambda: tidied.append(len(done.done)),
    )
    maintenance.request(ROOT, [ONE, OTHER], standby=False)
    maintenance.close()
    assert tidied == [2]
