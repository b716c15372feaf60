"""The plan of a build: what each run does, found by comparing it with what is live."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import partial

from robbieblocks.assemble import next_boundary
from robbieblocks.model import SHARED_APP, NodeIndex, Snapshot, template_of
from robbieblocks.pipeline.compiling import Compiled
from robbieblocks.pipeline.planning.comparing import plan_run
from robbieblocks.pipeline.planning.comparison import Comparison
from robbieblocks.pipeline.planning.drafts import with_drafts
from robbieblocks.pipeline.planning.heading import with_headers
from robbieblocks.pipeline.planning.live_files import damaged_files, live_tokens
from robbieblocks.pipeline.planning.plan import Plan
from robbieblocks.pipeline.planning.redirecting import holding_back, with_redirects
from robbieblocks.pipeline.planning.sheets import with_sheet
from robbieblocks.pipeline.session import MakingSession
from robbieblocks.pipeline.settled import SettledPages


def make_plan(
    content: Snapshot, compiled: Compiled, session: MakingSession, *, now: datetime
) -> Plan:
    """What is going to happen to each page of each target at an instant, and why.

    Raises SiteUnavailable where the live release can't be read.
    """
    request, memory = session.request, session.context.memory
    with session.stopwatch.step("plan"):
        nodes = {node.id: node for node in content.nodes}
        conflicts = {
            node: memory.routes.conflicts(
                content, nodes[node], partial(session.live_manifest, node)
            )
            for node in compiled.brands
        }
        redirects = {
            node: memory.routes.redirects(content, nodes[node]) for node in compiled.brands
        }
        runs = [
            plan_run(
                Comparison(
                    target=target,
                    node=nodes[target.node],
                    brand=compiled.brands[target.node],
                    app=compiled.apps[target.app],
                    live=session.live[target],
                    now=now,
                    only=_only(request.pages, content),
                    conflicts=holding_back(
                        target.app,
                        conflicts[target.node],
                        redirects[target.node].problems,
                        content,
                    ),
                    failures=memory.failures,
                    settled=memory.settled.setdefault(target, SettledPages()),
                    damaged=damaged_files(target, session),
                    live_tokens=partial(live_tokens, target, session),
                    holds=session.holds.get(target, {}),
                    index=memory.indexes.of(content, nodes[target.node])
                    if target.app == SHARED_APP
                    else NodeIndex(),
                    # A dry run says what rows ask for: it tries nothing again.
                    card_is_due=(lambda _: False)
                    if request.dry_run
                    else partial(session.context.cards.is_due, target),
                )
            )
            for target in session.targets
        ]
        runs = [with_sheet(run, now, partial(live_tokens, run.target, session)) for run in runs]
        runs = [
            with_redirects(run, redirects[run.target.node], partial(session.live_file, run.target))
            for run in runs
        ]
        runs = [
            with_headers(run, content.app_settings, partial(session.live_file, run.target))
            for run in runs
        ]
        if request.drafts:
            runs = [with_drafts(run, content, conflicts[run.target.node]) for run in runs]
        boundaries = {
            name: next_boundary(app.assembly.pages, now, content.frame_instants.get(name))
            for name, app in compiled.apps.items()
        }
    return Plan(runs=tuple(runs), now=now, boundaries=boundaries)


def _only(asked: Collection[str], content: Snapshot) -> frozenset[str]:
    """The keys of the pages that may change; empty for all, as where a frame is asked for.

    A template stands for all pages that are made from it; of a row that is gone, its page remains.
    """
    if not asked:
        return frozenset()
    wanted = set(asked)
    rows = {page.key: {page.part_of or page.key, page.row_key} for page in content.pages}
    made = {key for key in wanted if template_of(key)}
    if not wanted <= made.union(*rows.values()):
        return frozenset()
    return frozenset(made).union(key for key, of_page in rows.items() if of_page & wanted)
