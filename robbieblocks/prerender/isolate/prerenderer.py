"""Renders blocks: few of them in one isolate, many in several isolates side by side."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Lock
from typing import Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Bundle, RenderedBlock, RenderJob
from robbieblocks.prerender.isolate.client import IsolateClient

_MIB: Final = 1 << 20
# One isolate renders fewer jobs than these before a second one has started.
_MANY_JOBS: Final = 600
# With more isolates, blocks arrive faster than one process makes pages of them.
_MAX_ISOLATES: Final = 4
# Jobs and characters of props that are sent to an isolate together.
_MAX_BATCH_JOBS: Final = 250
_MAX_BATCH_CHARS: Final = 8 << 20

RenderedBatch = dict[RenderJob, RenderedBlock]
"""Some jobs, each with its block."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Jobs that are sent to an isolate together, and their blocks once they are rendered.

    `first` is the index of the batch's first job among all jobs.
    """

    first: int
    jobs: Sequence[RenderJob]
    rendered: Future[list[RenderedBlock]] = field(default_factory=Future)


class RenderScheduler:
    """Assigns batches of jobs to isolates.

    V8 runs code slowly the first times, and each isolate warms up by itself. So one isolate gets
    all blocks of a component. An isolate that has finished its own batches takes those of others.
    """

    def __init__(self, jobs: Sequence[RenderJob], isolates: int) -> None:
        self._lock = Lock()
        owners = _owners(jobs, isolates)
        indexes: list[list[int]] = [[] for _ in range(isolates)]
        for index, job in enumerate(jobs):
            indexes[owners[job.component]].append(index)
        self._waiting = [deque(_batches(jobs, own)) for own in indexes]
        self.batches = sorted(
            (batch for own in self._waiting for batch in own), key=lambda batch: batch.first
        )

    def take(self, isolate: int) -> Batch:
        """The next batch for an isolate: its own, else the last of the isolate that has most left.

        Call it once for each of `batches`. Threads may call it at the same time.
        """
        with self._lock:
            own = self._waiting[isolate]
            return own.popleft() if own else max(self._waiting, key=len).pop()


class Prerenderer:
    """Renders blocks in isolates of child processes. Keep one: it stays warm between builds.

    `cpu_s` is seconds of CPU time for each block, `heap_bytes` the memory of an isolate. A
    component that loops, takes all memory or crashes the process fails alone; the others are
    rendered. `isolates` is how many may work side by side: by default one for each processor.
    `elsewhere` renders for a visitor with another clock, locale, time zone and randomness, to be
    compared and never to be published.
    """

    def __init__(
        self,
        *,
        cpu_s: float = 2.0,
        heap_bytes: int = 256 * _MIB,
        isolates: int | None = None,
        elsewhere: bool = False,
    ) -> None:
        count = isolates or min(len(os.sched_getaffinity(0)), _MAX_ISOLATES)
        self._isolates = [
            IsolateClient(cpu_s=cpu_s, heap_bytes=heap_bytes, elsewhere=elsewhere)
            for _ in range(count)
        ]
        self._pool: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[int] = SimpleQueue()
        self._pending: list[Future[list[RenderedBlock]]] = []

    def start_all(self) -> None:
        """Start every isolate, for a build that renders many blocks. Raises ProcessFailed.

        Returns at once: the processes start while other work is done. Call `keep_one` afterwards.
        """
        self.start(_MANY_JOBS)

    def start(self, jobs: int, react_script: str = "") -> None:
        """Start the isolates that so many jobs need, while other work is done.

        `react_script` is a bundle's `isolate`. Where it is given, and several isolates are needed,
        they also run it. Call `keep_one` afterwards. Raises ProcessFailed.
        """
        if self._pool is None:
            for isolate in self._isolates[: self._needed(jobs)]:
                isolate.start()
        if react_script and self._needed(jobs) > 1:
            self._opened(react_script)

    def render(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[RenderedBlock]:
        """Each job's block, in order; one that can't be rendered has a `problem` with the line.

        Equal jobs give equal HTML, whatever else is rendered before or beside them. Raises
        ProcessFailed when a child can't be started, or dies for another reason than a component.
        """
        done: RenderedBatch = {}
        for rendered in self.stream(jobs, bundle):
            done |= rendered
        return [done[job] for job in jobs]

    def stream(self, jobs: Sequence[RenderJob], bundle: Bundle) -> Iterator[RenderedBatch]:
        """Blocks in batches, each as soon as it is rendered. Many jobs go on in the background.

        Batches come in the order of their first jobs. Call `keep_one` when no more of them is
        wanted. Raises as `render` does.
        """
        stops: Counter[str] = Counter()
        if self._pool is None and self._needed(len(jobs)) <= 1:
            first = self._isolates[0]
            return (
                _rendered(batch, first.render(batch.jobs, bundle, stops)) for batch in batches(jobs)
            )
        pool = self._opened(bundle.isolate)
        scheduler = RenderScheduler(jobs, len(self._isolates))

        def render_next() -> None:
            number = self._idle.get()
            batch = scheduler.take(number)
            try:
                blocks = self._isolates[number].render(batch.jobs, bundle, stops)
            except BaseException as error:  # noqa: BLE001 - raised where the batch is waited for
                batch.rendered.set_exception(error)
            else:
                batch.rendered.set_result(blocks)
            finally:
                self._idle.put(number)

        for batch in scheduler.batches:
            self._pending.append(batch.rendered)
            pool.submit(render_next)
        return self._in_order(scheduler.batches)

    def keep_one(self) -> None:
        """Stop what is still being rendered, and end all isolates but one, which stays warm."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if not all(future.done() for future in self._pending):
            self._stop(pool)
        # One that is still starting came too late to help, and is not waited for.
        for isolate in self._isolates[1:]:
            isolate.stop()
        pool.shutdown()
        self._pending.clear()
        for isolate in self._isolates[1:]:
            isolate.close()

    def close(self) -> None:
        """End all isolates; the next render starts others."""
        self.keep_one()
        for isolate in self._isolates:
            isolate.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def _needed(self, jobs: int) -> int:
        return len(self._isolates) if jobs >= _MANY_JOBS else min(jobs, 1)

    def _opened(self, react_script: str) -> ThreadPoolExecutor:
        """A thread for each isolate. An isolate is idle once it has run `react_script`."""
        if self._pool is None:
            # Not started by the pool's threads: a child ends with the thread that started it.
            for isolate in self._isolates:
                isolate.start()
            self._pool = ThreadPoolExecutor(len(self._isolates), "prerender")
            self._idle = SimpleQueue()
            for number in range(len(self._isolates)):
                self._pool.submit(self._open, number, react_script)
        return self._pool

    def _open(self, number: int, react_script: str) -> None:
        try:
            if react_script:
                self._isolates[number].open(react_script)
        except ProcessFailed:
            pass  # the next render opens it again, and raises where that fails, too
        finally:
            self._idle.put(number)

    def _in_order(self, scheduled: Sequence[Batch]) -> Iterator[RenderedBatch]:
        try:
            for batch in scheduled:
                yield _rendered(batch, batch.rendered.result())
        except BaseException:
            # Also KeyboardInterrupt and SystemExit: nothing may go on in the background.
            self.keep_one()
            raise

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        for isolate in self._isolates:
            isolate.stop()
        pool.shutdown()
        for future in self._pending:
            future.cancel()
        for isolate in self._isolates:
            isolate.close()


def _rendered(batch: Batch, blocks: Sequence[RenderedBlock]) -> RenderedBatch:
    return dict(zip(batch.jobs, blocks, strict=True))


def batches(jobs: Sequence[RenderJob]) -> Iterator[Batch]:
    """The jobs in order, divided so that no batch has too many jobs or too much text."""
    return _batches(jobs, range(len(jobs)))


def _batches(jobs: Sequence[RenderJob], indexes: Sequence[int]) -> Iterator[Batch]:
    batch: list[RenderJob] = []
    first = chars = 0
    for index in indexes:
        job = jobs[index]
        length = len(job.props_json)
        if batch and (len(batch) >= _MAX_BATCH_JOBS or chars + length > _MAX_BATCH_CHARS):
            yield Batch(first, batch)
            batch, chars = [], 0
        if not batch:
            first = index
        batch.append(job)
        chars += length
    if batch:
        yield Batch(first, batch)


def _owners(jobs: Sequence[RenderJob], isolates: int) -> dict[str, int]:
    """An isolate for each component, so that all isolates have about as many jobs."""
    loads = [0] * isolates
    owners: dict[str, int] = {}
    for component, count in Counter(job.component for job in jobs).most_common():
        owner = owners[component] = loads.index(min(loads))
        loads[owner] += count
    return owners
