"""Making the plan of a whole build."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import partial

from robbieblocks import release
from robbieblocks.assemble import next_boundary
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Snapshot
from robbieblocks.pipeline.compiling import Compiled
from robbieblocks.pipeline.planning.brake import check_approvals
from robbieblocks.pipeline.planning.comparing import Comparison, Problems, plan_run
from robbieblocks.pipeline.planning.plan import Plan
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import BuildSession

TOKENS_FILE = "tokens.json"


def make_plan(
    content: Snapshot, compiled: Compiled, session: BuildSession, *, now: datetime
) -> Plan:
    """What is going to happen to each page of each target at an instant, and why.

    Raises SiteUnavailable where the live release can't be read, and UsageError for an approved hash
    that is no plan's.
    """
    request, memory = session.request, session.context.memory
    with session.stopwatch.step("plan"):
        nodes = {node.id: node for node in content.nodes}
        conflicts = {
            node: memory.routes.conflicts(content, nodes[node]) for node in compiled.brands
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
                    only=frozenset(request.pages),
                    conflicts=_of_app(target.app, conflicts[target.node], content),
                    failures=memory.failures,
                    damaged=_damaged(target, session),
                    live_tokens=partial(_live_tokens, target, session),
                )
            )
            for target in session.targets
        ]
        boundaries = {
            name: next_boundary(app.assembly.pages, now) for name, app in compiled.apps.items()
        }
    plan = Plan(runs=tuple(runs), now=now, boundaries=boundaries)
    check_approvals(plan, request)
    return plan


def _of_app(app: str, conflicts: Problems, content: Snapshot) -> Problems:
    if not conflicts:
        return conflicts
    own = {page.key for page in content.pages if page.app == app}
    return {key: problems for key, problems in conflicts.items() if key in own}


def _damaged(target: Target, session: BuildSession) -> frozenset[str]:
    """What of the live release is not as it was published, by size and time."""
    if not session.request.repair:
        return frozenset()
    root = session.site.root
    return frozenset(release.verify(root, target.node, target.app, quick=True))


def _live_tokens(target: Target, session: BuildSession) -> Mapping[str, str]:
    """The resolved tokens of the live release; none where they can't be read."""
    try:
        body = release.read_live(session.site.root, target.node, target.app, TOKENS_FILE)
        found: dict[str, str] = json.loads(body)
    except (SiteUnavailable, ValueError):
        return {}
    return found
