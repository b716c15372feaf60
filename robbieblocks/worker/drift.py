"""Drift that a worker finds, told in the log, the metrics and an event.

The node's address is asked in a thread of its own: a server that is slow holds up no edit.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
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

_ITEMS_MAX: Final = 20
_JOIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drifts:
    """Tells of the drifts of one node."""

    node: str
    settings: Settings
    health: Health
    log: Log

    def run_ended(self, job: Job, run: RunReport, *, was_asked: bool) -> None:
        """Tell of what a look at everything found, and what became of it.

        `was_asked`: a row asked for the app, so that it was merely not up to date yet.
        """
        if run.damaged:
            self.found(run.app, "disk", run.damaged, _outcome(run))
        elif job.reason == "reconcile" and run.outcome == "published" and not was_asked:
            causes = (f"{page.key}: {page.causes[0]}" for page in run.changed if page.causes)
            self.found(run.app, "rows", tuple(causes), _outcome(run))

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
        for app in release.apps(site_root, self.node):
            found = release.not_served(site_root, self.node, app, address)
            before = self.health.not_served.get(app)
            if not found:
                if self.health.not_served.pop(app, None):
                    self.log.info("drift.ended", app=app, kind="serving")
                    with suppress(SiteUnavailable):
                        events.forget(self.settings, events.DriftDetected, self.node, app)
                continue
            said = found[0].what, found[0].remedy
            self.health.not_served[app] = said
            if before is None or before != said:
                what = tuple(each.what for each in found)
                key = sha256("\n".join((said[0], datetime.now(UTC).isoformat())))
                self.found(app, "serving", what, said[1], key=key)


def _outcome(run: RunReport) -> str:
    if run.outcome == "failed":
        return f"it could not be put right: {run.error}"
    return "none: it was put right with this run; look who changed it"


@contextmanager
def watched(drifts: Drifts, site_root: SiteRoot, interval_s: float) -> Generator[None]:
    """Within the block, a thread asks the node's address now and then, where it has one."""
    if drifts.settings.addresses.of(drifts.node) is None:
        yield
        return
    ended = threading.Event()
    thread = threading.Thread(
        target=_watch, args=(drifts, site_root, interval_s, ended), name="serving", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # It may wait for an answer; it is a daemon, and holds nothing.
        thread.join(_JOIN_S)


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
