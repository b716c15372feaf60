"""Tells of runs: what went out, failed, is held, or recovered, where `[events]` names somebody.

The event is noted after the swap. What the disk refuses is noted by the next run of the app: what
stands is compared with what was told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from robbieblocks import record, release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Standing
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.report import RunReport
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import BuildSession

if TYPE_CHECKING:
    from robbieblocks.events import RunFacts


def announce(report: RunReport, run: RunPlan, session: BuildSession, now: datetime) -> None:
    """Note what a run's end tells; nothing where nobody is told, and in a dry run."""
    settings = session.context.settings
    if settings.events is None or session.request.dry_run:
        return
    from robbieblocks import events

    base = run.brand.base_url
    facts = events.RunFacts(
        id=str(report.run or ""),
        outcome=outcome_of(report),
        triggered_by=session.request.triggered_by,
        error=report.explained,
        held=tuple(sorted(page.key for page in report.held_back)),
        hash_before=report.hash_before,
        changed=[
            events.ChangedPage(
                key=page.key,
                change=page.change,
                path=page.route,
                url=f"{base}{page.route}" if base else "",
            )
            for page in report.changed
            if page.change in ("added", "changed", "removed")
        ],
    )
    _tell(session, Target(report.node, report.app), facts, now, base)


def announce_abandoned(
    session: BuildSession,
    clock: Callable[[], datetime],
    target: Target,
    run: UUID,
    error: BaseException,
) -> None:
    """Note that a run ended by an error that concerns all of its build."""
    if session.context.settings.events is None or not isinstance(error, Exception):
        return
    from robbieblocks import events

    text = str(error) or type(error).__name__
    facts = events.RunFacts(
        id=str(run), outcome="failed", error=text, hash_before=session.live_hash(target)
    )
    _tell(session, target, facts, clock())


def outcome_of(report: RunReport) -> Literal["ok", "failed", "held", "waits"]:
    """How events tell of a run; one whose changes wait says nothing of them."""
    if report.waits:
        return "waits"
    if report.is_held or report.held_back:
        return "held"
    return "failed" if report.outcome == "failed" else "ok"


def _tell(
    session: BuildSession, target: Target, facts: RunFacts, now: datetime, base: str = ""
) -> None:
    from robbieblocks import events

    node, app, root = target.node, target.app, session.site.root

    def pages_between(before: str, after: str) -> list[events.ChangedPage] | None:
        found = release.pages_between(root, node, app, before, after)
        return None if found is None else events.changed_pages(found, base)

    with suppress(SiteUnavailable):
        standing = (
            release.standing(root, node, app)
            if release.has_place(node, app)
            else Standing(live=record.NOTHING_LIVE)
        )
        events.tell(
            session.context.settings,
            node,
            app,
            standing,
            now=now,
            pages_between=pages_between,
            run=facts,
        )
