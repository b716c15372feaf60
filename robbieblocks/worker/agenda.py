"""What to build next, and when: a value machine without clocks, threads or database.

It is told what waits (`saw`), asked for the next job (`next`) and told how that went (`done`,
`failed`). Times are seconds of a monotonic clock; only boundaries are instants of the calendar.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.worker.timing import Timing

Reason = Literal["change", "retry", "schedule", "start", "reconcile"]
_NEVER: Final = math.inf
_LAST_DAY: Final = datetime(9999, 12, 31, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Apps to build in one go, and why. `kinds` are the trigger types of the rows that ask."""

    apps: tuple[str, ...]
    reason: Reason
    kinds: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether somebody asked, so that the run is recorded even where nothing changes."""
        return self.reason in ("change", "retry")

    @property
    def thorough(self) -> bool:
        """Whether what is live is to be examined for damage, too."""
        return self.reason != "change"

    @property
    def triggered_by(self) -> str:
        """What the deploys row says: the one kind of change, else the reason."""
        return self.kinds[0] if len(self.kinds) == 1 else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialAcknowledgement:
    """A row that some of its apps have answered and others not yet."""

    apps: frozenset[str]
    built: frozenset[str]
    kind: str
    created_at: datetime

    @property
    def as_group(self) -> ChangeGroup:
        """The row as it waits for the others."""
        return ChangeGroup(
            apps=self.apps - self.built, count=1, oldest=self.created_at, kinds=(self.kind,)
        )


@dataclass(slots=True)
class _App:
    """An app's standing. `first_seen` and `last_grew` date the rows that wait since `done_at`."""

    waits: int = 0
    oldest: datetime = _LAST_DAY
    first_seen: float = _NEVER
    last_grew: float = _NEVER
    done_at: float = -_NEVER
    retry_at: float | None = None
    attempts: int = 0
    kinds: tuple[str, ...] = ()
    boundary: datetime | None = None
    partners: frozenset[str] = frozenset()


@dataclass(slots=True)
class Agenda:
    """The worker's plan. `jitter` gives a number from 0 to 1.

    `partial` holds rows that more than one app must answer and not all have: those that have are
    not built again for them. Where it is lost (a restart), they are, and find nothing to do.
    """

    timing: Timing
    jitter: Callable[[], float]
    partial: dict[UUID, PartialAcknowledgement] = field(default_factory=dict)
    _apps: dict[str, _App] = field(default_factory=dict)
    _next_reconcile: float = -_NEVER
    _reconciling: list[str] = field(default_factory=list)
    _started: bool = False

    def saw(self, waiting: Waiting, now: float) -> None:
        """Take in what a look at the queue found, which passed over the rows in `partial`."""
        carried = (*(waiting.apps or ()), *waiting.disabled_apps)
        found = [*waiting.groups, *(row.as_group for row in self.partial.values())]
        for gone in self._apps.keys() - set(carried):
            del self._apps[gone]
        self._reconciling = [app for app in self._reconciling if app in carried]
        self._reconciling += [app for app in waiting.disabled_apps if app not in self._reconciling]
        for name in carried:
            app = self._apps.get(name)
            if app is None:
                app = self._apps[name] = _App()
                if self._next_reconcile > -_NEVER:
                    self._reconciling.append(name)
            groups = [group for group in found if name in group.apps]
            waits = sum(group.count for group in groups)
            if waits > app.waits:
                app.last_grew = now
                app.first_seen = min(app.first_seen, now)
            elif not waits:
                app.first_seen = app.last_grew = _NEVER
            app.waits = waits
            app.oldest = min((g.oldest for g in groups), default=_LAST_DAY)
            app.partners = frozenset().union(*(group.apps for group in groups))
            if waits:
                app.kinds = tuple(sorted({kind for group in groups for kind in group.kinds}))

    def next(self, now: float, today: datetime) -> Job | None:
        """The most urgent job that is due at `now` (and on the calendar, `today`), if any.

        Retries go alone, so that a bad app takes no other with it. Of changes the oldest row goes
        first, with every app that shares a row with it. A reconcile goes app by app, after all
        else.
        """
        due = {name for name, app in self._apps.items() if self._due_at(app) <= now}
        if due:
            first = min(due, key=lambda name: (self._apps[name].oldest, name))
            if self._apps[first].retry_at is not None:
                return Job(apps=(first,), reason="retry", kinds=self._apps[first].kinds)
            apps = self._linked(first)
            kinds = {kind for name in apps for kind in self._apps[name].kinds}
            return Job(apps=apps, reason="change", kinds=tuple(sorted(kinds)))
        scheduled = [
            name
            for name, app in self._apps.items()
            if app.boundary is not None and app.boundary <= today and self._rested(app, now)
        ]
        if scheduled:
            return Job(apps=(min(scheduled),), reason="schedule")
        return self._reconcile(now)

    def _reconcile(self, now: float) -> Job | None:
        if now >= self._next_reconcile and self._apps:
            self._next_reconcile = now + self.timing.reconcile_interval_s * (
                0.9 + 0.2 * self.jitter()
            )
            self._reconciling = sorted(self._apps)
        ready = [name for name in self._reconciling if self._rested(self._apps[name], now)]
        if not ready:
            return None
        return Job(apps=(ready[0],), reason="reconcile" if self._started else "start")

    def _rested(self, app: _App, now: float) -> bool:
        return app.retry_at is None or app.retry_at <= now

    def _linked(self, first: str) -> tuple[str, ...]:
        """The apps that a row ties to `first`, however indirectly, and that no failure holds up."""
        found: set[str] = set()
        open_ends = {first}
        while open_ends:
            name = open_ends.pop()
            found.add(name)
            near = self._apps[name].partners & self._apps.keys()
            open_ends |= {n for n in near if self._apps[n].retry_at is None} - found
        return tuple(sorted(found))

    def _due_at(self, app: _App) -> float:
        if app.retry_at is not None:
            return app.retry_at
        if not app.waits:
            return _NEVER
        if app.first_seen - app.done_at > self.timing.quiet_s:
            return app.first_seen
        return min(app.last_grew + self.timing.quiet_s, app.first_seen + self.timing.max_wait_s)

    def idle_for(self, now: float, today: datetime) -> float:
        """Seconds until something is due by itself; infinite where nothing is planned."""
        moments = [self._due_at(app) for app in self._apps.values()]
        moments += [
            now + (app.boundary - today).total_seconds()
            for app in self._apps.values()
            if app.boundary is not None and self._rested(app, now)
        ]
        if self._apps:
            moments.append(self._next_reconcile)
        if any(self._rested(self._apps[name], now) for name in self._reconciling):
            return 0.0
        return max(0.0, min(moments, default=_NEVER) - now)

    def done(
        self,
        job: Job,
        now: float,
        *,
        failed: Collection[str] = (),
        boundaries: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Note that a build ended; `failed` are apps that infrastructure kept from being built.

        An app whose content is at fault is not among them: building it again would not help.
        """
        for name in job.apps:
            app = self._apps.get(name)
            if app is None:
                continue
            app.waits, app.first_seen, app.last_grew = 0, _NEVER, _NEVER
            app.done_at = now
            if name in failed:
                app.attempts += 1
                app.retry_at = now + self._backoff(app.attempts)
            else:
                app.attempts, app.retry_at = 0, None
                app.boundary = (boundaries or {}).get(name)
        if job.reason in ("start", "reconcile", "retry"):
            built = set(job.apps) - set(failed)
            self._reconciling = [app for app in self._reconciling if app not in built]
        if not self._reconciling and self._next_reconcile > -_NEVER:
            self._started = True

    @property
    def started(self) -> bool:
        """Whether every app was looked at once since the start."""
        return self._started

    @property
    def troubled(self) -> tuple[str, ...]:
        """The apps that wait for another try."""
        return tuple(sorted(n for n, app in self._apps.items() if app.retry_at is not None))

    def reconcile_now(self) -> None:
        """Look at every app again as soon as nothing else is due."""
        self._next_reconcile = -_NEVER

    def hurry(self) -> None:
        """Try again at once what waits for infrastructure: it is back."""
        for app in self._apps.values():
            if app.retry_at is not None:
                app.retry_at = -_NEVER

    def _backoff(self, attempts: int) -> float:
        longest = self.timing.retry_first_s * 2.0 ** min(attempts - 1, 30)
        return min(longest, self.timing.retry_max_s) * (0.5 + 0.5 * self.jitter())

    def remember(
        self, unanswered: Mapping[UUID, PartialAcknowledgement], built: Collection[str]
    ) -> None:
        """Credit `built` apps with the rows that still wait; forget rows that are answered.

        `unanswered` are the rows of the build's snapshot that were not acknowledged.
        """
        still = {}
        for key, row in unanswered.items():
            before = self.partial[key].built if key in self.partial else frozenset()
            credited = (before | frozenset(built)) & row.apps
            if credited and credited != row.apps:
                still[key] = replace(row, built=credited)
        self.partial = still
