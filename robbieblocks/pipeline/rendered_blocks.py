"""Rendered blocks by job: those that are there, and those that are still being rendered."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.model import RenderedBlock, RenderJob

BlockStream = Iterator[Mapping[RenderJob, RenderedBlock]]
"""Blocks in batches: taking the next batch waits for it."""


@dataclass(slots=True, kw_only=True)
class RenderedBlocks:
    """An app's blocks by job. Looking one up that is being rendered waits for it, inside `waiting`.

    Meanwhile the others are rendered, so that pages are composed while blocks are rendered.
    """

    waiting: Callable[[], AbstractContextManager[None]]
    _there: dict[RenderJob, RenderedBlock] = field(default_factory=dict)
    _expected: set[RenderJob] = field(default_factory=set)
    _stream: BlockStream = field(default_factory=lambda: iter(()))
    _failure: RobbieBlocksError | None = None

    def __contains__(self, job: object) -> bool:
        return job in self._there or job in self._expected

    def __getitem__(self, job: RenderJob) -> RenderedBlock:
        """Raises KeyError for a job that is not expected, and ProcessFailed as rendering does."""
        while (known := self._there.get(job)) is None:
            self._take_batch()
        return known

    def add(self, there: Mapping[RenderJob, RenderedBlock]) -> None:
        """Add blocks that are there."""
        self._there.update(there)

    def expect(self, jobs: Iterable[RenderJob], stream: BlockStream) -> None:
        """Add jobs whose blocks come later."""
        self._expected.update(jobs)
        self._stream = itertools.chain(self._stream, stream)

    def _take_batch(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            with self.waiting():
                self._there.update(next(self._stream))
        except StopIteration:
            raise KeyError("no block is being rendered") from None
        except RobbieBlocksError as error:
            self._failure = error
            raise
