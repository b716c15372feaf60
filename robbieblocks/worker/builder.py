"""The real Builder: the pipeline, with everything it needs kept warm between builds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from psycopg import Connection

from robbieblocks import pipeline
from robbieblocks.model import TriggerRow
from robbieblocks.pipeline import BuildContext, BuildReport, Request, RunReport, Site
from robbieblocks.settings import Settings
from robbieblocks.worker.agenda import Job, PartialAcknowledgement
from robbieblocks.worker.log import Log
from robbieblocks.worker.ports import BuildResult, Run

_IDS_IN_A_LINE = 20


@dataclass(slots=True, kw_only=True)
class PipelineBuilder:
    """Builds apps of one node over the loop's connection.

    The context (toolchain, templates, cache, isolate) is opened with the first build. A thorough
    job replaces templates and toolchain where they have changed since.
    """

    node: str
    settings: Settings
    site: Site
    connection: Callable[[], Connection]
    phase: Callable[[str], None]
    log: Log
    _context: BuildContext | None = None

    def build(self, job: Job, partial: Mapping[UUID, PartialAcknowledgement]) -> BuildResult:
        """Build, publish, record, acknowledge. Raises RobbieBlocksError where all of it failed."""
        request = Request(
            nodes=(self.node,),
            apps=job.apps,
            triggered_by=job.triggered_by,
            unasked=not job.asked,
            repair=job.thorough,
            allow_missing_apps=True,
            built_before={key: row.built for key, row in partial.items()},
        )
        report = pipeline.build(
            request,
            context=self._opened(thorough=job.thorough),
            connection=self.connection(),
            site=self.site,
            clock=lambda: datetime.now(UTC),
            progress=self._progress,
        )
        self._tell(job, report)
        return _built(report, report.node_apps.get(self.node, frozenset()))

    def close(self) -> None:
        """End the isolate's process and close the cache."""
        if self._context is not None:
            context, self._context = self._context, None
            context.close()

    def _opened(self, *, thorough: bool) -> BuildContext:
        if self._context is None:
            self._context = BuildContext.open(self.settings, self._progress, standby=True)
        elif thorough:
            self._context.refresh(self._progress)
        return self._context

    def _progress(self, message: str) -> None:
        self.phase(message)
        self.log.debug("build.progress", message=message)

    def _tell(self, job: Job, report: BuildReport) -> None:
        """One line a run: what became of it, who asked, and where the time went."""
        for run in report.runs:
            if run.outcome == "unchanged" and not job.asked and not run.files_written:
                continue
            asked = [row for row in report.triggers if _concerns(row, run.app)]
            say = {"published": self.log.info, "unchanged": self.log.info}.get(
                run.outcome, self.log.warning
            )
            say(
                "run.finished",
                run=str(run.run) if run.run else None,
                node=run.node,
                app=run.app,
                outcome=run.outcome,
                reason=job.reason,
                triggered_by=job.triggered_by,
                build_hash=run.build_hash,
                hash_before=run.hash_before,
                changed=[page.key for page in run.changed][:_IDS_IN_A_LINE],
                causes=[str(cause) for cause in run.causes[:_IDS_IN_A_LINE]],
                held_back=[page.key for page in run.held_back][:_IDS_IN_A_LINE],
                triggers=len(asked),
                trigger_ids=[str(row.id) for row in asked[:_IDS_IN_A_LINE]],
                answered=sum(row.id in report.handled for row in asked),
                build_ms=run.build_ms,
                deploy_ms=run.deploy_ms,
                phases={name: round(value, 1) for name, value in report.phases.items()},
                error=run.error or None,
                warnings=[p.what for p in run.problems if p.severity == "warning"][:_IDS_IN_A_LINE],
            )


def _concerns(row: TriggerRow, app: str) -> bool:
    return row.affected_apps is None or app in row.affected_apps


def _built(report: BuildReport, carried: frozenset[str]) -> BuildResult:
    answered = [row for row in report.triggers if row.id in report.handled]
    waiting = [row for row in report.triggers if row.id not in report.handled and row.auto_deploy]
    return BuildResult(
        runs=tuple(_run(run) for run in report.runs),
        answered=tuple(row.id for row in answered),
        unanswered={row.id: _owed(row, carried) for row in waiting},
        boundaries=report.plan.boundaries,
        phases=report.phases,
        oldest=min((row.created_at for row in answered if row.created_at), default=None),
    )


def _owed(row: TriggerRow, carried: frozenset[str]) -> PartialAcknowledgement:
    return PartialAcknowledgement(
        apps=carried if row.affected_apps is None else carried.intersection(row.affected_apps),
        built=frozenset(),
        kind=row.trigger_type,
        created_at=row.created_at or datetime.now(UTC),
    )


def _run(run: RunReport) -> Run:
    return Run(
        app=run.app,
        outcome=run.outcome,
        build_hash=run.build_hash,
        pages=run.page_count,
        error=run.error,
        transient=run.transient,
    )
