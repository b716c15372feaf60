"""Who renders what: jobs in batches, each isolate's own components first."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from robbieblocks.model import RenderedBlock, RenderJob

_LONGEST: Final = 250
_LARGEST: Final = 8 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Jobs that are rendered in one go, and what comes of them. `first` is the place of the first
    among all jobs.
    """

    first: int
    jobs: Sequence[RenderJob]
    rendered: Future[list[RenderedBlock]] = field(default_factory=Future)


class Shares:
    """Batches by isolate.

    V8 is slow with code that it has seldom run, and each isolate has to learn for itself: so one
    gets all blocks of a component, as long as there is something to do for the others.
    """

    def __init__(self, jobs: Sequence[RenderJob], isolates: int) -> None:
        self._lock = Lock()
        owners = _owners(jobs, isolates)
        places: list[list[int]] = [[] for _ in range(isolates)]
        for place, job in enumerate(jobs):
            places[owners[job.component]].append(place)
        self._waiting = [deque(_batches(jobs, own)) for own in places]
        self.batches = sorted(
            (batch for own in self._waiting for batch in own), key=lambda batch: batch.first
        )

    def take(self, isolate: int) -> Batch:
        """The next batch for an isolate; when its own are done, the last of whoever has most."""
        with self._lock:
            own = self._waiting[isolate]
            return own.popleft() if own else max(self._waiting, key=len).pop()


def batches(jobs: Sequence[RenderJob]) -> Iterator[Batch]:
    """The jobs in order, cut where a batch grows too long or too large for one frame."""
    return _batches(jobs, range(len(jobs)))


def _batches(jobs: Sequence[RenderJob], places: Sequence[int]) -> Iterator[Batch]:
    batch: list[RenderJob] = []
    first = size = 0
    for place in places:
        job = jobs[place]
        length = len(job.props_json)
        if batch and (len(batch) >= _LONGEST or size + length > _LARGEST):
            yield Batch(first, batch)
            batch, size = [], 0
        if not batch:
            first = place
        batch.append(job)
        size += length
    if batch:
        yield Batch(first, batch)


def _owners(jobs: Sequence[RenderJob], isolates: int) -> dict[str, int]:
    """An isolate for each component, so that all have about as many jobs."""
    loads = [0] * isolates
    owners: dict[str, int] = {}
    for component, count in Counter(job.component for job in jobs).most_common():
        owner = owners[component] = loads.index(min(loads))
        loads[owner] += count
    return owners
