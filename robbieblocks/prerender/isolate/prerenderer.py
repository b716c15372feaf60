"""Renders blocks: few of them in one isolate, many in several isolates side by side."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Bundle, RenderedBlock, RenderJob
from robbieblocks.prerender.isolate.client import IsolateClient
from robbieblocks.prerender.isolate.scheduling import Batch, RenderScheduler, batches

_MIB: Final = 1 << 20
# One isolate renders fewer jobs than these before a second one has started.
_MANY_JOBS: Final = 600
# With more isolates, blocks arrive faster than one process makes pages of them.
_MAX_ISOLATES: Final = 4

RenderedBatch = dict[RenderJob, RenderedBlock]
"""Some jobs, each with its block."""


class Prerenderer:
    """Renders blocks in isolates of child processes. Keep one: it stays warm between builds.

    `cpu_s` is seconds of CPU time for each block, `heap_bytes` the memory of an isolate. A
    component that loops, takes all memory or crashes the process fails alone; the others are
    rendered. `isolates` is how many may work side by side: by default one for each processor.
    """

    def __init__(
        self, *, cpu_s: float = 2.0, heap_bytes: int = 256 * _MIB, isolates: int | None = None
    ) -> None:
        count = min(_processors(), _MAX_ISOLATES) if isolates is None else isolates
        self._isolates = [IsolateClient(cpu_s=cpu_s, heap_bytes=heap_bytes) for _ in range(count)]
        self._pool: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[int] = SimpleQueue()
        self._pending: list[Future[list[RenderedBlock]] | Future[None]] = []

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

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
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
                self._pending.append(self._pool.submit(self._open, number, react_script))
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


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
