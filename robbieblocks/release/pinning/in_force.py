"""What a person keeps of an app as its audit log names it, and that log."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.audit.entries import PIN, Entry, page_subject
from robbieblocks.release.audit.noting import AuditLog, InForce
from robbieblocks.release.pinning.holds import HOLDS, Hold, read_holds
from robbieblocks.release.pinning.pins import Pin, read_pin
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release
from robbieblocks.release.retention.rule import live_times

_UNKNOWN_TIME: Final = datetime.fromtimestamp(0, UTC)
# What `live_times` is for a time that is still to come.
_LONG_AGO: Final = 1.0


def audit_log(app_folder: AppFolder) -> AuditLog:
    """The audit log of an app, for who holds its lock."""

    def in_force() -> InForce:
        return in_force_of(app_folder)

    def needed_since() -> datetime | None:
        return oldest_release(app_folder)

    return AuditLog(app_folder.site_root, app_folder.path, in_force, needed_since)


def settle_audit(site_root: SiteRoot, node: str, app: str) -> None:
    """Write down how acts ended that were killed, before what visitors get changes again.

    For who holds the app's lock. It costs next to nothing where there is none.
    """
    audit_log(AppFolder.of(site_root, node, app)).settle()


def in_force_of(app_folder: AppFolder) -> InForce:
    """What is pinned and held of an app, those whose time is over too."""
    entries: dict[str, Entry] = {}
    unknown: list[str] = []
    try:
        if (pin := read_pin(app_folder)) is not None:
            entries[PIN] = _entry(app_folder, PIN, app_folder.pin, pin)
    except SiteUnavailable:
        unknown.append(PIN)
    try:
        for page, hold in read_holds(app_folder).items():
            subject = page_subject(page)
            entries[subject] = _entry(app_folder, subject, app_folder.path / HOLDS, hold, page)
    except SiteUnavailable:
        unknown.append(page_subject(""))

    def has_moved(entry: Entry) -> bool:
        return _has_moved(app_folder, entry)

    return InForce(entries=entries, unknown=tuple(unknown), has_moved=has_moved)


def oldest_release(app_folder: AppFolder) -> datetime | None:
    """When the oldest release that is there was made live, as far as that is known."""
    with suppress(OSError):
        times = [at for at in live_times(app_folder).values() if at > _LONG_AGO]
        return datetime.fromtimestamp(min(times), UTC) if times else None
    return None


def mark_of(given: Pin | Hold) -> str:
    """The mark of what a person keeps: its entry's id, or what stands in place of one."""
    text = json.dumps(given.as_json(), sort_keys=True)
    return given.act or f"by hand {hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _entry(
    app_folder: AppFolder, subject: str, file: Path, given: Pin | Hold, page: str = ""
) -> Entry:
    mark = mark_of(given)
    return Entry(
        id=mark,
        kind="held" if page else "pinned",
        at=given.since or _time_of(file),
        node=app_folder.node,
        app=app_folder.app,
        page=page,
        release=given.build_hash,
        who=given.who,
        why=given.why,
        until=given.until,
        subject=subject,
        now=mark,
    )


def _time_of(file: Path) -> datetime:
    with suppress(OSError, OverflowError, ValueError):
        return datetime.fromtimestamp(file.lstat().st_mtime, UTC)
    return _UNKNOWN_TIME


def _has_moved(app_folder: AppFolder, entry: Entry) -> bool:
    """Whether visitors get the release of an entry, or the page as it has it."""
    with suppress(SiteUnavailable):
        name, live = live_release(app_folder)
        if not entry.page:
            return name == entry.release
        page = live.by_key.get(entry.page) if live else None
        return live is not None and page is not None and live.files[page.path] == entry.digest
    return True
