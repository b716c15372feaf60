"""The brake: a run that would remove many pages is held until a person approves its plan."""

from __future__ import annotations

from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.pipeline.planning.plan import Plan, RunPlan
from robbieblocks.pipeline.request import Request
from robbieblocks.pipeline.site import Site
from robbieblocks.release import RemovalLimit


def held_reason(run: RunPlan, request: Request, site: Site) -> str:
    """Why a run may not go out without approval; empty where it may.

    Raises SiteUnavailable where the site's limit can't be read.
    """
    removed = sum(page.change == "removed" for page in run.pages)
    live = len(run.live.pages) if run.live else 0
    if not RemovalLimit.of(site.root).is_exceeded(removed=removed, live=live):
        return ""
    if run.hash in request.approved:
        return ""
    node, app = run.target.node, run.target.app
    return (
        f"held: it would remove {removed} of {live} pages of {app} on {node}; what is live stays"
        f"\n  -> put the rows back; or, if that is meant: "
        f"robbieblocks build --node {node} --app {app} --approve {run.hash}"
    )


def is_held(run: RunPlan, request: Request, site: Site) -> bool:
    """Whether a run is held; True where that can't be told, which the run itself reports."""
    try:
        return bool(held_reason(run, request, site))
    except SiteUnavailable:
        return True


def check_approvals(plan: Plan, request: Request) -> None:
    """Raise UsageError for an approved hash that no run's plan has: the plan changed since."""
    hashes = {run.hash for run in plan.runs}
    for approved in request.approved:
        if approved not in hashes:
            raise UsageError(
                f"no plan of this build has the hash {approved}: the rows, or what is live, changed"
                " since; look again with `robbieblocks build --dry-run`, without --approve"
            )
