"""The end of a run: its release is composed, published (not in a dry run), and reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from robbieblocks import failpoints
from robbieblocks.errors import Problem, RobbieBlocksError, Transient
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing.composing import (
    ComposedRun,
    compose,
    page_reports,
    problems_of,
    remember_failures,
)
from robbieblocks.pipeline.publishing.preview import write_copy
from robbieblocks.pipeline.publishing.releasing import release_unless_held
from robbieblocks.pipeline.publishing.run_result import Result, report_of
from robbieblocks.pipeline.publishing.searching import with_search
from robbieblocks.pipeline.recording import RunRecorder
from robbieblocks.pipeline.rendering import AppRendering
from robbieblocks.pipeline.report import RunReport
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.row_faults import blame, is_fault


def publish(
    run: RunPlan,
    rendering: AppRendering,
    session: BuildSession,
    recorder: RunRecorder,
    *,
    now: datetime,
) -> RunReport:
    """Compose a run, publish it and close its row; an error of its own ends this run alone.

    `now` is the instant of the plan: what is frozen then waits. Raises SiteUnavailable where the
    copy of a dry run can't be written.
    """
    session.progress(f"{run.target.node}: {run.target.app}")
    composed: ComposedRun | None = None
    known = Result(outcome="failed", build_hash=session.live_hash(run.target))
    run_id = recorder.run_id(run.target)
    try:
        composed = _compose(run, rendering, session)
        known = _known_before_release(run, composed, session)
        result = release_unless_held(run, composed, known, session, recorder, now)
    except RobbieBlocksError as error:
        result = replace(known, error=str(error), transient=isinstance(error, Transient))
    except OSError as error:
        remedy = "see to the disk and its rights; it is tried again"
        result = replace(known, error=f"{error}\n  -> {remedy}", transient=True)
    except Exception as error:
        if not is_fault(error):
            raise
        faults: list[Problem] = []
        with blame(faults.append, "release", f"{run.target.node}/{run.target.app}"):
            raise
        result = replace(known, error=f"{faults[0].what}\n  -> report it, with the worker's log")
    report = report_of(run, result, session, recorder.run_id(run.target) or run_id)
    failpoints.reached("concluded")
    recorder.finish(report)
    failpoints.reached("closed")
    if session.request.out is not None and composed is not None:
        write_copy(session.request.out, composed, session.site)
    return report


def _compose(run: RunPlan, rendering: AppRendering, session: BuildSession) -> ComposedRun:
    """Compose, and remember which pages did not render: the next build does not try them again."""
    with session.stopwatch.step("compose"):
        composed = compose(run, rendering, session)
    composed = with_search(run, composed, session)
    remember_failures(run, composed, session.context)
    return composed


def _known_before_release(run: RunPlan, composed: ComposedRun, session: BuildSession) -> Result:
    """What can be told of a run that has not been published."""
    with session.stopwatch.step("report"):
        pages, unchanged = page_reports(run, composed, session.site)
    return Result(
        outcome="failed",
        build_hash=session.live_hash(run.target),
        pages=pages,
        unchanged=unchanged,
        problems=problems_of(run, composed),
        build_ms=session.stopwatch.total_ms,
    )
