"""What the threads of one pass over an outbox share."""

from __future__ import annotations

import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from robbieblocks.events.sending.progress import Delivery, Receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class SentEvent:
    """An event that waits: how far each receiver is, and those that are still to be told."""

    id: str
    kind: str
    payload: Mapping[str, object]
    all: dict[str, Delivery]
    left: dict[str, Delivery]


@dataclass(slots=True)
class Pass:
    """What the threads of a pass share; who holds `changed` reads and writes it.

    `seen` are the ids that a receiver's last round had, `due` when its next one is.
    """

    known: dict[str, Receiver]
    changed: threading.Condition = field(default_factory=threading.Condition)
    events: dict[str, SentEvent] = field(default_factory=dict[str, SentEvent])
    busy: set[str] = field(default_factory=set[str])
    seen: dict[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    due: dict[str, float | None] = field(default_factory=dict[str, float | None])
    errors: list[BaseException] = field(default_factory=list[BaseException])

    @contextmanager
    def others_go_on(self) -> Generator[None]:
        """Let the other threads have it within the block."""
        self.changed.release()
        try:
            yield
        finally:
            self.changed.acquire()
