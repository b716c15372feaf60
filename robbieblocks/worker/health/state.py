"""What the worker knows about itself, and what follows from it: alive, ready, in trouble."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from robbieblocks.worker.timing import Timing

State = Literal["starting", "standby", "active", "unreachable", "unknown node", "stopping"]


@dataclass(slots=True, kw_only=True)
class Health:
    """Written by the loop and the listener, read by the health server; each field by itself.

    Times are of the monotonic clock, but for `oldest_waiting`. `phase` is what the loop is doing
    now, empty while it waits.
    """

    node: str
    timing: Timing
    monotonic: Callable[[], float] = time.monotonic
    state: State = "starting"
    phase: str = ""
    phase_since: float = 0.0
    ticked_at: float = field(default_factory=time.monotonic)
    hearing: Callable[[], bool] = lambda: False
    heard_at: Callable[[], float | None] = lambda: None
    reconciled: bool = False
    waiting: int = 0
    oldest_waiting: datetime | None = None
    troubled: tuple[str, ...] = ()
    last_build: dict[str, Any] = field(default_factory=dict)
    builds: dict[tuple[str, str], int] = field(default_factory=dict)
    reconnects: int = 0
    looks: int = 0

    def tick(self) -> None:
        """Note that the loop went round."""
        self.ticked_at = self.monotonic()

    def begin(self, phase: str) -> None:
        """Note that the loop is doing something that may take a while."""
        self.phase, self.phase_since = phase, self.monotonic()

    def end(self) -> None:
        """Note that it is done."""
        self.phase = ""
        self.tick()

    @property
    def stuck(self) -> str:
        """Why the worker makes no progress; empty where it does. Restarting it would help."""
        now = self.monotonic()
        if self.phase:
            age = now - self.phase_since
            return f"{self.phase} for {age:.0f} s" if age > self.timing.build_timeout_s else ""
        age = now - self.ticked_at
        limit = 3 * max(self.timing.poll_interval_s, self.timing.query_timeout_s)
        return f"the loop has not gone round for {age:.0f} s" if age > limit else ""

    @property
    def unready(self) -> str:
        """Why changes don't go out now; empty where they do. Restarting would not help."""
        if self.state != "active":
            return self.state
        if not self.reconciled:
            return "the first look at every app is not finished"
        if self.troubled:
            return f"waiting to try again: {', '.join(self.troubled)}"
        return ""

    def as_json(self) -> dict[str, Any]:
        """Everything, as /healthz and /readyz answer it."""
        now = self.monotonic()
        heard = self.heard_at()
        return {
            "node": self.node,
            "state": self.state,
            "stuck": self.stuck,
            "unready": self.unready,
            "phase": self.phase,
            "phase_age_seconds": round(now - self.phase_since, 3) if self.phase else None,
            "loop_age_seconds": round(now - self.ticked_at, 3),
            "hearing": self.hearing(),
            "canary_age_seconds": None if heard is None else round(now - heard, 3),
            "waiting_changes": self.waiting,
            "oldest_waiting_seconds": self.oldest_waiting_age,
            "retrying_apps": list(self.troubled),
            "last_build": self.last_build,
        }

    @property
    def oldest_waiting_age(self) -> float | None:
        """How long the oldest waiting change has waited, in seconds."""
        if self.oldest_waiting is None:
            return None
        return round(max(0.0, (datetime.now(UTC) - self.oldest_waiting).total_seconds()), 3)
