"""What is done behind a build: nobody who waits for a page waits for it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Condition, Thread
from typing import Final

from robbieblocks import release
from robbieblocks.errors import Transient
from robbieblocks.pipeline.targets import Target

_SLACK: Final = 2
_REST: Final = 2.0


class Tidying:
    """A thread that makes spares and removes releases that are not kept, while there is any.

    Spares wait until no build was at work for `rest` seconds: an edit seldom comes alone, and the
    next few find releases that this process made itself, and are as quick with those.
    """

    def __init__(self, rest: float = _REST) -> None:
        self._rest = rest
        self._news = Condition()
        self._asked: dict[tuple[Path, Target], bool] = {}
        self._hurry = False
        self._builds = 0
        self._rested_at = 0.0
        self._closing = False
        self._thread: Thread | None = None

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Have nothing begun while a build is at work, nor right after it."""
        with self._news:
            self._builds += 1
        try:
            yield
        finally:
            with self._news:
                self._builds -= 1
                self._rested_at = time.monotonic() + self._rest
                self._news.notify_all()

    def ask(
        self, site_root: Path, targets: Sequence[Target], *, spares: bool, now: bool = False
    ) -> None:
        """Have targets tidied soon; with `spares`, have one ready for each next publish.

        With `now` nobody is waiting: spares are made at once, beside the build that may be at work.
        """
        with self._news:
            self._asked |= {(site_root, target): spares for target in targets}
            self._hurry |= now
            self._news.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="tidy")
                self._thread.start()

    def close(self) -> None:
        """Make no more spares, and wait until all else that was asked for is done."""
        with self._news:
            self._closing = True
            self._news.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while asked := self._next():
            for (site_root, target), spares in asked.items():
                # What can't be done now is done after a later build.
                with suppress(Transient):
                    if spares:
                        self._make_spares(site_root, target)
                with suppress(Transient):
                    release.prune(site_root, target.node, target.app, slack=_SLACK)

    def _make_spares(self, site_root: Path, target: Target) -> None:
        where = site_root, target.node, target.app
        while not self._closing and release.add_spare(*where, hands=release.BESIDE):
            pass
        release.look_through(*where, hands=release.BESIDE, go_on=lambda: not self._closing)
        # Last, for it takes the app's lock: a build that is at work holds that.
        if not self._closing:
            release.make_spare(*where, hands=release.BESIDE)

    def _next(self) -> dict[tuple[Path, Target], bool]:
        """All that was asked for meanwhile; where that is nothing, the thread is over."""
        with self._news:
            while self._must_wait():
                left = self._rested_at - time.monotonic()
                self._news.wait(None if self._builds else left)
            asked, self._asked, self._hurry = self._asked, {}, False
            if not asked:
                self._thread = None
        return asked

    def _must_wait(self) -> bool:
        """Whether spares are asked for that may not be made yet."""
        if self._hurry or self._closing or not any(self._asked.values()):
            return False
        return self._builds > 0 or time.monotonic() < self._rested_at
