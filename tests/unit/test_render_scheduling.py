"""Which isolate renders which blocks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from threading import Event

import pytest

from robbieblocks.model import Asset, Bundle, Module, RenderedBlock, RenderJob
from robbieblocks.prerender import Prerenderer
from robbieblocks.prerender.isolate import prerenderer
from robbieblocks.prerender.isolate.prerenderer import Batch, RenderScheduler, batches


def _jobs(count: int, components: int) -> list[RenderJob]:
    chance = Random(count)
    return [RenderJob(f"c{chance.randrange(components)}", "{}", f"b{n}-") for n in range(count)]


def _emptied(scheduler: RenderScheduler, isolate: int) -> list[Batch]:
    """What an isolate does if the others do nothing."""
    return [scheduler.take(isolate) for _ in scheduler.batches]


def test_every_job_is_done_once() -> None:
    """However isolates take turns, each job is in one batch, and in order within it."""
    jobs = _jobs(3001, 17)
    scheduler = RenderScheduler(jobs, 3)
    taken = [scheduler.take(turn % 3) for turn, _ in enumerate(scheduler.batches)]
    assert sorted(job for batch in taken for job in batch.jobs) == sorted(jobs)
    place = {job: number for number, job in enumerate(jobs)}
    for batch in taken:
        places = [place[job] for job in batch.jobs]
        assert places == sorted(places)
        assert places[0] == batch.first


def test_isolates_share_the_jobs_and_no_component() -> None:
    """As long as each has batches of its own, no two render the same component."""
    scheduler = RenderScheduler(_jobs(4000, 40), 2)
    turns = [(scheduler.take(0), scheduler.take(1)) for _ in range(len(scheduler.batches) // 2 - 1)]
    first = {job.component for batch, _ in turns for job in batch.jobs}
    second = {job.component for _, batch in turns for job in batch.jobs}
    assert not first & second
    assert len(turns) >= 7


def test_an_isolate_without_work_helps_the_others() -> None:
    """It takes the batches that they would do last."""
    scheduler = RenderScheduler(_jobs(2000, 1), 2)
    done = _emptied(scheduler, 1)
    assert [batch.first for batch in done] == [1750, 1500, 1250, 1000, 750, 500, 250, 0]


def test_batches_come_in_the_order_of_their_first_jobs() -> None:
    """So that whoever waits for the first jobs waits for the first batches."""
    firsts = [batch.first for batch in RenderScheduler(_jobs(5000, 30), 4).batches]
    assert firsts == sorted(firsts)
    assert firsts[0] == 0


def test_a_batch_holds_no_more_than_a_frame_may() -> None:
    """Large props go one by one, and no job is left out."""
    large = [RenderJob("it", "x" * (5 << 20), f"b{n}-") for n in range(3)]
    assert [len(batch.jobs) for batch in batches(large)] == [1, 1, 1]
    assert list(batches([])) == []


class _Client:
    """Stands for an isolate; all but the first are starting until they are stopped."""

    def __init__(self, clients: list[_Client]) -> None:
        self._is_first = not clients
        self._was_stopped = Event()
        self.open_now = False

    def start(self) -> None:
        self.open_now = True

    def open(self, _react_script: str) -> None:
        if not self._is_first:
            self._was_stopped.wait()

    def render(self, jobs: Sequence[RenderJob], *_rest: object) -> list[RenderedBlock]:
        return [RenderedBlock(html="x", interactive=False) for _ in jobs]

    def stop(self) -> None:
        self._was_stopped.set()

    def close(self) -> None:
        self.open_now = False


def test_isolates_that_start_too_late_are_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one isolate has rendered all before another has started, the one stays warm."""
    clients: list[_Client] = []

    def client(**_bounds: float) -> _Client:
        clients.append(_Client(clients))
        return clients[-1]

    monkeypatch.setattr(prerenderer, "IsolateClient", client)
    module = Module(specifier="it", asset=Asset("it.js", b""), script="")
    bundle = Bundle(modules={}, runtime=module, base_stylesheet=module.asset, isolate="react")
    some = Prerenderer(isolates=3)
    assert len(some.render(_jobs(3000, 5), bundle)) == 3000
    some.keep_one()
    assert [each.open_now for each in clients] == [True, False, False]
