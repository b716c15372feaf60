"""Which isolate renders which blocks: jobs in batches, each component in an isolate of its own."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from robbieblocks.model import RenderedBlock, RenderJob

_MAX_BATCH_JOBS: Final = 250
_MAX_BATCH_CHARS: Final = 8 << 20


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
