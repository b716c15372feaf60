"""Drift that a worker finds, told in the log, the metrics and an event.

The node's address is asked in a thread of its own: a server that is slow holds up no edit.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Final

from robbieblocks import events, record, release
from robbieblocks.errors import RobbieBlocksError, SiteUnavailable
from robbieblocks.model import sha256
from robbieblocks.pipeline import RunReport
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.agenda import Job
from robbieblocks.worker.health import Health
from robbieblocks.worker.log import Log
from robbieblocks.worker.looking import looking

_ITEMS_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """Tells of the drifts of one node."""

    node: str
    settings: Settings
    health: Health
    log: Log
    # By app and kind, what was told of the drift that lasts: headers that differ are no news.
    _told: dict[tuple[str, record.Drift], frozenset[str]] = field(
        default_factory=dict[tuple[str, record.Drift], frozenset[str]]
    )

    def run_ended(self, job: Job, run: RunReport, *, was_asked: bool) -> None:
        """Tell of what a look at everything found, and what became of it.

        `was_asked`: a row asked for the app, so that it was merely not up to date yet.
        """
        edited = self._still_edited(run) if run.damaged else ()
        if edited:
            self.health.edited[run.app] = edited
            self._lasts(run.app, "disk", frozenset(edited), edited, _reason(run))
            return
        self.health.edited.pop(run.app, None)
        self._ended(run.app, "disk")
        if run.damaged:
            self.found(run.app, "disk", run.damaged, _PUT_RIGHT)
        elif job.reason == "reconcile" and run.outcome == "published" and not was_asked:
            causes = tuple(f"{page.key}: {page.causes[0]}" for page in run.changed if page.causes)
            self.found(run.app, "rows", causes or ("other files than pages",), _PUT_RIGHT)

    def _still_edited(self, run: RunReport) -> tuple[str, ...]:
        """What the run left as it found it: not every run writes files, and some fail."""
        try:
            site_root = SiteRoot(self.settings.site_root)
            return release.edited_on_disk(site_root, self.node, run.app, quick=True)
        except SiteUnavailable:
            return run.damaged

    def _lasts(
        self,
        app: str,
        kind: record.Drift,
        of: frozenset[str],
        what: tuple[str, ...],
        remedy: str,
    ) -> None:
        """Tell of a drift that was found again, unless it was told `of` the same already."""
        if self._told.get((app, kind)) != of:
            self._told[app, kind] = of
            key = sha256("\n".join((kind, *sorted(of), datetime.now(UTC).isoformat())))
            self.found(app, kind, what, remedy, key=key)

    def _ended(self, app: str, kind: record.Drift) -> None:
        if self._told.pop((app, kind), None) is not None:
            self.log.info("drift.ended", app=app, kind=kind)
            with suppress(SiteUnavailable):
                events.forget(self.settings, events.DriftDetected, self.node, app)

    def found(
        self, app: str, kind: record.Drift, what: tuple[str, ...], remedy: str, key: str = ""
    ) -> None:
        """Log and count a drift, and note its event; with a key, once until it is over."""
        drifts = self.health.drifts
        drifts[app, kind] = drifts.get((app, kind), 0) + 1
        what = what[:_ITEMS_MAX]
        self.log.warning("drift.detected", app=app, kind=kind, what=what, remedy=remedy)
        event = events.DriftDetected(
            node=self.node,
            app=app,
            at=datetime.now(UTC),
            key=key,
            drift=kind,
            what=what,
            remedy=remedy,
        )
        try:
            events.note(self.settings, event)
        except SiteUnavailable as error:
            self.log.warning("event.not_noted", error=str(error))

    def look_at_address(self, site_root: SiteRoot) -> None:
        """Ask the node's address for each live app, and tell of what is new."""
        address = self.settings.addresses.of(self.node)
        if address is None:
            return
        live = release.apps(site_root, self.node)
        for app in {*self.health.not_served} - {*live}:
            self.health.not_served.pop(app, None)
            self._ended(app, "serving")
        for app in live:
            found = release.not_served(site_root, self.node, app, address)
            if not found:
                self.health.not_served.pop(app, None)
                self._ended(app, "serving")
                continue
            self.health.not_served[app] = found[0].what, found[0].remedy
            culprits = frozenset(each.culprit for each in found)
            what = tuple(each.what for each in found)
            self._lasts(app, "serving", culprits, what, found[0].remedy)


_PUT_RIGHT: Final = "none: it was put right with this run; look who changed it"


def _reason(run: RunReport) -> str:
    """Why a drift of the disk stays, and what to do."""
    place = f"--node {run.node} --app {run.app}"
    if run.pin is not None:
        return f"a pin keeps newer rows back: robbieblocks unpin {place}, or rollback --to another"
    if run.waits:
        return "a freeze keeps newer rows back: it is put right with the release that follows"
    return f"it could not be put right: {run.error or f'robbieblocks build --verify {place}'}"


@contextmanager
def watched(drifts: Drifts, site_root: SiteRoot, interval_s: float) -> Generator[None]:
    """Within the block, a thread asks the node's address now and then, where it has one."""
    if drifts.settings.addresses.of(drifts.node) is None:
        yield
        return
    with looking("serving", partial(_watch, drifts, site_root, interval_s)):
        yield


def _watch(drifts: Drifts, site_root: SiteRoot, interval_s: float, ended: threading.Event) -> None:
    while not ended.wait(interval_s):
        if drifts.health.state != "active":
            continue
        try:
            drifts.look_at_address(site_root)
        except (RobbieBlocksError, OSError) as error:
            drifts.log.warning("drift.unknown", error=str(error))
        except Exception:
            drifts.log.exception("drift.broken")
