"""The end of a run: its release is composed, published (not in a dry run), and reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from robbieblocks import failpoints, release
from robbieblocks.errors import Problem, RobbieBlocksError, Transient
from robbieblocks.model import PageEntry
from robbieblocks.pipeline.planning import (
    RunPlan,
    broken_glass_warning,
    causes_of_problems,
    freeze_of,
    freeze_warning,
    held_reason,
    pin_of,
    pin_warning,
)
from robbieblocks.pipeline.publishing.composing import (
    ComposedRun,
    compose,
    page_reports,
    problems_of,
    remember_failures,
)
from robbieblocks.pipeline.publishing.mending import mend
from robbieblocks.pipeline.publishing.preview import write_copy
from robbieblocks.pipeline.publishing.searching import with_search
from robbieblocks.pipeline.recording import RunRecorder
from robbieblocks.pipeline.rendering import AppRendering
from robbieblocks.pipeline.report import Outcome, PageReport, RunReport
from robbieblocks.pipeline.request import BreakGlass
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.release import Freeze, NotServed, Pin, SiteRoot


@dataclass(frozen=True, slots=True, kw_only=True)
class _Result:
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
    known = _Result(outcome="failed", build_hash=session.live_hash(run.target))
    run_id = recorder.run_id(run.target)
    try:
        composed = _compose(run, rendering, session)
        known = _known_before_release(run, composed, session)
        result = _release(run, composed, known, session, recorder, now)
    except RobbieBlocksError as error:
        result = replace(known, error=str(error), transient=isinstance(error, Transient))
    report = _report(run, result, session, recorder.run_id(run.target) or run_id)
    failpoints.reached("concluded")
    recorder.finish(report)
    failpoints.reached("closed")
    if session.request.out is not None and composed is not None:
        write_copy(session.request.out, composed, session.site)
    return report


def _compose(run: RunPlan, rendering: AppRendering, session: BuildSession) -> ComposedRun:
    """Compose, and remember which pages did not render: the next build does not try them again."""
    with session.stopwatch.step("compose"):
        composed = compose(run, rendering, session.context.toolchain.id)
    composed = with_search(run, composed, session)
    remember_failures(run, composed, session.context)
    return composed


def _known_before_release(run: RunPlan, composed: ComposedRun, session: BuildSession) -> _Result:
    """What can be told of a run that has not been published."""
    with session.stopwatch.step("report"):
        pages, unchanged = page_reports(run, composed, session.site)
    return _Result(
        outcome="failed",
        build_hash=session.live_hash(run.target),
        pages=pages,
        unchanged=unchanged,
        problems=problems_of(run, composed),
        build_ms=session.stopwatch.total_ms,
    )


def _release(
    run: RunPlan,
    composed: ComposedRun,
    known: _Result,
    session: BuildSession,
    recorder: RunRecorder,
    now: datetime,
) -> _Result:
    """Publish the composed release, unless something keeps it from going out."""
    if run.branding_is_broken:
        known = replace(known, pages=tuple(_kept_back(page, run) for page in known.pages))
        error = _held_back(known) or "the node's branding has errors: nothing went out"
        return replace(known, error=error)
    if held := held_reason(run, session.site):
        return replace(known, error=held)
    held_back = _held_back(known)
    if session.request.strict and held_back:
        return replace(known, error=f"{held_back}; --strict: nothing went out")
    # Holds that can't be read hold everything: which pages are meant is not known.
    release.holds(session.site.root, run.target.node, run.target.app)
    pin = pin_of(run, session.site)
    # What is damaged is mended all the same: that is no new content.
    differs = composed.manifest.build_hash != known.build_hash
    freeze = freeze_of(run, session.site, now) if differs else None
    by = session.request.during_freeze
    if run.damaged and differs and (freeze or pin) and not session.request.dry_run:
        known = replace(known, problems=(*known.problems, mend(run, composed, session)))
    if pin and pin.build_hash != composed.manifest.build_hash:
        result = replace(_kept(known, pin_warning(run, pin)), pin=pin, freeze=freeze)
        return _with_error(result, held_back)
    if freeze and not by:
        result = replace(_kept(known, freeze_warning(run, freeze)), freeze=freeze)
        return _with_error(result, held_back)
    if freeze and by:
        warning = broken_glass_warning(run, freeze, by)
        known = replace(known, problems=(*known.problems, warning), freeze=freeze, during_freeze=by)
    if session.request.dry_run:
        result = _dry_run(composed, known)
    else:
        result = _published(run, composed, known, session, recorder)
    return _with_error(result, held_back)


def _with_error(result: _Result, held_back: str) -> _Result:
    """The result, failed where pages are held back."""
    return replace(result, outcome="failed", error=held_back) if held_back else result


def _kept_back(page: PageReport, run: RunPlan) -> PageReport:
    """The report of a page that does not go out because the node's branding has an error."""
    if page.change in ("unchanged", "held back"):
        return page
    return PageReport(
        key=page.key,
        route="" if page.change == "added" else page.route,
        change="held back",
        causes=causes_of_problems(run.brand.problems),
    )


def _kept(known: _Result, why: Problem) -> _Result:
    """The result of a run that leaves what is live as it is, because of a pin or a freeze."""
    pages = tuple(
        page
        if page.change == "held back"
        else replace(page, change="unchanged", size=None, size_before=None)
        for page in known.pages
        if page.change != "added"
    )
    return replace(known, outcome="unchanged", pages=pages, problems=(*known.problems, why))


def _dry_run(composed: ComposedRun, known: _Result) -> _Result:
    build_hash = composed.manifest.build_hash
    return replace(
        known,
        outcome="published" if build_hash != known.build_hash else "unchanged",
        build_hash=build_hash,
        files_written=len(composed.contents),
        bytes_written=sum(map(len, composed.contents.values())),
    )


def _published(
    run: RunPlan,
    composed: ComposedRun,
    known: _Result,
    session: BuildSession,
    recorder: RunRecorder,
) -> _Result:
    build_hash = composed.manifest.build_hash
    if build_hash != known.build_hash:
        # A file of the node alone may differ: that is work which the plan could not know of.
        recorder.begin(run.target)
    recorder.deploying(run.target)
    node, app = run.target.node, run.target.app
    release.settle_audit(session.site.root, node, app)
    with release.write_release(
        session.site.root, composed.manifest, composed.contents, composed.assets.values()
    ) as written:
        # Only the disk is busy now: this costs no time.
        session.context.blocks.flush()
        fence = partial(session.check_lease, run.target)
        address = session.site.addresses.of(node)
        done = release.make_live(written, fence=fence, address=address)
        release.end_holds(
            session.site.root, node, app, run.no_longer_held, why="the page's rows changed"
        )
    session.stopwatch.add("write", done.write_ms)
    session.stopwatch.add("sync", done.sync_ms)
    session.stopwatch.add("swap", done.swap_ms)
    session.stopwatch.add("smoke", done.smoke_ms)
    return replace(
        known,
        outcome="published" if done.swapped else "unchanged",
        build_hash=build_hash,
        problems=(
            *known.problems,
            *_not_served(node, app, done.not_served),
            *_unnoted(node, app, session.site.root),
        ),
        files_written=done.files_written,
        bytes_written=done.bytes_written,
        deploy_ms=round(done.write_ms + done.sync_ms + done.swap_ms),
    )


def _not_served(node: str, app: str, found: Iterable[NotServed]) -> Iterator[Problem]:
    """A warning for what visitors don't get of a release that stays live."""
    for each in found:
        yield Problem(
            entity="release",
            key=f"{node}/{app}",
            what=each.what,
            remedy=each.remedy,
            severity="warning",
        )


def _unnoted(node: str, app: str, site_root: SiteRoot) -> Iterator[Problem]:
    """A warning for each act of which the audit log does not tell, such as a hold that ended."""
    while site_root.unnoted:
        what = f"`robbieblocks audit` does not tell of all of it: {site_root.unnoted.pop()}"
        yield Problem(entity="release", key=f"{node}/{app}", what=what, severity="warning")


def _held_back(known: _Result) -> str:
    """The pages held back and why, as the deploys row keeps it; empty where none is."""
    keys = [page.key for page in known.pages if page.change == "held back"]
    if not keys:
        return ""
    errors = (str(problem) for problem in known.problems if problem.severity == "error")
    return "\n".join((f"held back: {', '.join(sorted(keys))}", *errors))


def _report(run: RunPlan, result: _Result, session: BuildSession, run_id: UUID | None) -> RunReport:
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
