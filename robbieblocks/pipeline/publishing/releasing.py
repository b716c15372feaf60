"""Puts the release of a run out, unless something keeps it from going out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial

from robbieblocks import release
from robbieblocks.errors import Problem
from robbieblocks.pipeline.planning import (
    RunPlan,
    broken_glass_warning,
    freeze_of,
    freeze_warning,
    held_reason,
    pin_of,
    pin_warning,
)
from robbieblocks.pipeline.publishing.composing import ComposedRun
from robbieblocks.pipeline.publishing.mending import mend
from robbieblocks.pipeline.publishing.run_result import (
    Result,
    held_back_text,
    kept,
    kept_back,
    with_error,
)
from robbieblocks.pipeline.recording import RunRecorder
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.release import NotServed, SiteRoot


def release_unless_held(
    run: RunPlan,
    composed: ComposedRun,
    known: Result,
    session: BuildSession,
    recorder: RunRecorder,
    now: datetime,
) -> Result:
    """Publish the composed release, unless something keeps it from going out."""
    if run.branding_is_broken:
        known = replace(known, pages=tuple(kept_back(page, run) for page in known.pages))
        error = held_back_text(known) or "the node's branding has errors: nothing went out"
        return replace(known, error=error)
    if held := held_reason(run, session.site):
        return replace(known, error=held)
    held_back = held_back_text(known)
    if session.request.strict and held_back:
        return replace(known, error=f"{held_back}; --strict: nothing went out")
    # Holds that can't be read hold everything: which pages are meant is not known.
    release.holds(session.site.root, run.target.node, run.target.app)
    pin = pin_of(run, session.site)
    # What is damaged is mended all the same: that is no new content.
    differs = composed.manifest.build_hash != known.build_hash
    freeze = freeze_of(run, session.site, now) if differs else None
    by = session.request.during_freeze
    if run.damaged and differs and (freeze or pin) and not session.request.dry_run:
        known = replace(known, problems=(*known.problems, mend(run, composed, session)))
    if pin and pin.build_hash != composed.manifest.build_hash:
        result = replace(kept(known, pin_warning(run, pin)), pin=pin, freeze=freeze)
        return with_error(result, held_back)
    if freeze and not by:
        result = replace(kept(known, freeze_warning(run, freeze)), freeze=freeze)
        return with_error(result, held_back)
    if freeze and by:
        warning = broken_glass_warning(run, freeze, by)
        known = replace(known, problems=(*known.problems, warning), freeze=freeze, during_freeze=by)
    if session.request.dry_run:
        result = _dry_run(composed, known)
    else:
        result = _published(run, composed, known, session, recorder)
    return with_error(result, held_back)


def _dry_run(composed: ComposedRun, known: Result) -> Result:
    build_hash = composed.manifest.build_hash
    return replace(
        known,
        outcome="published" if build_hash != known.build_hash else "unchanged",
        build_hash=build_hash,
        files_written=len(composed.contents),
        bytes_written=sum(map(len, composed.contents.values())),
    )


def _published(
    run: RunPlan,
    composed: ComposedRun,
    known: Result,
    session: BuildSession,
    recorder: RunRecorder,
) -> Result:
    build_hash = composed.manifest.build_hash
    if build_hash != known.build_hash:
        # A file of the node alone may differ: that is work which the plan could not know of.
        recorder.begin(run.target)
    recorder.deploying(run.target)
    node, app = run.target.node, run.target.app
    release.settle_audit(session.site.root, node, app)
    with release.write_release(
        session.site.root, composed.manifest, composed.contents, composed.assets.values()
    ) as written:
        # Only the disk is busy now: this costs no time.
        session.context.blocks.flush()
        fence = partial(session.check_lease, run.target)
        address = session.site.addresses.of(node)
        done = release.make_live(written, fence=fence, address=address)
        release.end_holds(
            session.site.root, node, app, run.no_longer_held, why="the page's rows changed"
        )
    session.stopwatch.add("write", done.write_ms)
    session.stopwatch.add("sync", done.sync_ms)
    session.stopwatch.add("swap", done.swap_ms)
    session.stopwatch.add("smoke", done.smoke_ms)
    return replace(
        known,
        outcome="published" if done.swapped else "unchanged",
        build_hash=build_hash,
        problems=(
            *known.problems,
            *_not_served(node, app, done.not_served),
            *_unnoted(node, app, session.site.root),
        ),
        files_written=done.files_written,
        bytes_written=done.bytes_written,
        deploy_ms=round(done.write_ms + done.sync_ms + done.swap_ms),
    )


def _not_served(node: str, app: str, found: Iterable[NotServed]) -> Iterator[Problem]:
    """A warning for what visitors don't get of a release that stays live."""
    for each in found:
        yield Problem(
            entity="release",
            key=f"{node}/{app}",
            what=each.what,
            remedy=each.remedy,
            severity="warning",
        )


def _unnoted(node: str, app: str, site_root: SiteRoot) -> Iterator[Problem]:
    """A warning for each act of which the audit log does not tell, such as a hold that ended."""
    while site_root.unnoted:
        what = f"`robbieblocks audit` does not tell of all of it: {site_root.unnoted.pop()}"
        yield Problem(entity="release", key=f"{node}/{app}", what=what, severity="warning")
