"""What keeps changes from going out: pins, freezes, holds of pages, and the brake on removals."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from robbieblocks import release
from robbieblocks.errors import Problem, SiteUnavailable, UsageError
from robbieblocks.messages import counted
from robbieblocks.pipeline.planning.plan import Plan, RunPlan
from robbieblocks.pipeline.request import BreakGlass, Request
from robbieblocks.pipeline.site import Site
from robbieblocks.release import Freeze, Pin, RemovalLimit


def is_kept_back(run: RunPlan, site: Site, now: datetime) -> bool:
    """Whether a pin, a freeze or the brake holds a run; what can't be read, the run itself reports.

    A pin or freeze that can't be read holds nothing, a limit that can't be read holds the run.
    """
    with suppress(SiteUnavailable):
        if pin_of(run, site) or freeze_of(run, site, now):
            return True
    try:
        return bool(held_reason(run, site))
    except SiteUnavailable:
        return True


def pin_of(run: RunPlan, site: Site) -> Pin | None:
    """What a person holds live for this run; None where nothing is held.

    A pin holds what is live: it holds nothing where nothing is live, or where the node no longer
    enables the app. Raises SiteUnavailable where the pin can't be read.
    """
    node, app = run.target.node, run.target.app
    pin = release.pinned(site.root, node, app)
    if pin is None or app not in run.node.apps:
        return None
    return pin if release.AppFolder.of(site.root, node, app).live_name is not None else None


def freeze_of(run: RunPlan, site: Site, now: datetime) -> Freeze | None:
    """What freezes a run at an instant, or None.

    Raises SiteUnavailable where that can't be read: then nothing goes out.
    """
    return release.frozen(site.root, site.freeze_windows, run.target.node, run.target.app, now)


def freeze_warning(run: RunPlan, freeze: Freeze) -> Problem:
    """What a run says whose changes wait for the end of a freeze."""
    node, app = run.target.node, run.target.app
    pages = len(run.to_make) + sum(page.change == "removed" for page in run.pages)
    waits = f": {counted(pages, 'page')} would change" if pages else ""
    return Problem(
        entity="app",
        key=app,
        what=f"on {node} it is {freeze}; nothing newer goes out, and changes wait{waits}",
        remedy=f"wait for its end, or: robbieblocks build --node {node} --app {app} "
        "--during-freeze --reason TEXT",
        severity="warning",
    )


def broken_glass_warning(run: RunPlan, freeze: Freeze, by: BreakGlass) -> Problem:
    """What a run says that goes out during a freeze, because a person wants it."""
    return Problem(
        entity="app",
        key=run.target.app,
        what=f"on {run.target.node} it is {freeze}; this goes out all the same, by {by}",
        remedy="nothing is to be done; the history of runs keeps it",
        severity="warning",
    )


def pin_warning(run: RunPlan, pin: Pin) -> Problem:
    """What a run says whose changes a pin keeps from going out."""
    node, app = run.target.node, run.target.app
    what = f"{pin} on {node}, so nothing newer goes out, and changes wait"
    remedy = f"robbieblocks unpin --node {node} --app {app} brings everything up to date"
    if run.live is not None and run.live.build_hash != pin.build_hash:
        # A rollback writes the pin before it swaps.
        what = f"{pin} on {node}, but {run.live.build_hash[:12]} is live: a rollback was cut short"
        remedy = (
            f"robbieblocks rollback --node {node} --app {app} --to {pin.build_hash[:12]} "
            f"completes it; or {remedy}"
        )
    return Problem(entity="app", key=app, what=what, remedy=remedy, severity="warning")


def hold_warnings(run: RunPlan) -> tuple[Problem, ...]:
    """What a run says of pages that a person holds at their live bytes."""
    node, app = run.target.node, run.target.app
    but = f", but for /{run.sheet.sheet.path}" if run.sheet else ""
    return tuple(
        Problem(
            entity="page",
            key=key,
            what=f"on {node} it is {hold}; what it shares with other pages does not reach it{but}",
            remedy=f"change its rows, or: robbieblocks release {key} --node {node} --app {app}",
            severity="warning",
        )
        for key, hold in run.held.items()
    )


def held_reason(run: RunPlan, site: Site) -> str:
    """Why a run may not go out without approval; empty where it may.

    Raises SiteUnavailable where the site's limit can't be read.
    """
    removed = sum(page.change == "removed" for page in run.pages)
    live = len(run.live.pages) if run.live else 0
    if run.approved or not RemovalLimit.of(site.root).is_exceeded(removed=removed, live=live):
        return ""
    node, app = run.target.node, run.target.app
    return (
        f"held: it would remove {removed} of {live} pages of {app} on {node}; what is live stays"
        f"\n  -> put the rows back; or, if that is meant: "
        f"robbieblocks build --node {node} --app {app} --approve {run.hash}"
    )


def with_approvals(plan: Plan, request: Request) -> Plan:
    """The plan with what a person approved: single runs, or by the plan's own hash all of them.

    Raises UsageError for an approved hash that neither has: the plan changed since.
    """
    if not request.approved:
        return plan
    hashes = {plan.hash, *(run.hash for run in plan.runs)}
    for approved in request.approved:
        if approved not in hashes:
            raise UsageError(
                f"no plan of this build has the hash {approved}: the rows, or what is live, changed"
                " since; look again with `robbieblocks build --dry-run`, without --approve"
            )
    whole = plan.hash in request.approved
    runs = (replace(run, approved=whole or run.hash in request.approved) for run in plan.runs)
    return replace(plan, runs=tuple(runs))
