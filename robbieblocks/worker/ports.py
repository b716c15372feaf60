"""What the loop asks of the world, and an in-memory world that does it: for tests and trials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID, uuid4

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.worker.agenda import Job, PartialAcknowledgement


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one build came to for one app. `transient`: infrastructure failed, so try again."""

    app: str
    outcome: str
    build_hash: str = ""
    pages: int = 0
    error: str = ""
    transient: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """What a build came to. `unanswered` are rows of its snapshot that it did not acknowledge."""

    runs: tuple[Run, ...]
    answered: tuple[UUID, ...] = ()
    unanswered: Mapping[UUID, PartialAcknowledgement] = field(default_factory=dict)
    boundaries: Mapping[str, datetime | None] = field(default_factory=dict)
    phases: Mapping[str, float] = field(default_factory=dict)
    oldest: datetime | None = None


class Database(Protocol):
    """The loop's own connection and the right to work."""

    def connect(self) -> None:
        """Connect if not connected. Raises DatabaseUnavailable."""

    def may_work(self) -> bool:
        """Whether this worker is the node's one; takes the right where it is free."""
        ...

    def look(self, known: Mapping[UUID, PartialAcknowledgement]) -> Waiting:
        """What waits for the node, but for `known` rows; settles rows that it does not show."""
        ...

    def drop(self) -> None:
        """Forget the connection: it is lost."""


class Builder(Protocol):
    """Builds apps of the node."""

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Build, publish, record, acknowledge. Raises RobbieBlocksError where all of it failed."""
        ...


@dataclass
class MemoryWorld:
    """A Database and a Builder over a dict of apps and a list of rows.

    `apps` maps each app to the content that should be live, `live` to what is. Errors in `faults`
    are raised by the call they are filed under (`connect`, `may_work`, `look`, `build` or
    `build <app>`), one each time, in order.
    """

    apps: dict[str, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    rows: dict[UUID, tuple[frozenset[str], datetime]] = field(default_factory=dict)
    faults: dict[str, list[RobbieBlocksError]] = field(default_factory=dict)
    boundaries: dict[str, datetime | None] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    active: bool = True

    def edit(self, *apps: str, at: datetime | None = None) -> UUID:
        """Change content of some apps in one row."""
        key = uuid4()
        for app in apps:
            self.apps[app] = self.apps.get(app, 0) + 1
        self.rows[key] = (frozenset(apps), at or datetime.now(UTC))
        return key

    def connect(self) -> None:
        """Connected, unless a fault is filed."""
        self._reach("connect")

    def may_work(self) -> bool:
        """As `active` says."""
        self._reach("may_work")
        return self.active

    def look(self, known: Mapping[UUID, PartialAcknowledgement]) -> Waiting:
        """The rows, one group each."""
        self._reach("look")
        return Waiting(
            apps=tuple(sorted(self.apps)),
            groups=tuple(
                ChangeGroup(apps=apps, count=1, oldest=at, kinds=("page_update",))
                for key, (apps, at) in self.rows.items()
                if key not in known
            ),
        )

    def drop(self) -> None:
        """Nothing to forget."""
        self.calls.append("drop")

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Make content live, app by app; answer the rows whose apps all are."""
        self.jobs.append(job)
        snapshot, seen = dict(self.apps), dict(self.rows)
        self._reach("build")
        runs = []
        for app in job.apps:
            run = Run(
                app=app, outcome="unchanged" if self.live.get(app) == snapshot[app] else "published"
            )
            try:
                self._reach(f"build {app}")
                self.live[app] = snapshot[app]
            except RobbieBlocksError as error:
                run = replace(run, outcome="failed", error=str(error), transient=True)
            runs.append(run)
        good = {run.app for run in runs if not run.transient}
        answered, unanswered = [], {}
        for key, (apps, at) in seen.items():
            built = good | (partial[key].built if key in partial else frozenset())
            if apps <= built:
                answered.append(key)
                self.rows.pop(key, None)
            else:
                unanswered[key] = PartialAcknowledgement(
                    apps=apps, built=frozenset(), kind="page_update", created_at=at
                )
        return BuildResult(
            runs=tuple(runs),
            answered=tuple(answered),
            unanswered=unanswered,
            boundaries={app: self.boundaries.get(app) for app in good},
        )

    def _reach(self, call: str) -> Any:
        self.calls.append(call)
        if waiting := self.faults.get(call):
            raise waiting.pop(0)
