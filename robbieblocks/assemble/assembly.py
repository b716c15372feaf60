"""All pages of an app as plans, and each plan as one node shows it at one instant."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from robbieblocks.assemble.components import Parts
from robbieblocks.assemble.conditions import ALWAYS, Context, boundaries, decide
from robbieblocks.assemble.pages import PagePlan, PageReader, component_keys
from robbieblocks.errors import Problem
from robbieblocks.model import (
    SHARED_APP,
    AssembledBlock,
    AssembledPage,
    ComponentRow,
    NodeRow,
    PageRow,
    Snapshot,
)

_KEY: Final = attrgetter("key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """An app's pages: plans of those without faults, and the problems of those held back.

    `problems` lists every problem once, warnings included; `held_back` gives, by page key, the
    errors that keep a page from being built, those of its components among them. `components` are
    the rows that the pages were checked against, `layouts` the layouts there were.
    """

    pages: tuple[PagePlan, ...]
    problems: tuple[Problem, ...]
    held_back: Mapping[str, tuple[Problem, ...]]
    components: Mapping[str, ComponentRow] = field(default_factory=dict, repr=False, compare=False)
    layouts: frozenset[str] = frozenset()


def assemble(
    snapshot: Snapshot, app: str, *, layouts: Collection[str], previous: Assembly | None = None
) -> Assembly:
    """The pages of one app, whatever the node, in the order of their keys.

    `layouts` are the names of the layouts there are. Plans of `previous` are taken over where
    neither the page's row nor what its components ask for has changed.
    """
    parts = Parts(snapshot.components)
    there = frozenset(layouts)
    known = {plan.row.key: plan for plan in previous.pages} if previous is not None else {}
    # A snapshot that hands back the same mapping has the same components.
    settled = previous is not None and previous.components is snapshot.components
    unaltered = settled and previous is not None and previous.layouts == there
    pages = sorted([page for page in snapshot.pages if page.app == app], key=_KEY)
    plans: list[PagePlan] = []
    problems: dict[Problem, None] = {}
    held_back: dict[str, tuple[Problem, ...]] = {}
    for row in pages:
        plan = known.get(row.key)
        if plan is not None and plan.row is row and unaltered:
            pass
        elif plan is None or not _still_holds(plan, row, None if settled else parts, there):
            made = PageReader(row, parts, there).plan()
            if not isinstance(made, PagePlan):
                held_back[row.key] = tuple(p for p in made if p.severity == "error")
                problems.update(dict.fromkeys(made))
                continue
            plan = made
        if plan.warnings:
            problems.update(dict.fromkeys(plan.warnings))
        plans.append(plan)
    return Assembly(
        pages=tuple(plans),
        problems=tuple(problems),
        held_back=held_back,
        components=snapshot.components,
        layouts=there,
    )


def _still_holds(
    plan: PagePlan, row: PageRow, parts: Parts | None, layouts: Collection[str]
) -> bool:
    """Whether a plan is what the row would give now; `parts` None: its components are the same."""
    if row.layout not in layouts or (plan.row is not row and plan.row != row):
        return False
    if parts is None:
        return True
    used = zip(component_keys(row), plan.parts, strict=True)
    return all(old == parts.of(key) for key, old in used)


def place(plan: PagePlan, node: NodeRow, *, now: datetime) -> AssembledPage:
    """The page as a node shows it at an instant: build-time and scheduled conditions are decided.

    Returns `plan.page` itself where nothing depends on either.
    """
    if not plan.guards:
        return plan.page
    app = plan.page.app
    context = Context(
        node=node.id,
        apps=frozenset(node.apps if app == SHARED_APP else (app,)),
        theme=node.theme,
        now=now,
    )
    blocks: list[AssembledBlock] = []
    changed = False
    for block in plan.page.blocks:
        verdict = decide(plan.guards.get(block.order, ALWAYS), context)
        if verdict is True:
            blocks.append(block)
            continue
        changed = True
        if verdict is not False:
            blocks.append(block._replace(visitor=verdict))
    return replace(plan.page, blocks=tuple(blocks)) if changed else plan.page


def due(plan: PagePlan, now: datetime) -> bool:
    """Whether the page shows yet: its `published_at` is not ahead."""
    published_at = plan.row.published_at
    return published_at is None or published_at <= now


def next_boundary(plans: Iterable[PagePlan], now: datetime) -> datetime | None:
    """The first instant after `now` at which a page comes out, or a condition changes."""
    plans = list(plans)
    publications = [plan.row.published_at for plan in plans if plan.row.published_at is not None]
    changes = [
        instant
        for plan in plans
        if plan.guards
        for guard in plan.guards.values()
        for instant in boundaries(guard)
    ]
    return min([instant for instant in (*publications, *changes) if instant > now], default=None)
