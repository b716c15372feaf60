"""Pins: a release that a person holds live."""

from __future__ import annotations

from robbieblocks import release
from robbieblocks.errors import Problem, SiteUnavailable
from robbieblocks.pipeline.planning.plan import RunPlan
from robbieblocks.pipeline.site import Site


def pinned_hash(run: RunPlan, site: Site) -> str:
    """The build hash that a person holds live for this run; empty where none is held.

    A pin holds what is live: it holds nothing where nothing is live, or where the node no longer
    enables the app. Raises SiteUnavailable where the pin can't be read.
    """
    node, app = run.target.node, run.target.app
    pin = release.pinned(site.root, node, app)
    if pin is None or app not in run.node.apps:
        return ""
    return pin if release.AppFolder.of(site.root, node, app).live_name is not None else ""


def is_pinned(run: RunPlan, site: Site) -> bool:
    """Whether a pin holds the app; False where that can't be read, which the run itself reports."""
    try:
        return bool(pinned_hash(run, site))
    except SiteUnavailable:
        return False


def pin_warning(run: RunPlan, pin: str) -> Problem:
    """What a run says whose changes a pin keeps from going out."""
    return Problem(
        entity="app",
        key=run.target.app,
        what=f"release {pin[:12]} is pinned on {run.target.node}, so nothing newer goes out",
        remedy="remove the file `pinned` beside `current`: the next build brings the content live",
        severity="warning",
    )
