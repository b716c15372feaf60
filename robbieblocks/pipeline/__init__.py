"""The pipeline: open, read, assemble, compile, plan, render, publish, record, acknowledge.

What is live is compared with what the rows say should be live, and only the difference is made: a
page whose fingerprint is in the live manifest is neither rendered nor written again.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from psycopg import Connection

from robbieblocks.pipeline.acknowledging import acknowledge
from robbieblocks.pipeline.announcing import announce, announce_abandoned
from robbieblocks.pipeline.compiling import assemble, compile_apps
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.fingerprints import links_sheet
from robbieblocks.pipeline.inspecting import InspectedPage, Inspection, inspect, keys_shown
from robbieblocks.pipeline.maintenance import MAINTENANCE_LOGGER
from robbieblocks.pipeline.planning import (
    Cause,
    Plan,
    PlannedPage,
    RunPlan,
    causes_of_problems,
    joint_hash,
    make_plan,
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
            content, assemblies = assemble(content, session, now=now)
            compiled = compile_apps(content, assemblies, session)
            plan = make_plan(content, compiled, session, now=now)
            recorder.begin_planned(plan)
            rendering = render(plan, compiled.apps, session)
            runs: list[RunReport] = []
            for run in plan.runs:
                app = rendering.apps[run.target.app]
                runs.append(publish(run, app, session, recorder, now=plan.now))
                announce(runs[-1], run, session, clock())
            handled, refused = acknowledge(content, runs, session)
    return BuildReport(
        plan=plan,
        runs=tuple(runs),
        triggers=content.triggers,
        handled=handled,
        refused=refused,
        node_apps={node.id: frozenset(node.apps) for node in content.nodes},
        compiled=compiled.components,
        blocks_rendered=rendering.count,
        dry_run=request.dry_run,
        out=str(request.out or ""),
        phases=session.stopwatch.phases,
    )
