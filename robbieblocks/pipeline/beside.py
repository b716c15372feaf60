"""Work that a thread does beside builds, and that a later build puts into a release."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Condition, Thread

from robbieblocks.pipeline.rest import Rest


def _nobody() -> None:
    pass


@dataclass(slots=True, kw_only=True)
class BesideBuilds:
    """A thread that is there while something is to be done. `_changed` guards all that it shares.

    It calls `on_ready` when it has made something for an app. Only where `later` is set is work
    left to it: a command's build does its own.
    """

    rest: Rest
    later: bool = False
    on_ready: Callable[[], None] = _nobody
    _ready: set[str] = field(default_factory=set[str])
    _closing: bool = False
    _thread: Thread | None = None

    @property
    def _changed(self) -> Condition:
        return self.rest.changed

    def take_ready(self) -> frozenset[str]:
        """The apps of which something was made since this was asked last: a build publishes it."""
        with self._changed:
            ready, self._ready = frozenset(self._ready), set()
        return ready

    def close(self) -> None:
        """Do nothing more, and wait until nothing is being done."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _wake(self, run: Callable[[], None], name: str) -> None:
        """Tell the thread that there is something to do; start it where it is not there."""
        self._changed.notify_all()
        if not self._closing and (self._thread is None or not self._thread.is_alive()):
            self._thread = Thread(target=run, name=name)
            self._thread.start()
