"""The state of one app on one node."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks import record

UNKNOWN: Final = "?"

State = Literal[
    "pinned", "running", "held back", "waiting", "failed", "behind", "up to date", "nothing live"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppStatus:
    """One app on one node. A hash is None where nothing is there, `?` where it is not known."""

    node: str
    app: str
    desired: str | None
    built: str | None
    served: str | None
    pinned: str | None
    held_back: tuple[str, ...] = ()
    waiting: int = 0
    oldest_seconds: float | None = None
    last_run: record.LastRun | None = None

    @property
    def state(self) -> State:
        """The most pressing thing about it."""
        last_status = self.last_run.status if self.last_run else None
        if self.pinned:
            return "pinned"
        if last_status in record.UNFINISHED:
            return "running"
        if self.held_back:
            return "held back"
        if self.waiting:
            return "waiting"
        if last_status == "failed":
            return "failed"
        if UNKNOWN not in (self.desired, self.served) and self.desired != self.served:
            return "behind"
        return "up to date" if self.served else "nothing live"

    @property
    def verdict(self) -> str:
        """The state with its number; for a run, how far it is."""
        state = self.state
        if state == "running" and self.last_run:
            return self.last_run.status
        if state == "held back":
            return f"{len(self.held_back)} held back"
        return f"{self.waiting} waiting" if state == "waiting" else state

    @property
    def consistent(self) -> bool:
        """Whether what should be live, was built and is served is the same, as far as known."""
        known = {self.desired, self.built, self.served} - {UNKNOWN}
        return self.state == "up to date" and len(known) <= 1
