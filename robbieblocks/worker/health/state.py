"""The state of a worker: what it does now, and whether it is stuck or not ready."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Literal

from prometheus_client import Histogram

from robbieblocks import record
from robbieblocks.changes import Waiting
from robbieblocks.shared_cache import SharedCounts
from robbieblocks.worker.agenda import Job
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.health.event_counts import EventCounts
from robbieblocks.worker.health.metrics import Metrics
from robbieblocks.worker.ports import BuildResult
from robbieblocks.worker.timing import Timing

State = Literal["starting", "standby", "active", "unreachable", "unknown node", "stopping"]
_BUCKETS_S: Final = (0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)


def _histogram(name: str, help_: str) -> Histogram:
    return Histogram(f"robbieblocks_{name}", help_, buckets=_BUCKETS_S, registry=None)


@dataclass(slots=True, kw_only=True)
class Health:
    """Written by the main thread, read by the health server and the supervisor.

    There is no lock: each field is valid by itself. Times are of the monotonic clock, except
    `oldest_waiting`. `phase` says what the main thread is doing; it is empty while it waits.
    `why` explains the state. `retrying` are the apps that wait for another try. `reconciled` is
    True once every app was examined since the start. By app, `errors` has why its last build
    failed, `held_back` how many pages it left as they were, and why, `frozen` for the end of which
    freeze its changes wait, `edited` what a look at everything found altered in its live release
    and could not put right, and `not_served` what its address answered wrongly when it was asked
    last, and what to do. `drifts` counts drifts by app and kind. The thread that asks writes these
    two, too.
    """

    node: str
    timing: Timing
    liveness: Liveness
    monotonic: Callable[[], float] = time.monotonic
    state: State = "starting"
    why: str = ""
    phase: str = ""
    reconciled: bool = False
    waiting: int = 0
    oldest_waiting: datetime | None = None
    retrying: tuple[str, ...] = ()
    errors: dict[str, str] = field(default_factory=dict[str, str])
    held_back: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    frozen: dict[str, str] = field(default_factory=dict[str, str])
    last_build: dict[str, object] = field(default_factory=dict[str, object])
    edited: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    not_served: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    drifts: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    builds: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    reconnects: int = 0
    events: EventCounts = field(default_factory=EventCounts)
    queue_reads: int = 0
    shared_cache: SharedCounts | None = None
    build_seconds: Histogram = field(
        default_factory=lambda: _histogram("build_seconds", "Duration of builds")
    )
    change_seconds: Histogram = field(
        default_factory=lambda: _histogram(
            "change_to_live_seconds",
            "From the start of an editor's transaction to its pages being live",
        )
    )
    _phase_began_at: float = 0.0
    _ticked_at: float = 0.0

    def __post_init__(self) -> None:
        self.tick()

    def tick(self) -> None:
        """Note that the loop made another round."""
        self._ticked_at = self.monotonic()

    def begin_phase(self, phase: str) -> None:
        """Note that the main thread started something that may take a while."""
        self.phase, self._phase_began_at = phase, self.monotonic()

    def end_phase(self) -> None:
        """Note that the phase ended."""
        self.phase = ""
        self.tick()

    def count_shared_cache(self, counts: SharedCounts) -> None:
        """Have what a shared cache counts among the metrics."""
        self.shared_cache = counts

    def queue_read(self, waiting: Waiting) -> None:
        """Note what a read of the queue found."""
        self.queue_reads += 1
        self.waiting, self.oldest_waiting = waiting.count, waiting.oldest
        if waiting.apps is not None:
            known = {*waiting.apps, *waiting.disabled_apps}
            noted = self.errors.keys() | self.held_back.keys() | self.frozen.keys()
            self._forget(noted - known)

    def build_finished(self, job: Job, result: BuildResult, seconds: float) -> None:
        """Count a build by app and outcome, and note how long it took."""
        now = datetime.now(UTC)
        self.build_seconds.observe(seconds)
        if result.oldest_change is not None and job.reason == "change":
            self.change_seconds.observe(max(0.0, (now - result.oldest_change).total_seconds()))
        # An app that has no page, and nothing live, has no run.
        self._forget(job.apps)
        for run in result.runs:
            key = (run.app, run.outcome)
            self.builds[key] = self.builds.get(key, 0) + 1
            if run.waits and run.freeze:
                self.frozen[run.app] = str(run.freeze)
            if run.held_back and not run.is_held:
                self.held_back[run.app] = (len(run.held_back), run.explained)
            elif run.outcome == "failed":
                self.errors[run.app] = run.error
        self.last_build = {
            "apps": list(job.apps),
            "reason": job.reason,
            "at": now.isoformat(timespec="milliseconds"),
            "seconds": round(seconds, 3),
            "outcomes": {run.app: run.outcome for run in result.runs},
        }

    def _forget(self, apps: Iterable[str]) -> None:
        for app in apps:
            self.errors.pop(app, None)
            self.held_back.pop(app, None)
            self.frozen.pop(app, None)

    @property
    def stuck(self) -> str:
        """Why the worker makes no progress; empty while it does. A restart would help."""
        if self.phase:
            age = self.monotonic() - self._phase_began_at
            return f"{self.phase} for {age:.0f} s" if age > self.timing.build_timeout_s else ""
        limit = 3 * max(self.timing.poll_interval_s, self.timing.query_timeout_s)
        age = self.loop_age_s
        return f"the loop has not gone round for {age:.0f} s" if age > limit else ""

    @property
    def unready(self) -> str:
        """Why changes don't go out now; empty while they do. A restart would not help."""
        return next((_said(each) for each in self.findings if each.stops), "")

    @property
    def findings(self) -> tuple[record.Finding, ...]:
        """Everything that is not as it should be, the most pressing first."""
        state, why = self.state, self.why
        if state == "active" and not self.reconciled:
            state, why = "starting", "the first look at every app is not finished"
        # Copies: the main thread may change them meanwhile.
        retrying = self.retrying
        errors = {
            **dict.fromkeys(retrying, "its last build failed for lack of infrastructure"),
            **self.errors.copy(),
        }
        errors |= {app: f"waiting to try again: {errors[app]}" for app in retrying}
        held_back = {app: error for app, (_, error) in self.held_back.copy().items()}
        return record.judge(
            record.NodeFacts(
                node=self.node,
                state=state,
                why=why,
                errors=errors,
                held_back=held_back,
                edited=self.edited.copy(),
                not_served=self.not_served.copy(),
                waiting=self.waiting,
                oldest_s=self.oldest_waiting_age_s or 0.0,
            )
        )

    @property
    def held(self) -> list[str]:
        """The apps whose plan waits for a person's approval."""
        return sorted(app for app, error in self.errors.copy().items() if error.startswith("held:"))

    @property
    def held_back_pages(self) -> int:
        """How many pages keep their last good version, because the new one has an error."""
        return sum(count for count, _ in self.held_back.copy().values())

    @property
    def loop_age_s(self) -> float:
        """Seconds since the loop last made a round."""
        return round(self.monotonic() - self._ticked_at, 3)

    @property
    def phase_age_s(self) -> float | None:
        """Seconds since the running phase began; None while there is none."""
        return round(self.monotonic() - self._phase_began_at, 3) if self.phase else None

    @property
    def ping_age_s(self) -> float | None:
        """Seconds since a ping last came back; None before the first."""
        at = self.liveness.last_ping_at
        return None if at is None else round(self.monotonic() - at, 3)

    @property
    def oldest_waiting_age_s(self) -> float | None:
        """The age of the oldest waiting change in seconds; None while none waits."""
        if self.oldest_waiting is None:
            return None
        return round(max(0.0, (datetime.now(UTC) - self.oldest_waiting).total_seconds()), 3)

    def metrics(self) -> Metrics:
        """What /metrics answers."""
        return Metrics(self)

    def as_json(self) -> dict[str, object]:
        """The body of /healthz and /readyz. The keys are stable."""
        return {
            "node": self.node,
            "state": self.state,
            "stuck": self.stuck,
            "unready": self.unready,
            "phase": self.phase,
            "phase_age_seconds": self.phase_age_s,
            "loop_age_seconds": self.loop_age_s,
            "hearing": self.liveness.live,
            "canary_age_seconds": self.ping_age_s,
            "waiting_changes": self.waiting,
            "oldest_waiting_seconds": self.oldest_waiting_age_s,
            "retrying_apps": list(self.retrying),
            "held_apps": self.held,
            "held_back_pages": self.held_back_pages,
            "frozen_apps": self.frozen.copy(),
            "findings": [str(finding) for finding in self.findings],
            "last_build": self.last_build,
        }


def _said(finding: record.Finding) -> str:
    return f"{finding.app}: {finding.what}" if finding.app else finding.what
