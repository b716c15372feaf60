"""The thread that sends events: it delays no build, and keeps nothing that is not on the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks.errors import RobbieBlocksError
from robbieblocks.settings import EventSettings, Settings
from robbieblocks.worker.health import EventCounts
from robbieblocks.worker.log import Log
from robbieblocks.worker.looking import looking

_INTERVAL_S: Final = 1.0
_AFTER_ERROR_S: Final = 60.0


@contextmanager
def telling(settings: Settings, node: str, counts: EventCounts, log: Log) -> Generator[None]:
    """Within the block, a thread sends the events of a node, and those that concern all nodes.

    Of several workers, the one that has the outbox's lock sends. Without `[events]` there is no
    thread.
    """
    if settings.events is None:
        yield
        return
    # It is loaded where it is needed alone.
    from robbieblocks import events

    to, folders = settings.events, [events.folder_of(settings.site_root, of) for of in (node, "")]

    def tell(ended: threading.Event) -> None:
        boxes = [_Box(folder, to, counts, log, ended) for folder in folders]
        while not ended.wait(_INTERVAL_S):
            for box in boxes:
                box.look()

    with looking("events", tell):
        yield


@dataclass(slots=True)
class _Box:
    """An outbox that is looked at every second, and sent from when it changed or something is due.

    It tells the log and the metrics how sending goes.
    """

    folder: Path
    settings: EventSettings
    counts: EventCounts
    log: Log
    ended: threading.Event
    _seen: int = 0
    _due: float | None = None
    _error: str = ""
    _warned: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def look(self) -> None:
        """Send what is due. No error ends the thread."""
        from robbieblocks.events import Sender

        try:
            changed = self.folder.stat().st_mtime_ns
        except OSError:
            return
        if changed == self._seen and (self._due is None or self._due > time.time()):
            return
        self._seen = changed
        sender = Sender(
            folder=self.folder,
            settings=self.settings,
            told=self,
            go_on=lambda: not self.ended.is_set(),
        )
        try:
            self._due = sender.send()
            self._error = ""
        except RobbieBlocksError as error:
            self._due = time.time() + _AFTER_ERROR_S
            if str(error) != self._error:
                self.log.warning("events.failed", error=str(error))
            self._error = str(error)
        except Exception:
            self._due = time.time() + _AFTER_ERROR_S
            self.log.exception("events.broken")

    def sent(self, receiver: str, event_id: str, kind: str) -> None:
        """Count it, and log it."""
        self.counts.count(receiver, "sent")
        self._warned = {each for each in self._warned if each[0] != receiver}
        self.log.info("event.sent", receiver=receiver, event_id=event_id, kind=kind)

    def failed(self, receiver: str, event_id: str, error: str, next_at: float) -> None:
        """Count it; the same error of a receiver is logged once, until it takes an event."""
        self.counts.count(receiver, "failed")
        if (receiver, error) not in self._warned:
            self._warned.add((receiver, error))
            again_s = round(next_at - time.time())
            self.log.warning(
                "event.failed", receiver=receiver, event_id=event_id, error=error, again_s=again_s
            )

    def given_up(self, receiver: str, event_id: str, kind: str, why: str) -> None:
        """Count it, and log it: the receiver was not told."""
        self.counts.count(receiver, "given up")
        self.log.error("event.given_up", receiver=receiver, event_id=event_id, kind=kind, why=why)

    def hook_output(self, output: str) -> None:
        """Log it."""
        self.log.info("hook.output", output=output)
