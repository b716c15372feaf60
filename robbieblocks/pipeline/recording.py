"""The deploys row of each run: written before its work starts, closed whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from typing import Final
from uuid import UUID

from robbieblocks import failpoints, record
from robbieblocks.errors import DatabaseUnavailable, RobbieBlocksError
from robbieblocks.model import TriggerRow
from robbieblocks.pipeline.planning import Plan, is_kept_back
from robbieblocks.pipeline.report import RunReport, details_of, log_of
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import BuildSession

_TRIGGER_IDS_MAX: Final = 1000


class RunRecorder:
    """Writes the deploys rows of one build; in a dry run, none.

    `triggers` are the queue rows that the build covers; a run's row names up to 1,000 of them.
    """

    def __init__(self, session: BuildSession, triggers: Sequence[TriggerRow]) -> None:
        self._session = session
        self._triggers = triggers
        self._open: dict[Target, UUID] = {}
        self._plans: dict[Target, str] = {}

    def begin(self, target: Target) -> None:
        """Write a run's row, if it has none yet: before its work starts."""
        session = self._session
        if session.request.dry_run or target in self._open:
            return
        ids = [row.id for row in self._triggers if row.affects(target.node, target.app)]
        with session.stopwatch.phase("record"):
            self._open[target] = record.start(
                session.connection,
                node=target.node,
                app=target.app,
                triggered_by=session.request.triggered_by,
                live_hash=session.live_hash(target),
                trigger_ids=ids[:_TRIGGER_IDS_MAX],
            )
        failpoints.reached("begun")

    def begin_planned(self, plan: Plan) -> None:
        """Begin the runs that have work to do.

        Where nobody asked, and a pin, a freeze or the brake holds the app, that is no run, however
        often it is checked.
        """
        request, site = self._session.request, self._session.site
        for run in plan.runs:
            if run.has_work:
                self._plans[run.target] = run.hash
            held = request.unasked and is_kept_back(run, site, plan.now)
            if run.has_work and not held:
                self.begin(run.target)

    def run_id(self, target: Target) -> UUID | None:
        """The id of a run's row, if it has one that is open."""
        return self._open.get(target)

    def deploying(self, target: Target) -> None:
        """Note that a run begins to write its release.

        Raises DatabaseUnavailable where a peer has closed the run because it gave no sign of life.
        """
        run = self._open.get(target)
        if run is None:
            return
        with self._session.stopwatch.phase("record"):
            still_open = record.phase(self._session.connection, run, "deploying")
        if not still_open:
            del self._open[target]
            raise DatabaseUnavailable(
                f"the run of {target} was taken for dead, because it gave no "
                "sign of life for too long, and may not publish any more; it is done again"
            )

    def finish(self, report: RunReport) -> None:
        """Close a run's row with its report."""
        target = Target(report.node, report.app)
        run = self._open.pop(target, None)
        if run is None:
            return
        watch = self._session.stopwatch
        with watch.phase("record"):
            record.finish(
                self._session.connection,
                run,
                record.RunEnd(
                    status="failed" if report.outcome == "failed" else "success",
                    build_hash=report.build_hash,
                    build_ms=report.build_ms,
                    deploy_ms=report.deploy_ms,
                    pages=report.pages_live,
                    components=report.components,
                    error=report.error,
                    log=log_of(report, watch.phases),
                    details=details_of(report, self._plans.get(target, ""), watch.phases),
                ),
            )

    def abandon(
        self, error: BaseException, on_abandoned: Callable[[Target, UUID, BaseException], None]
    ) -> None:
        """Close every open row as failed: the build ends with an error that concerns all runs."""
        text = str(error) or type(error).__name__
        for target, run in self._open.items():
            live_hash = self._session.live_hash(target)
            end = record.RunEnd(status="failed", build_hash=live_hash, error=text)
            with suppress(RobbieBlocksError):
                record.finish(self._session.connection, run, end)
            on_abandoned(target, run, error)


@contextmanager
def record_runs(
    session: BuildSession,
    triggers: Sequence[TriggerRow],
    on_abandoned: Callable[[Target, UUID, BaseException], None],
) -> Generator[RunRecorder]:
    """A recorder whose open rows are closed as failed where the block raises.

    `on_abandoned` is told of each with the error.
    A run that was asked for has its row from the beginning; one that was not, once there is work.
    """
    recorder = RunRecorder(session, triggers)
    try:
        if not session.request.unasked:
            for target in session.targets:
                recorder.begin(target)
        yield recorder
    except BaseException as error:
        recorder.abandon(error, on_abandoned)
        raise
