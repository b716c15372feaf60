"""Doubles for what a worker's loop needs: a log, a wake event, and a database with a builder."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from robbieblocks.changes import ChangeGroup, Waiting
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.pipeline import RunReport
from robbieblocks.worker.agenda import Job, PartialAcknowledgement
from robbieblocks.worker.ports import BuildResult


class RecordingLog:
    """A log that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str, dict[str, Any]]] = []

    def info(self, event: str, **values: Any) -> None:
        self.events.append(("info", event, values))

    def warning(self, event: str, **values: Any) -> None:
        self.events.append(("warning", event, values))

    def error(self, event: str, **values: Any) -> None:
        self.events.append(("error", event, values))

    def exception(self, event: str, **values: Any) -> None:
        self.events.append(("error", event, values))

    def bind(self, **_: Any) -> RecordingLog:
        return self

    def named(self, event: str) -> list[dict[str, Any]]:
        return [values for _, name, values in self.events if name == event]


@dataclass
class RecordingEvent(threading.Event):
    """An event that never waits: it notes its calls, and how long each wait would have been."""

    calls: list[str] = field(default_factory=list)
    waited: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        threading.Event.__init__(self)

    def clear(self) -> None:
        self.calls.append("clear")
        super().clear()

    def wait(self, timeout: float | None = None) -> bool:
        self.calls.append("wait")
        if not self.is_set():
            assert timeout is not None
            self.waited.append(timeout)
        return self.is_set()

    def __hash__(self) -> int:
        return id(self)


@dataclass
class MemoryWorld:
    """A Database and a Builder over a dict of apps and a list of rows.

    `apps` maps each app to the content that should be live, `live` to what is. Errors in `errors`
    are raised by the call they are filed under (`connect`, `is_leader`, `read_queue`, `build` or
    `build <app>`), one each time, in order.
    """

    apps: dict[str, int] = field(default_factory=dict)
    live: dict[str, int] = field(default_factory=dict)
    rows: dict[UUID, tuple[frozenset[str], datetime]] = field(default_factory=dict)
    errors: dict[str, Any] = field(default_factory=dict)
    boundaries: dict[str, datetime | None] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    leader: bool = True

    def edit(self, *apps: str, at: datetime | None = None) -> UUID:
        """Change the content of some apps, noted in one row."""
        key = uuid4()
        for app in apps:
            self.apps[app] = self.apps.get(app, 0) + 1
        self.rows[key] = (frozenset(apps), at or datetime.now(UTC))
        return key

    def connect(self) -> None:
        self._called("connect")

    def is_leader(self) -> bool:
        self._called("is_leader")
        return self.leader

    def check_schema(self) -> None:
        self._called("check_schema")

    def read_queue(self, known: Collection[UUID]) -> Waiting:
        """The rows, one group each."""
        self._called("read_queue")
        return Waiting(
            apps=tuple(sorted(self.apps)),
            groups=tuple(
                ChangeGroup(apps=apps, count=1, oldest=at, kinds=("page_update",))
                for key, (apps, at) in self.rows.items()
                if key not in known
            ),
        )

    def mark_processed(self) -> None:
        self._called("mark_processed")

    def disconnect(self) -> None:
        self.calls.append("disconnect")

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Make content live, app by app; acknowledge the rows whose apps all are."""
        self.jobs.append(job)
        snapshot, seen = dict(self.apps), dict(self.rows)
        self._called("build")
        runs = tuple(self._run(app, snapshot[app]) for app in job.apps)
        good = {run.app for run in runs if not run.transient}
        unacknowledged = {}
        for key, (apps, at) in seen.items():
            built = good | (partial[key].built if key in partial else frozenset())
            if apps <= built:
                self.rows.pop(key, None)
            else:
                unacknowledged[key] = ChangeGroup(
                    apps=apps, count=1, oldest=at, kinds=("page_update",)
                )
        return BuildResult(
            runs=runs,
            unacknowledged=unacknowledged,
            boundaries={app: self.boundaries.get(app) for app in good},
        )

    def _run(self, app: str, content: int) -> RunReport:
        report = RunReport(
            node="n",
            app=app,
            outcome="unchanged" if self.live.get(app) == content else "published",
            build_hash=str(content),
            hash_before=str(self.live.get(app, "")),
        )
        try:
            self._called(f"build {app}")
        except RobbieBlocksError as error:
            return replace(report, outcome="failed", error=str(error), transient=True)
        self.live[app] = content
        return report

    def _called(self, call: str) -> None:
        self.calls.append(call)
        if errors := self.errors.get(call):
            raise errors.pop(0)
