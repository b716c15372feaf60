"""Rendered blocks by job: those that are there, and those that are still on their way."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.model import RenderedBlock, RenderJob

Coming = Iterator[Mapping[RenderJob, RenderedBlock]]
"""Blocks in parts: taking the next part waits for it."""


@dataclass(slots=True, kw_only=True)
class Blocks:
    """What an app's jobs gave. Asking for one that is on its way waits for it, in `waiting`.

    The others are rendered meanwhile, so pages are composed beside the rendering.
    """

    waiting: Callable[[], AbstractContextManager[None]]
    _there: dict[RenderJob, RenderedBlock] = field(default_factory=dict)
    _expected: set[RenderJob] = field(default_factory=set)
    _coming: Coming = field(default_factory=lambda: iter(()))
    _failure: RobbieBlocksError | None = None

    def __contains__(self, job: object) -> bool:
        return job in self._there or job in self._expected

    def __getitem__(self, job: RenderJob) -> RenderedBlock:
        """Raises KeyError for a job that nobody expects, and ProcessFailed as rendering does."""
        while (known := self._there.get(job)) is None:
            self._take()
        return known

    def add(self, there: Mapping[RenderJob, RenderedBlock]) -> None:
        """Take up blocks that are there."""
        self._there.update(there)

    def expect(self, jobs: Iterable[RenderJob], coming: Coming) -> None:
        """Take up jobs whose blocks come later."""
        self._expected.update(jobs)
        self._coming = itertools.chain(self._coming, coming)

    def _take(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            with self.waiting():
                self._there.update(next(self._coming))
        except StopIteration:
            raise KeyError("nothing is on its way") from None
        except RobbieBlocksError as error:
            self._failure = error
            raise
