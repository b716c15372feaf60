"""A build in parts: nodes that show lists of other apps differently have pages of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from robbieblocks.model import Snapshot
from robbieblocks.pipeline.compiling import Compiled, assemble, compile_apps
from robbieblocks.pipeline.elsewhere import in_parts
from robbieblocks.pipeline.planning import Plan, RunPlan, make_plan
from robbieblocks.pipeline.session import MakingSession

S = TypeVar("S", bound=MakingSession)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPart(Generic[S]):
    """What is planned for some of the nodes: nearly always it is all of them.

    `content` has the pages as they are shown there.
    """

    session: S
    content: Snapshot
    compiled: Compiled
    plan: Plan

    def of(self, plan: Plan) -> Plan:
        """What a plan of all parts has for this one."""
        own = {*self.session.targets}
        return replace(plan, runs=tuple([run for run in plan.runs if run.target in own]))

    def in_order(self, plan: Plan) -> list[RunPlan]:
        """Its runs: what lists pages of other apps goes out after these."""
        reads = self.session.context.memory.relations.reads
        return sorted(self.of(plan).runs, key=lambda run: run.target.app in reads)


def planned(content: Snapshot, session: S, *, now: datetime) -> Sequence[PlannedPart[S]]:
    """Assemble, compile and plan, for each part of the nodes. Raises as these do."""
    found: list[PlannedPart[S]] = []
    for part in in_parts(content, session, now=now):
        shown, assemblies = assemble(content, part, now=now)
        compiled = compile_apps(shown, assemblies, part)
        plan = make_plan(shown, compiled, part, now=now)
        found.append(PlannedPart(session=part, content=shown, compiled=compiled, plan=plan))
    return found


def joined(plans: Sequence[Plan]) -> Plan:
    """The plan of all parts."""
    first, *others = plans
    if not others:
        return first
    runs = [run for plan in plans for run in plan.runs]
    boundaries = dict(first.boundaries)
    for plan in others:
        for app, at in plan.boundaries.items():
            known = boundaries.get(app)
            boundaries[app] = at if known is None else min(known, at or known)
    runs.sort(key=lambda run: run.target)
    return Plan(runs=tuple(runs), now=first.now, boundaries=boundaries)
