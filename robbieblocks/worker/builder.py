"""Builds jobs by the pipeline, with what a build needs kept warm between builds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import Connection

from robbieblocks import pipeline
from robbieblocks.changes import ChangeGroup
from robbieblocks.pipeline import (
    NOTHING_BEHIND,
    BuildContext,
    BuildReport,
    Request,
    RunReport,
    Site,
    readers_of_changed,
)
from robbieblocks.row_faults import is_passing
from robbieblocks.settings import Settings
from robbieblocks.shared_cache import SharedCounts
from robbieblocks.worker.agenda import Job, PartialAcknowledgement
from robbieblocks.worker.drift import Drifts
from robbieblocks.worker.log import Log
from robbieblocks.worker.ports import BuildResult

_LOGGED_ITEMS_MAX = 20
_FIRST_PAUSE = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class PipelineBuilder:
    """Builds apps of one node over the connection that `connect` returns.

    The build context (toolchain, templates, cache, isolates) is opened with the first build. A job
    that repairs reads templates and toolchain again where they have changed. A build that runs when
    `stopped` is set waits for no other node any more. What is passing is tried again after ten
    seconds, then after as long as it lasts already, up to five minutes.
    """

    node: str
    settings: Settings
    site: Site
    connect: Callable[[], Connection]
    on_phase: Callable[[str], None]
    log: Log
    drifts: Drifts | None = None
    on_shared_cache: Callable[[SharedCounts], None] = lambda _: None
    on_ready: Callable[[], None] = lambda: None
    stopped: threading.Event | None = None
    _context: BuildContext | None = None
    _passing_since: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def ready_apps(self) -> frozenset[str]:
        """The apps of which an index for search or social cards were made since the last time, and
        those that list pages of another app of which something else is live by now.
        """
        if self._context is None:
            return frozenset()
        search, cards = self._context.search, self._context.cards
        ready = cards.take_ready() | (frozenset[str]() if search is None else search.take_ready())
        return ready | readers_of_changed(self._context, self.site.root)

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Build, publish, record, acknowledge. Raises RobbieBlocksError where no app was built."""
        request = Request(
            nodes=(self.node,),
            apps=job.apps,
            triggered_by=job.triggered_by,
            unasked=not job.asked,
            repair=job.repair,
            allow_missing_apps=True,
            built_before={key: row.built for key, row in partial.items()},
        )
        report = pipeline.build(
            request,
            context=self._opened(refresh=job.repair),
            connection=self.connect(),
            site=self.site,
            clock=lambda: datetime.now(UTC),
            progress=self.on_phase,
        )
        for run in report.runs:
            if self.drifts is not None and job.repair:
                was_asked = any(row.affects(run.node, run.app) for row in report.triggers)
                self.drifts.run_ended(job, run, was_asked=was_asked)
            if job.asked or run.outcome != "unchanged" or run.files_written:
                _log_run(self.log, job, report, run)
        for problem in report.refused[:_LOGGED_ITEMS_MAX]:
            self.log.warning("change.refused", row=problem.key, error=str(problem))
        return _result(report, self.node, self._tried_again(report.runs, datetime.now(UTC)))

    def _tried_again(self, runs: Iterable[RunReport], now: datetime) -> Mapping[str, datetime]:
        """When apps are built again though no row changes, since the machine was short of something
        or the bucket of their media could not be read.
        """
        left = None if self._context is None else self._context.media.originals.again_in_s
        found: dict[str, datetime] = {}
        for run in runs:
            if is_passing(run.problems):
                lasts = now - self._passing_since.setdefault(run.app, now)
                found[run.app] = now + min(max(lasts, _FIRST_PAUSE), _LONGEST_PAUSE)
                continue
            self._passing_since.pop(run.app, None)
            if run.held_back and left is not None:
                found[run.app] = now + timedelta(seconds=left)
        return found

    def close(self) -> None:
        """End the isolates' processes and close the cache."""
        if self._context is not None:
            self._context.close()
            self._context = None

    def _opened(self, *, refresh: bool) -> BuildContext:
        if self._context is None:
            self._context = BuildContext.open(
                self.settings, self.on_phase, standby=True, stopped=self.stopped
            )
            self._context.cards.on_ready = self.on_ready
            if self._context.search is not None:
                self._context.search.on_ready = self.on_ready
            if self._context.shared is not None:
                self.on_shared_cache(self._context.shared.counts)
        elif refresh:
            self._context.refresh(self.on_phase)
        return self._context


def _log_run(log: Log, job: Job, report: BuildReport, run: RunReport) -> None:
    """One line a run: its outcome, the rows that asked for it, and the times."""
    rows = [row for row in report.triggers if row.affects(run.node, run.app)]
    write = log.warning if run.outcome == "failed" else log.info
    write(
        "run.finished",
        run=str(run.run) if run.run else None,
        node=run.node,
        app=run.app,
        outcome=run.outcome,
        reason=job.reason,
        triggered_by=job.triggered_by,
        build_hash=run.build_hash,
        hash_before=run.hash_before,
        changed=[p.key for p in run.changed if p.change != "removed"][:_LOGGED_ITEMS_MAX],
        removed=[p.key for p in run.changed if p.change == "removed"][:_LOGGED_ITEMS_MAX],
        causes=[str(cause) for cause in run.causes[:_LOGGED_ITEMS_MAX]],
        held_back=[page.key for page in run.held_back][:_LOGGED_ITEMS_MAX],
        frozen=str(run.freeze) if run.freeze else None,
        triggers=len(rows),
        trigger_ids=[str(row.id) for row in rows[:_LOGGED_ITEMS_MAX]],
        answered=sum(row.id in report.handled for row in rows),
        blocks_rendered=report.blocks_rendered,
        build_ms=run.build_ms,
        deploy_ms=run.deploy_ms,
        phases={name: round(value, 1) for name, value in report.phases.items()},
        error=run.error or None,
        warnings=[p.what for p in run.problems if p.severity == "warning"][:_LOGGED_ITEMS_MAX],
    )


def _result(report: BuildReport, node: str, again: Mapping[str, datetime]) -> BuildResult:
    """What the loop needs of a report."""
    apps = report.node_apps.get(node, frozenset())
    behind = report.behind.get(node, NOTHING_BEHIND)
    acknowledged = [row for row in report.triggers if row.id in report.handled]
    return BuildResult(
        runs=report.runs,
        unacknowledged={
            row.id: ChangeGroup(
                apps=row.affected_apps_on(node, apps) | behind.of(row),
                count=1,
                oldest=row.created_at or datetime.now(UTC),
                kinds=(row.trigger_type,),
            )
            for row in report.triggers
            if row.id not in report.handled and row.auto_deploy
        },
        behind=frozenset(behind.reads),
        boundaries=_boundaries(report, again),
        oldest_change=min((row.created_at for row in acknowledged if row.created_at), default=None),
    )


def _boundaries(
    report: BuildReport, again: Mapping[str, datetime]
) -> Mapping[str, datetime | None]:
    """When each app next changes by itself: its content, or the end of a pin, freeze or hold; and
    where it waits for something that is passing, when that is tried again.
    """
    boundaries = dict(report.plan.boundaries)
    ends = [(run.app, run.waits_until.until) for run in report.runs if run.waits_until]
    ends += [(run.target.app, h.until) for run in report.plan.runs for h in run.held.values()]
    ends += again.items()
    for app, until in ends:
        if until is not None:
            boundaries[app] = min(until, boundaries.get(app) or until)
    return boundaries
