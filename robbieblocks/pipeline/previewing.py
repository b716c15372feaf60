"""What would be live, made in memory: `robbieblocks dev` shows it, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from psycopg import Connection

from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import SHARED_APP, Manifest, Snapshot
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.inspecting import no_site
from robbieblocks.pipeline.parts import planned
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing import ComposedRun, compose, problems_of, remember_failures
from robbieblocks.pipeline.rendering import AppRendering, render
from robbieblocks.pipeline.request import Request, Target
from robbieblocks.pipeline.session import MakingSession, open_build, read
from robbieblocks.pipeline.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedRun:
    """One app on one node. `composed` is None where all stays as it was: the branding has an error,
    or a template failed.

    `problems` has the warnings of all rows. What composing warns of it has of the pages that are
    new.
    """

    target: Target
    composed: ComposedRun | None
    problems: tuple[Problem, ...]


def preview(
    request: Request,
    *,
    before: Mapping[Target, Manifest],
    context: BuildContext,
    connection: Connection,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> tuple[PreviewedRun, ...]:
    """Make what differs from the preview `before`, as a build makes what differs from what is live.

    A page with an error stays as it was there. Raises as a dry run of `build`.
    """
    with open_build(
        replace(request, dry_run=True, repair=False),
        context=context,
        connection=connection,
        site=no_site(context),
        progress=progress,
        live=before.get,
    ) as session:
        return _made(read(session), session, now=request.at or clock())


def stage(
    content: Snapshot,
    *,
    before: Mapping[Target, Manifest],
    context: BuildContext,
    now: datetime,
) -> tuple[PreviewedRun, ...]:
    """Make pages that no database has, on every node, as `preview` does.

    All of them are of the shared app. Raises ProcessFailed.
    """
    targets = tuple(sorted(Target(node.id, SHARED_APP) for node in content.nodes))
    session = MakingSession(
        request=Request(dry_run=True),
        context=context,
        site=no_site(context),
        stopwatch=Stopwatch(),
        targets=targets,
        live={target: before.get(target) for target in targets},
        live_file=lambda _target, _path: b"",
    )
    with context.at_work(collect=False):
        context.start_isolates(len(content.pages))
        return _made(content, session, now=now)


def _made(content: Snapshot, session: MakingSession, *, now: datetime) -> tuple[PreviewedRun, ...]:
    found: list[PreviewedRun] = []
    for part in planned(session.context.resolve(content), session, now=now):
        apps = render(part.plan, part.compiled.apps, part.session).apps
        found += [_previewed(run, apps[run.target.app], part.session) for run in part.plan.runs]
    return tuple(sorted(found, key=attrgetter("target")))


def _previewed(run: RunPlan, rendering: AppRendering, session: MakingSession) -> PreviewedRun:
    # A page whose row is warned of need not differ from what it was.
    rows = [problem for page in run.app.assembly.pages for problem in page.warnings]
    rows += run.app.warnings_of(run.app.placed)
    composed: ComposedRun | None = None
    problems = run.brand.problems
    if not run.branding_is_broken:
        try:
            composed = compose(run, rendering, session)
        except ContentError as error:
            problems = error.problems
        else:
            remember_failures(run, composed, session.context)
            problems = problems_of(run, composed)
    return PreviewedRun(
        target=run.target, composed=composed, problems=tuple(dict.fromkeys((*problems, *rows)))
    )
