"""Rendering blocks: many at once where there are many, each batch in an isolate of its own."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import Bundle, RenderedBlock, RenderJob
from robbieblocks.prerender.isolate import Isolate
from robbieblocks.prerender.shares import Batch, Shares, batches

_MIB: Final = 1 << 20
# Fewer jobs are done before a second isolate is ready.
MANY: Final = 600
# Past this, the process that composes pages is what they wait for.
_MOST_ISOLATES: Final = 4

Part = dict[RenderJob, RenderedBlock]
"""Some jobs and what came of them."""


class Prerenderer:
    """Renders blocks in isolates of child processes; keep one, it stays warm between builds.

    `cpu` is in seconds of CPU time for each block, `heap` in bytes for an isolate. Neither a
    component that loops, nor one that takes all memory or crashes the process, keeps the others
    from being rendered. `isolates` is the most that work side by side: one for each processor.
    """

    def __init__(
        self, *, cpu: float = 2.0, heap: int = 256 * _MIB, isolates: int | None = None
    ) -> None:
        count = min(_processors(), _MOST_ISOLATES) if isolates is None else isolates
        self._all = [Isolate(cpu=cpu, heap=heap) for _ in range(count)]
        self._pool: ThreadPoolExecutor | None = None
        self._free: SimpleQueue[int] = SimpleQueue()
        self._pending: list[Future[Any]] = []

    def start(self, jobs: int, react: str = "") -> None:
        """Have the isolates that so many jobs need started, many of them with React in them (a
        bundle's `isolate`) if it is given, while other work is done. Call `rest` afterwards.

        Raises ProcessFailed.
        """
        if self._pool is None:
            for isolate in self._all[: self._needed(jobs)]:
                isolate.start()
        if react and self._needed(jobs) > 1:
            self._opened(react)

    def render(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[RenderedBlock]:
        """Each job's HTML, in order; what can't be rendered has a `problem` that names the line.

        Equal jobs give equal HTML whatever else is rendered before or beside them. Raises
        ProcessFailed when a child can't be started or dies of itself.
        """
        done: Part = {}
        for part in self.stream(jobs, bundle):
            done |= part
        return [done[job] for job in jobs]

    def stream(self, jobs: Sequence[RenderJob], bundle: Bundle) -> Iterator[Part]:
        """The same in parts, each as soon as it is there; many jobs are worked on meanwhile.

        The parts come in the order of the first job in each. Call `rest` when nothing more is
        wanted of what was asked for.
        """
        stops: Counter[str] = Counter()
        if self._pool is None and self._needed(len(jobs)) <= 1:
            first = self._all[0]
            return (
                _part(batch, first.rendered(batch.jobs, bundle, stops)) for batch in batches(jobs)
            )
        pool = self._opened(bundle.isolate)
        shares = Shares(jobs, len(self._all))

        def work() -> None:
            number = self._free.get()
            batch = shares.take(number)
            try:
                rendered = self._all[number].rendered(batch.jobs, bundle, stops)
            except BaseException as error:  # noqa: BLE001 - told to who waits for it
                batch.rendered.set_exception(error)
            else:
                batch.rendered.set_result(rendered)
            finally:
                self._free.put(number)

        for batch in shares.batches:
            self._pending.append(batch.rendered)
            pool.submit(work)
        return self._collected(shares.batches)

    def rest(self) -> None:
        """Keep one warm isolate and let the others go; what is still being rendered is stopped."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if not all(future.done() for future in self._pending):
            self._stop(pool)
        pool.shutdown()
        self._pending.clear()
        for isolate in self._all[1:]:
            isolate.close()

    def close(self) -> None:
        """End the children; the next render starts others."""
        self.rest()
        for isolate in self._all:
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
        return len(self._all) if jobs >= MANY else min(jobs, 1)

    def _opened(self, react: str) -> ThreadPoolExecutor:
        """Threads for all isolates, which are free for work once they have React in them."""
        if self._pool is None:
            # Here and not by the threads: a child ends with the thread that started it.
            for isolate in self._all:
                isolate.start()
            self._pool = ThreadPoolExecutor(len(self._all), "prerender")
            self._free = SimpleQueue()
            for number in range(len(self._all)):
                self._pending.append(self._pool.submit(self._open, number, react))
        return self._pool

    def _open(self, number: int, react: str) -> None:
        try:
            if react:
                self._all[number].open(react)
        except ProcessFailed:
            pass  # whoever renders tries again, and tells why it fails
        finally:
            self._free.put(number)

    def _collected(self, asked: Sequence[Batch]) -> Iterator[Part]:
        try:
            for batch in asked:
                yield _part(batch, batch.rendered.result())
        except BaseException:
            # Also when the process is told to stop: nothing of it may go on in the background.
            self.rest()
            raise

    def _stop(self, pool: ThreadPoolExecutor) -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        for isolate in self._all:
            isolate.stop()
        pool.shutdown()
        for future in self._pending:
            future.cancel()
        for isolate in self._all:
            isolate.close()


def _part(batch: Batch, rendered: Sequence[RenderedBlock]) -> Part:
    return dict(zip(batch.jobs, rendered, strict=True))


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
