"""Decides what to build next, and when. It has no clock, no thread and no database.

`update` is called with what waits, `next_job` gives the next job that is due, `job_ended` is called
with its result. Times are seconds of a monotonic clock; only boundaries are dates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, Literal
from uuid import UUID

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.worker.timing import Timing

Reason = Literal["change", "retry", "schedule", "start", "reconcile"]
_NEVER: Final = math.inf
_LONG_AGO: Final = -math.inf
_LAST_DAY: Final = datetime(9999, 12, 31, tzinfo=UTC)
_MAX_DOUBLINGS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Apps to build together, and why. `kinds` are the trigger types of the rows that wait."""

    apps: tuple[str, ...]
    reason: Reason
    kinds: tuple[str, ...] = ()

    @property
    def asked(self) -> bool:
        """Whether a row asked for it, so that the run is recorded even if nothing changes."""
        return self.reason in ("change", "retry")

    @property
    def repair(self) -> bool:
        """Whether to look for damage in what is live, and for new templates, too."""
        return self.reason != "change"

    @property
    def triggered_by(self) -> str:
        """The value of that name in the deploys row: the one kind of change, else the reason."""
        return self.kinds[0] if len(self.kinds) == 1 else self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PartialAcknowledgement:
    """A row that is not acknowledged, though the apps in `built` have been built for it.

    Either it waits for its other apps, or the database refuses to acknowledge it. For the apps in
    `pinned` it waits until a person ends their pin or freeze, or that ends: nothing is due before.
    """

    row: ChangeGroup
    built: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()

    @property
    def remaining(self) -> ChangeGroup:
        """The row as it waits for the apps that are still to be built."""
        return replace(self.row, apps=self.row.apps - self.built - self.pinned)


@dataclass(slots=True)
class _App:
    """What is known of one app.

    `waits` rows wait for it, the oldest since `oldest`. `first_seen_at` and `last_grew_at` are when
    the first and the latest of the rows since the last build (`built_at`) were seen. `shares_with`
    are the apps that a waiting row affects together with it.
    """

    waits: int = 0
    oldest: datetime = _LAST_DAY
    first_seen_at: float = _NEVER
    last_grew_at: float = _NEVER
    built_at: float = _LONG_AGO
    retry_at: float | None = None
    attempts: int = 0
    kinds: tuple[str, ...] = ()
    boundary: datetime | None = None
    shares_with: frozenset[str] = frozenset()

    def update(self, groups: Sequence[ChangeGroup], now: float) -> None:
        waits = sum(group.count for group in groups)
        if waits > self.waits:
            self.last_grew_at = now
            self.first_seen_at = min(self.first_seen_at, now)
        elif not waits:
            self.first_seen_at = self.last_grew_at = _NEVER
        self.waits = waits
        self.oldest = min((group.oldest for group in groups), default=_LAST_DAY)
        self.shares_with = frozenset[str]().union(*(group.apps for group in groups))
        if waits:
            self.kinds = tuple(sorted({kind for group in groups for kind in group.kinds}))

    def due_at(self, timing: Timing) -> float:
        if self.retry_at is not None:
            return self.retry_at
        if not self.waits:
            return _NEVER
        if self.first_seen_at - self.built_at > timing.quiet_s:
            return self.first_seen_at
        return min(self.last_grew_at + timing.quiet_s, self.first_seen_at + timing.max_wait_s)

    def may_be_built(self, now: float) -> bool:
        """False while it waits for another try."""
        return self.retry_at is None or self.retry_at <= now

    def succeeded(self, now: float, boundary: datetime | None) -> None:
        self._ended(now)
        self.attempts, self.retry_at, self.boundary = 0, None, boundary

    def failed(self, now: float, pause_s: Callable[[int], float]) -> None:
        self._ended(now)
        self.attempts += 1
        self.retry_at = now + pause_s(self.attempts)

    def _ended(self, now: float) -> None:
        self.waits, self.first_seen_at, self.last_grew_at = 0, _NEVER, _NEVER
        self.built_at = now


@dataclass(slots=True)
class Agenda:
    """What the worker has to do. `jitter` returns a random number from 0 to 1.

    `partial` are rows that wait though apps have handled them: those apps are not built for them
    again. A restart loses it; the apps are then built once more, and nothing differs.
    `reconciled_once` is True once every app was examined since the start.
    """

    timing: Timing
    jitter: Callable[[], float]
    partial: dict[UUID, PartialAcknowledgement] = field(
        default_factory=dict[UUID, PartialAcknowledgement]
    )
    reconciled_once: bool = False
    _apps: dict[str, _App] = field(default_factory=dict[str, _App])
    _next_reconcile_at: float = _LONG_AGO
    _to_reconcile: list[str] = field(default_factory=list[str])
    _examined: set[str] = field(default_factory=set[str])

    def update(self, waiting: Waiting, now: float) -> None:
        """Take in what a read of the queue found. It left out the rows in `partial`."""
        known = (*(waiting.apps or ()), *waiting.disabled_apps)
        groups = [*waiting.groups, *(known.remaining for known in self.partial.values())]
        for gone in self._apps.keys() - set(known):
            del self._apps[gone]
        self._to_reconcile = [app for app in self._to_reconcile if app in known]
        self._to_reconcile += [
            app for app in waiting.disabled_apps if app not in self._to_reconcile
        ]
        for name in known:
            if name not in self._apps:
                self._apps[name] = _App()
                if self._next_reconcile_at > _LONG_AGO:
                    self._to_reconcile.append(name)
            self._apps[name].update([group for group in groups if name in group.apps], now)

    def next_job(self, now: float, today: datetime) -> Job | None:
        """The most urgent job that is due at `now` (`today` on the wall clock), or None.

        First retries and changes, the oldest row first; then apps whose boundary has passed; last,
        one by one, apps to reconcile. An app is retried alone, so that a failing one takes no other
        with it. Otherwise all apps that share rows go together.
        """
        due = {name for name, app in self._apps.items() if app.due_at(self.timing) <= now}
        if due:
            return self._changed(min(due, key=lambda name: (self._apps[name].oldest, name)))
        scheduled = [
            name
            for name, app in self._apps.items()
            if app.boundary is not None and app.boundary <= today and app.may_be_built(now)
        ]
        if scheduled:
            return Job(apps=(min(scheduled),), reason="schedule")
        return self._reconcile(now)

    def seconds_until_due(self, now: float, today: datetime) -> float:
        """Seconds until a job is due without a further change; infinite where none is planned."""
        if any(self._apps[name].may_be_built(now) for name in self._to_reconcile):
            return 0.0
        moments = [app.due_at(self.timing) for app in self._apps.values()]
        moments += [
            now + (app.boundary - today).total_seconds()
            for app in self._apps.values()
            if app.boundary is not None and app.may_be_built(now)
        ]
        if self._apps:
            moments.append(self._next_reconcile_at)
        return max(0.0, min(moments, default=_NEVER) - now)

    def job_ended(
        self,
        job: Job,
        now: float,
        *,
        failed: Collection[str] = (),
        boundaries: Mapping[str, datetime | None] | None = None,
    ) -> None:
        """Note that a job ended. `failed` are the apps to try again: infrastructure failed.

        An app whose content has an error is not among them: another try would fail the same way.
        `boundaries` says for each app when its content next changes by itself.
        """
        for name in job.apps:
            app = self._apps.get(name)
            if app is None:
                continue
            if name in failed:
                app.failed(now, self._retry_pause_s)
            else:
                app.succeeded(now, (boundaries or {}).get(name))
        if job.reason in ("start", "reconcile", "retry"):
            built = set(job.apps) - set(failed)
            self._to_reconcile = [app for app in self._to_reconcile if app not in built]
            self._examined |= built
        if self._apps.keys() <= self._examined:
            self.reconciled_once = True

    def rows_handled(
        self,
        unacknowledged: Mapping[UUID, ChangeGroup],
        built: Collection[str],
        pinned: Collection[str] = (),
        behind: Collection[str] = (),
    ) -> None:
        """Note for the rows that a build did not acknowledge that its `built` apps handled them.

        `unacknowledged` are all such rows of the build's snapshot, each as a group of its own:
        others need no more waiting for. `pinned` are apps of the build whose changes a pin or
        a freeze keeps. Those that are `behind` are to be built again: what they list differs.
        """
        partial: dict[UUID, PartialAcknowledgement] = {}
        for key, row in unacknowledged.items():
            before = self.partial.get(key) or PartialAcknowledgement(row=row)
            now_built = ((before.built | frozenset(built)) & row.apps) - frozenset(behind)
            now_pinned = ((before.pinned | frozenset(pinned)) - now_built) & row.apps
            if now_built or now_pinned:
                partial[key] = PartialAcknowledgement(row=row, built=now_built, pinned=now_pinned)
        self.partial = partial

    @property
    def retrying(self) -> tuple[str, ...]:
        """The apps that wait for another try."""
        return tuple(sorted(n for n, app in self._apps.items() if app.retry_at is not None))

    def reconcile_now(self) -> None:
        """Examine every app as soon as nothing else is due."""
        self._next_reconcile_at = _LONG_AGO

    def build_now(self, apps: Iterable[str], today: datetime) -> None:
        """Build apps for which something other than their rows is ready, as if a time had come."""
        for name in apps:
            if name in self._apps:
                self._apps[name].boundary = today

    def retry_now(self) -> None:
        """Make all retries due at once: the database is back."""
        for app in self._apps.values():
            if app.retry_at is not None:
                app.retry_at = _LONG_AGO

    def _changed(self, first: str) -> Job:
        if self._apps[first].retry_at is not None:
            return Job(apps=(first,), reason="retry", kinds=self._apps[first].kinds)
        apps = self._sharing_rows_with(first)
        kinds = {kind for name in apps for kind in self._apps[name].kinds}
        return Job(apps=apps, reason="change", kinds=tuple(sorted(kinds)))

    def _sharing_rows_with(self, first: str) -> tuple[str, ...]:
        """The apps that rows connect to `first`, directly or not, except those to try again."""
        found: set[str] = set()
        to_visit = {first}
        while to_visit:
            name = to_visit.pop()
            found.add(name)
            neighbours = self._apps[name].shares_with & self._apps.keys()
            to_visit |= {n for n in neighbours if self._apps[n].retry_at is None} - found
        return tuple(sorted(found))

    def _reconcile(self, now: float) -> Job | None:
        if now >= self._next_reconcile_at and self._apps:
            interval_s = self.timing.reconcile_interval_s
            self._next_reconcile_at = now + interval_s * (0.9 + 0.2 * self.jitter())
            # Those that still wait come first: where looks take long, the last had no turn.
            self._to_reconcile += sorted(self._apps.keys() - set(self._to_reconcile))
        ready = [name for name in self._to_reconcile if self._apps[name].may_be_built(now)]
        if not ready:
            return None
        return Job(apps=(ready[0],), reason="reconcile" if self.reconciled_once else "start")

    def _retry_pause_s(self, attempts: int) -> float:
        pause_s = self.timing.retry_first_s * 2.0 ** min(attempts - 1, _MAX_DOUBLINGS)
        return min(pause_s, self.timing.retry_max_s) * (0.5 + 0.5 * self.jitter())
