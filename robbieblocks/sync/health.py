"""What a sync reports about itself: whether changes go up and come down, and what is wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from robbieblocks.messages import counted
from robbieblocks.sync.node_values import OutboxState, Repaired

State = Literal[
    "starting",
    "standby",
    "active",
    "cut off",
    "refused",
    "behind",
    "paused",
    "unreachable",
    "stopping",
]
# What a version may be ahead before the master clamps it.
SKEW_MAX_MS: Final = 60_000
# What waits longer than this while the master is reached is told.
_WAIT_MAX_S: Final = 300.0


@dataclass(slots=True, kw_only=True)
class SyncHealth:
    """Written by the sync's thread, read by the health server and the supervisor.

    There is no lock: each field is valid by itself. `why` explains the state. `findings_now` has
    what the last look at everything found, by topic.
    """

    node: str
    progress_timeout_s: float
    monotonic: Callable[[], float] = time.monotonic
    state: State = "starting"
    why: str = ""
    transport: str = ""
    outbox: OutboxState = field(default_factory=OutboxState)
    skew_ms: int = 0
    behind_bytes: int = 0
    wal_status: str = ""
    outcomes: dict[str, int] = field(default_factory=dict[str, int])
    received: int = 0
    repaired: Repaired = field(default_factory=Repaired)
    resubscribed: int = 0
    reconnects: int = 0
    findings_now: dict[str, str] = field(default_factory=dict[str, str])
    _reconciled_at: float | None = None
    _ticked_at: float = 0.0

    def __post_init__(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Note that there was progress."""
        self._ticked_at = self.monotonic()

    def reconciled(self) -> None:
        """Note that everything was looked at."""
        self._reconciled_at = self.monotonic()

    def count(self, outcomes: dict[str, tuple[int, str]]) -> None:
        """Count what the master answered."""
        for outcome, (count, _) in outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count

    def find(self, topic: str, what: str) -> None:
        """Note what is wrong with a topic; an empty text ends it."""
        if what:
            self.findings_now[topic] = what
        else:
            self.findings_now.pop(topic, None)

    @property
    def stuck(self) -> str:
        """Why there is no progress; empty while there is. A restart would help."""
        age = self.monotonic() - self._ticked_at
        return f"no progress for {age:.0f} s" if age > self.progress_timeout_s else ""

    @property
    def unready(self) -> str:
        """Why changes neither go up nor come down now; empty while they do."""
        if self.state == "active":
            return "" if self._reconciled_at is not None else "the first comparison is not finished"
        return f"{self.state}: {self.why}" if self.why else self.state

    @property
    def oldest_s(self) -> float:
        """The age of the oldest entry of the outbox."""
        oldest = self.outbox.oldest_at
        return 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())

    @property
    def reconciled_age_s(self) -> float | None:
        """Seconds since everything was looked at; None before the first time."""
        at = self._reconciled_at
        return None if at is None else round(self.monotonic() - at, 1)

    @property
    def findings(self) -> list[str]:
        """Everything that is not as it should be."""
        found = [self.unready] if self.unready else []
        found += self.findings_now.copy().values()
        if self.outbox.refused:
            found.append(
                f"the master refuses {counted(self.outbox.refused, 'change')}: see `robbieblocks "
                "sync status`"
            )
        if self.state == "active" and self.oldest_s > _WAIT_MAX_S:
            found.append(f"a change waits for {self.oldest_s:.0f} s")
        return found

    def as_json(self) -> dict[str, object]:
        """The body of /healthz and /readyz. The keys are stable."""
        return {
            "node": self.node,
            "state": self.state,
            "stuck": self.stuck,
            "unready": self.unready,
            "transport": self.transport,
            "waiting": self.outbox.waiting,
            "refused": self.outbox.refused,
            "oldest_waiting_seconds": round(self.oldest_s, 3),
            "clock_skew_ms": self.skew_ms,
            "slot_behind_bytes": self.behind_bytes,
            "slot_wal_status": self.wal_status,
            "reconciled_age_seconds": self.reconciled_age_s,
            "findings": self.findings,
        }

    def metrics(self) -> Collector:
        """What /metrics answers."""
        return SyncMetrics(self)


class SyncMetrics(Collector):
    """What `SyncHealth` says at the moment of each scrape, for Prometheus. The names are stable."""

    def __init__(self, health: SyncHealth) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Every metric of the sync."""
        health = self._health
        for name, help_, value in (
            ("up", "1 while changes go up and come down", not health.unready),
            ("stuck", "1 while the sync makes no progress", bool(health.stuck)),
            ("waiting", "Changes that wait to go up", health.outbox.waiting),
            ("refused", "Changes that the master refuses", health.outbox.refused),
            ("oldest_waiting_seconds", "Age of the oldest of them", health.oldest_s),
            ("clock_skew_seconds", "Clock of the node before the master's", health.skew_ms / 1000),
            ("slot_behind_bytes", "What the subscription has not read yet", health.behind_bytes),
            ("reconciled_age_seconds", "Since the last comparison", health.reconciled_age_s),
            ("findings", "Things that are not as they should be", len(health.findings)),
        ):
            family = GaugeMetricFamily(f"robbieblocks_sync_{name}", help_, labels=["node"])
            family.add_metric([health.node], float(value or 0))
            yield family
        sent = CounterMetricFamily(
            "robbieblocks_sync_sent", "Changes that went up, by outcome", labels=["node", "outcome"]
        )
        for outcome, count in sorted(health.outcomes.copy().items()):
            sent.add_metric([health.node, outcome], count)
        yield sent
        for name, help_, count in (
            ("repaired_rows", "Rows that comparisons put right", health.repaired.count),
            ("polled_rows", "Rows that changed by polling", health.received),
            ("subscriptions", "Times that the subscription was made anew", health.resubscribed),
            ("reconnects", "Times that the master was connected to again", health.reconnects),
        ):
            counter = CounterMetricFamily(f"robbieblocks_sync_{name}", help_, labels=["node"])
            counter.add_metric([health.node], count)
            yield counter
