"""What is done to releases between builds, in a thread, so that nobody waits for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from threading import Thread
from typing import Final

from robbieblocks import release
from robbieblocks.errors import Transient
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.rest import Rest
from robbieblocks.release import SiteRoot

# A command has no log; the worker's takes these records.
MAINTENANCE_LOGGER: Final = logging.getLogger(__name__)
MAINTENANCE_LOGGER.addHandler(logging.NullHandler())
MAINTENANCE_LOGGER.propagate = False

_SLACK: Final = 2

Prepare = Callable[[SiteRoot, Target, Callable[[], bool]], None]
"""Makes standby trees for a target as long as the function says so. Raises Transient errors."""
Compress = Callable[[SiteRoot, Target, Callable[[], bool]], None]
"""Makes compressed copies of a target's assets as long as the function says so, and raises as
`Prepare` does."""
Prune = Callable[[SiteRoot, Target], None]
"""Removes a target's releases that are not kept. Raises Transient errors."""
Tidy = Callable[[], None]
"""Keeps the cache from growing for ever. Raises nothing."""


def _prepare(site_root: SiteRoot, target: Target, go_on: Callable[[], bool]) -> None:
    release.prepare_standby_trees(site_root, target.node, target.app, go_on=go_on)


def _compress(site_root: SiteRoot, target: Target, go_on: Callable[[], bool]) -> None:
    release.compress_assets(site_root, target.node, target.app, go_on=go_on)


def _leave_untidy() -> None:
    pass


def _prune(site_root: SiteRoot, target: Target) -> None:
    release.prune(site_root, target.node, target.app, slack=_SLACK)


class Maintenance:
    """A thread that makes standby trees, compresses assets and prunes, until nothing is requested.

    Standby trees wait until builds rest: edits often come in series, and those that follow find
    releases which this process made itself, and which are as quick to use.
    Assets are compressed while no build runs, and where standby trees are wanted, too. The cache
    is tidied last.
    """

    def __init__(
        self,
        rest: Rest | None = None,
        prepare: Prepare = _prepare,
        prune: Prune = _prune,
        compress: Compress = _compress,
        tidy: Tidy = _leave_untidy,
    ) -> None:
        self._rest = rest or Rest()
        self._prepare = prepare
        self._prune = prune
        self._compress = compress
        self._tidy = tidy
        self._changed = self._rest.changed
        # By target, whether standby trees are wanted, too.
        self._requested: dict[tuple[SiteRoot, Target], bool] = {}
        self._at_once = False
        # What failed the last time, and why.
        self._failed: dict[tuple[str, SiteRoot, Target], str] = {}
        self._closing = False
        self._thread: Thread | None = None

    def request(
        self,
        site_root: SiteRoot,
        targets: Sequence[Target],
        *,
        standby: bool,
        at_once: bool = False,
    ) -> None:
        """Have targets pruned soon, and with `standby` have standby trees made for them before.

        With `at_once` they are made even while a build runs.
        """
        with self._changed:
            self._requested |= {(site_root, target): standby for target in targets}
            self._at_once |= at_once
            self._changed.notify_all()
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="maintenance")
                self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all that was requested is done; whether it is."""
        with self._changed:
            thread = self._thread
        if thread is None:
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def close(self) -> None:
        """Make no more standby trees, and wait until all else that was requested is done."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self.wait()

    def _run(self) -> None:
        while requested := self._next():
            for (site_root, target), standby in requested.items():
                # What can't be done now is done after a later build.
                if standby and self._may_go_on():
                    with self._told("making standby trees", site_root, target, self._may_go_on):
                        self._prepare(site_root, target, self._may_go_on)
                with self._told("removing old releases", site_root, target):
                    self._prune(site_root, target)
            # Last, since it takes longest: what is pruned and prepared serves the next edit.
            for (site_root, target), standby in requested.items():
                if standby and self._may_compress():
                    with self._told("compressing assets", site_root, target, self._may_compress):
                        self._compress(site_root, target, self._may_compress)
            self._tidy()

    @contextmanager
    def _told(
        self,
        what: str,
        site_root: SiteRoot,
        target: Target,
        go_on: Callable[[], bool] = lambda: True,
    ) -> Generator[None]:
        """Log a failure once, until it goes well or fails otherwise; what was stopped did not."""
        done = (what, site_root, target)
        try:
            yield
        except Transient as error:
            if go_on() and self._failed.get(done) != str(error):
                self._failed[done] = str(error)
                MAINTENANCE_LOGGER.warning(
                    "%s for %s/%s failed: %s", what, target.node, target.app, error
                )
        else:
            self._failed.pop(done, None)

    def _may_go_on(self) -> bool:
        return not self._closing

    def _may_compress(self) -> bool:
        """Whether nothing else is to be done; what is left then is done after a later build."""
        return not (self._closing or self._rest.builds or self._requested)

    def _next(self) -> dict[tuple[SiteRoot, Target], bool]:
        """All that was requested meanwhile; with nothing the thread ends."""
        with self._changed:
            while self._must_wait():
                self._changed.wait(self._rest.left_s())
            requested, self._requested, self._at_once = self._requested, {}, False
            if not requested:
                self._thread = None
        return requested

    def _must_wait(self) -> bool:
        """Whether standby trees are requested that may not be made yet."""
        if self._at_once or self._closing or not any(self._requested.values()):
            return False
        return self._rest.left_s() != 0
