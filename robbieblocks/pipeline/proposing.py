"""What would be live with some rows, compared with what would be live with others: no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from robbieblocks.model import SHARED_APP, Snapshot
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.inspecting import Inspection, inspect_parts, no_site
from robbieblocks.pipeline.parts import joined, planned
from robbieblocks.pipeline.planning import Plan, make_plan
from robbieblocks.pipeline.publishing import ComposedRun
from robbieblocks.pipeline.request import Request, Target
from robbieblocks.pipeline.session import MakingSession
from robbieblocks.pipeline.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """All pages that rows make, by target, and the plan that brings them in place of others.

    A target is not in `composed` where its templates or its branding fail.
    """

    inspection: Inspection
    composed: Mapping[Target, ComposedRun]
    plan: Plan


def propose(
    content: Snapshot,
    *,
    context: BuildContext,
    before: Proposal | None = None,
    now: datetime,
) -> Proposal:
    """Make every page of every node in memory, and plan it as if `before` were live.

    Raises as a dry run of `build` does, but for the database.
    """
    composed: dict[Target, ComposedRun] = {}
    live: Mapping[Target, ComposedRun] = before.composed if before else {}
    targets = _targets(content, live)
    session = MakingSession(
        request=Request(dry_run=True, repair=False),
        context=context,
        site=no_site(context),
        stopwatch=Stopwatch(),
        targets=targets,
        live=dict.fromkeys(targets),
        live_file=lambda target, path: live[target].contents[path],
    )
    with context.at_work(collect=False):
        # Several apps are rendered: what runs in the background must do so from the first.
        context.start_isolates(sum(len(page.blocks) for page in content.pages))
        parts = planned(context.resolve(content), session, now=now)
        inspection = inspect_parts(parts, composed.__setitem__)
        manifests = {
            target: live[target].manifest if target in live else None for target in targets
        }
        plans = [
            make_plan(part.content, part.compiled, replace(part.session, live=manifests), now=now)
            for part in parts
        ]
    return Proposal(inspection=inspection, composed=composed, plan=joined(plans))


def _targets(content: Snapshot, live: Mapping[Target, ComposedRun]) -> tuple[Target, ...]:
    """Each app on each node that shows it, or has shown it before."""
    apps = {SHARED_APP, *(page.app for page in content.pages)}
    found = {Target(node.id, app) for node in content.nodes for app in apps & {*node.apps}}
    nodes = {node.id for node in content.nodes}
    return tuple(sorted(found | {target for target in live if target.node in nodes}))
