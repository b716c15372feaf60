"""The redirects that a run's release is to have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from robbieblocks.assemble import NodeRedirects
from robbieblocks.errors import Problem, SiteUnavailable
from robbieblocks.model import REDIRECTS_FILE, Redirect, Snapshot, read_redirects_text
from robbieblocks.pipeline.planning.plan import RunPlan

Problems = Mapping[str, tuple[Problem, ...]]


def with_redirects(
    run: RunPlan, found: NodeRedirects, live_file: Callable[[str], bytes]
) -> RunPlan:
    """The plan with the redirects that its rows state.

    Those of pages and frames that are held back are the live ones, which `live_file` gives.
    """
    held = {page.key for page in run.pages if page.change == "held back"}
    stated = found.by_app.get(run.target.app, ())
    kept: tuple[Redirect, ...] = ()
    if held and run.live is not None and REDIRECTS_FILE in run.live.files:
        try:
            kept = read_redirects_text(live_file(REDIRECTS_FILE))
        except SiteUnavailable:
            # A repair writes the file again, from the rows that are right.
            kept = ()
    redirects = (
        *(each for each in stated if each.row not in held),
        *(each for each in kept if each.row in held),
    )
    return replace(run, redirects=redirects) if redirects else run


def holding_back(app: str, routes: Problems, redirects: Problems, content: Snapshot) -> Problems:
    """What holds an app's pages and frames back, by key: for their routes and redirects."""
    if not routes and not redirects:
        return routes
    own = {page.key for page in (*content.pages, *content.frames) if page.app == app}
    keys = [key for key in dict.fromkeys((*routes, *redirects)) if key in own]
    return {key: (*routes.get(key, ()), *redirects.get(key, ())) for key in keys}
