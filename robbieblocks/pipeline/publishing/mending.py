"""Mends what is live of a run whose changes wait: damage is no content."""

from __future__ import annotations

from functools import partial

from robbieblocks import release
from robbieblocks.errors import Problem
from robbieblocks.messages import counted, listed
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.session import BuildSession


def mend(run: RunPlan, composed: ComposedRun, session: BuildSession) -> Problem:
    """Put right what is damaged; the warning that says so, or of what there is no copy.

    Raises SiteUnavailable.
    """
    node, app = run.target.node, run.target.app
    left = release.mend_live(
        session.site.root,
        node,
        app,
        run.damaged,
        contents=composed.contents,
        assets=composed.assets.values(),
        fence=partial(session.check_lease, run.target),
    )
    what = f"{counted(len(run.damaged), 'damaged file')} of what is live there put right"
    remedy = "look who changed that"
    if left:
        what = f"{listed(left)} of what is live there is damaged, and no copy is left"
        remedy = "the release that follows puts it right"
    return Problem(
        entity="release", key=f"{node}/{app}", what=what, remedy=remedy, severity="warning"
    )
