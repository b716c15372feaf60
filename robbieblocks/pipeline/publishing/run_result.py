"""What a run came to, before it is reported, and what keeps it or parts of it back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from robbieblocks.errors import Problem
from robbieblocks.model import PageEntry
from robbieblocks.pipeline.planning import RunPlan, causes_of_problems
from robbieblocks.pipeline.report import Outcome, PageReport, RunReport
from robbieblocks.pipeline.request import BreakGlass
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.release import Freeze, Pin


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run came to, before it is reported. `error` is empty where it succeeded.

    `pin` or `freeze` kept its changes from going out, or `during_freeze` says who had them go out.
    """

    outcome: Outcome
    build_hash: str
    pages: tuple[PageReport, ...] = ()
    unchanged: tuple[PageEntry, ...] = ()
    problems: tuple[Problem, ...] = ()
    error: str = ""
    transient: bool = False
    pin: Pin | None = None
    freeze: Freeze | None = None
    during_freeze: BreakGlass | None = None
    files_written: int = 0
    bytes_written: int = 0
    build_ms: int = 0
    deploy_ms: int = 0


def with_error(result: Result, held_back: str) -> Result:
    """The result, failed where pages are held back."""
    return replace(result, outcome="failed", error=held_back) if held_back else result


def kept_back(page: PageReport, run: RunPlan) -> PageReport:
    """The report of a page that does not go out because the node's branding has an error."""
    if page.change in ("unchanged", "held back"):
        return page
    return PageReport(
        key=page.key,
        route="" if page.change == "added" else page.route,
        change="held back",
        causes=causes_of_problems(run.brand.problems),
    )


def kept(known: Result, why: Problem) -> Result:
    """The result of a run that leaves what is live as it is, because of a pin or a freeze."""
    pages = tuple(
        page
        if page.change == "held back"
        else replace(page, change="unchanged", size=None, size_before=None)
        for page in known.pages
        if page.change != "added"
    )
    return replace(known, outcome="unchanged", pages=pages, problems=(*known.problems, why))


def held_back_text(known: Result) -> str:
    """The pages held back and why, as the deploys row keeps it; empty where none is."""
    keys = [page.key for page in known.pages if page.change == "held back"]
    if not keys:
        return ""
    errors = (str(problem) for problem in known.problems if problem.severity == "error")
    return "\n".join((f"held back: {', '.join(sorted(keys))}", *errors))


def report_of(
    run: RunPlan, result: Result, session: BuildSession, run_id: UUID | None
) -> RunReport:
    """The report of a run that came to this; `run_id` is its row's, where it has one."""
    return RunReport(
        node=run.target.node,
        app=run.target.app,
        outcome=result.outcome,
        build_hash=result.build_hash,
        hash_before=session.live_hash(run.target),
        planned=result.pages,
        unchanged=result.unchanged,
        components=len(run.app.placed),
        files_written=result.files_written,
        bytes_written=result.bytes_written,
        build_ms=result.build_ms,
        deploy_ms=result.deploy_ms,
        # What waits, or did not go out, is not what visitors get.
        styles=run.sheet_causes if result.build_hash != session.live_hash(run.target) else (),
        problems=result.problems,
        error=result.error,
        transient=result.transient,
        pin=result.pin,
        freeze=result.freeze,
        during_freeze=result.during_freeze,
        run=run_id,
        drafts=run.drafts,
        damaged=tuple(sorted(run.damaged)),
    )
