"""What is done behind a build: nobody who waits for a page waits for it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock, Thread

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.pipeline.targets import Target

_SLACK = 2


class Tidying:
    """A thread that makes spares and removes releases that are not kept, while there is any."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asked: dict[tuple[Path, Target], bool] = {}
        self._thread: Thread | None = None

    def ask(self, site_root: Path, targets: Sequence[Target], *, spares: bool) -> None:
        """Have targets tidied soon; with `spares`, have one ready for each next publish."""
        with self._lock:
            self._asked |= {(site_root, target): spares for target in targets}
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="tidy")
                self._thread.start()

    def join(self) -> None:
        """Wait until all that was asked for is done."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while asked := self._next():
            for (site_root, target), spares in asked.items():
                # What can't be done now is done after a later build.
                with suppress(SiteUnavailable):
                    if spares:
                        release.make_spare(site_root, target.node, target.app)
                with suppress(SiteUnavailable):
                    release.prune(site_root, target.node, target.app, slack=_SLACK)

    def _next(self) -> dict[tuple[Path, Target], bool]:
        """All that was asked for meanwhile; where that is nothing, the thread is over."""
        with self._lock:
            asked, self._asked = self._asked, {}
            if not asked:
                self._thread = None
        return asked
