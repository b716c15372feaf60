"""Pins what is live of an app, and ends pins; no database is needed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.release.audit.entries import PIN, Entry, new_id, this_host
from robbieblocks.release.pinning.in_force import audit_log
from robbieblocks.release.pinning.pins import Pin, read_pin, remove_pin, write_pin
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release


def pin_live(
    site_root: SiteRoot,
    node: str,
    app: str,
    *,
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Pin:
    """Hold what is live. Raises UsageError where nothing is, and SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live_name, live = live_release(app_folder)
        if live_name is None or live is None:
            raise UsageError(f"nothing of {app} is live on {node}, so there is nothing to pin")
        pin = Pin(
            build_hash=live.build_hash, who=who, why=why, since=now, until=until, act=new_id()
        )
        with audit_log(app_folder).noted(pin_entry(app_folder, pin)):
            write_pin(app_folder, pin)
    return pin


def unpin(site_root: SiteRoot, node: str, app: str, *, who: str = "") -> bool:
    """Remove the pin of an app; whether there was one. Raises SiteUnavailable.

    `who` is for the audit log.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        ended = _unpinned(app_folder, who)
        with audit_log(app_folder).noted(*ended):
            return remove_pin(app_folder)


def pin_entry(app_folder: AppFolder, pin: Pin) -> Entry:
    """What the audit log says of a pin."""
    return Entry(
        id=pin.act,
        kind="pinned",
        at=pin.since or datetime.fromtimestamp(app_folder.site_root.clock(), UTC),
        node=app_folder.node,
        app=app_folder.app,
        release=pin.build_hash,
        who=pin.who,
        why=pin.why,
        until=pin.until,
        host=this_host(),
        subject=PIN,
        now=pin.act,
    )


def _unpinned(app_folder: AppFolder, who: str) -> tuple[Entry, ...]:
    """The entry of a pin's end; none where nothing is pinned, or its time was over before."""
    now = datetime.fromtimestamp(app_folder.site_root.clock(), UTC)
    pin: Pin | None = Pin(build_hash="", why="it could not be read")
    with suppress(SiteUnavailable):
        pin = read_pin(app_folder)
    if pin is None or (pin.until is not None and pin.until <= now):
        return ()
    ended = replace(
        pin_entry(app_folder, pin),
        id=new_id(),
        kind="unpinned",
        at=now,
        since=pin.since,
        until=None,
        who=who,
        now="",
    )
    return (ended,)
