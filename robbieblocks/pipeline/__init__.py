"""The pipeline: open, read, assemble, compile, plan, render, publish, record, acknowledge.

What is live is compared with what the rows say should be live, and only the difference is made: a
page whose fingerprint is in the live manifest is neither rendered nor written again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from operator import attrgetter

from psycopg import Connection

from robbieblocks.pipeline.acknowledging import acknowledge
from robbieblocks.pipeline.announcing import announce, announce_abandoned
from robbieblocks.pipeline.behind import (
    NOTHING_BEHIND,
    Behind,
    RunEnd,
    readers_of_changed,
    what_is_behind,
)
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.fingerprints import links_sheet
from robbieblocks.pipeline.inspecting import InspectedPage, Inspection, inspect, keys_shown
from robbieblocks.pipeline.maintenance import MAINTENANCE_LOGGER
from robbieblocks.pipeline.parts import joined, planned
from robbieblocks.pipeline.planning import (
    Cause,
    Plan,
    PlannedPage,
    RunPlan,
    causes_of_problems,
    joint_hash,
    with_approvals,
)
from robbieblocks.pipeline.previewing import PreviewedRun, preview, stage
from robbieblocks.pipeline.proposing import Proposal, propose
from robbieblocks.pipeline.publishing import ComposedRun, publish
from robbieblocks.pipeline.recording import record_runs
from robbieblocks.pipeline.rendering import render
from robbieblocks.pipeline.report import BuildReport, PageReport, RunReport, causes_text
from robbieblocks.pipeline.request import BreakGlass, Request, Target, read_instant
from robbieblocks.pipeline.session import open_build, read
from robbieblocks.pipeline.site import Site, apps_with_pages

__all__ = [
    "MAINTENANCE_LOGGER",
    "NOTHING_BEHIND",
    "BreakGlass",
    "BuildContext",
    "BuildReport",
    "Cause",
    "ComposedRun",
    "InspectedPage",
    "Inspection",
    "PageReport",
    "Plan",
    "PlannedPage",
    "PreviewedRun",
    "Proposal",
    "Request",
    "RunPlan",
    "RunReport",
    "Site",
    "Target",
    "apps_with_pages",
    "build",
    "causes_of_problems",
    "causes_text",
    "inspect",
    "joint_hash",
    "keys_shown",
    "links_sheet",
    "preview",
    "propose",
    "read_instant",
    "readers_of_changed",
    "stage",
]


def build(
    request: Request,
    *,
    context: BuildContext,
    connection: Connection,
    site: Site,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> BuildReport:
    """Build what is asked for and publish it; in a dry run, plan and render it.

    Every target leaves a finished row in robbieblocks_deploys, whatever happens. Raises UsageError
    for unknown names and Transient errors that concern all targets; what concerns one target alone
    is in its RunReport.
    """
    with open_build(
        request, context=context, connection=connection, site=site, progress=progress
    ) as session:
        content = read(session)
        with record_runs(
            session, content.triggers, on_abandoned=partial(announce_abandoned, session, clock)
        ) as recorder:
            now = request.at or clock()
            parts = planned(content, session, now=now)
            plan = with_approvals(joined([part.plan for part in parts]), request)
            recorder.begin_planned(plan)
            runs: list[RunReport] = []
            behind: dict[str, Behind] = {}
            blocks = 0
            for part in parts:
                rendering = render(part.of(plan), part.compiled.apps, part.session)
                blocks += rendering.count
                for run in part.in_order(plan):
                    app = rendering.apps[run.target.app]
                    runs.append(publish(run, app, part.session, recorder, now=plan.now))
                    announce(runs[-1], run, session, clock())
                ends: dict[Target, RunEnd] = {
                    Target(run.node, run.app): "waits"
                    if run.waits
                    else "failed"
                    if run.transient
                    else "done"
                    for run in runs
                }
                behind |= what_is_behind(content, part.content, part.session, ends, now=now)
            handled, refused = acknowledge(parts[0].content, runs, session, behind)
    compiled = {key for part in parts for key in part.compiled.components}
    return BuildReport(
        plan=plan,
        runs=tuple(sorted(runs, key=attrgetter("node", "app"))),
        triggers=content.triggers,
        handled=handled,
        refused=refused,
        node_apps={node.id: frozenset(node.apps) for node in content.nodes},
        behind=behind,
        compiled=tuple(sorted(compiled)),
        blocks_rendered=blocks,
        dry_run=request.dry_run,
        out=str(request.out or ""),
        phases=session.stopwatch.phases,
    )
