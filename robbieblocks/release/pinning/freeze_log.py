"""The audit log of freezes, which is the site root's, and what windows do there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.audit import log_file
from robbieblocks.release.audit.entries import (
    Entry,
    freeze_subject,
    new_id,
    this_host,
    window_subject,
)
from robbieblocks.release.audit.noting import AuditLog, InForce
from robbieblocks.release.files import disk
from robbieblocks.release.pinning.freezes import Freeze, read_freezes
from robbieblocks.release.pinning.in_force import oldest_release
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.places.lock import freezes_lock
from robbieblocks.release.places.site_root import SiteRoot

STARTED: Final = "freeze.started"
ENDED: Final = "freeze.ended"
_UNKNOWN_TIME: Final = datetime.fromtimestamp(0, UTC)


def audit_log_of_freezes(site_root: SiteRoot) -> AuditLog:
    """The audit log of what is frozen, for who holds the lock of that."""

    def in_force() -> InForce:
        return freezes_in_force(site_root)

    def needed_since() -> datetime | None:
        return _oldest_release(site_root)

    return AuditLog(site_root, disk.real(site_root.path), in_force, needed_since)


def freezes_in_force(site_root: SiteRoot) -> InForce:
    """What people froze, that whose time is over too."""
    try:
        given = read_freezes(site_root)
    except SiteUnavailable:
        return InForce(unknown=(freeze_subject(""),))
    entries = (
        freeze_entry(node, each, each.since or _UNKNOWN_TIME) for node, each in given.items()
    )
    return InForce(entries={entry.subject: entry for entry in entries})


def freeze_entry(node: str, given: Freeze, at: datetime) -> Entry:
    """What the audit log says of a freeze that a person began."""
    mark = given.act or _mark_of(given)
    return Entry(
        id=mark,
        kind=STARTED,
        at=at,
        node=node,
        who=given.who,
        why=given.why,
        until=given.until,
        host=this_host() if given.act else "",
        subject=freeze_subject(node),
        now=mark,
    )


def note_windows(
    site_root: SiteRoot, node: str, frozen: Mapping[str, Freeze], now: datetime
) -> None:
    """Note in the audit log what windows freeze of a node now, where that differs from before.

    `frozen` are all apps of the node that one freezes. What ends at its time needs no entry.
    Raises SiteUnavailable; then whoever calls next notes the same.
    """
    if not frozen and not (disk.real(site_root.path) / log_file.FILE).exists():
        return
    with freezes_lock(site_root):
        begun = _begun(site_root, node, now)
        entries = [*_ended(begun, frozen, now), *_started(node, begun, frozen, now)]
        if entries:
            with audit_log_of_freezes(site_root).noted(*entries):
                pass
            # Nothing else was done: what could not be noted is not noted yet.
            if site_root.unnoted:
                raise site_root.unnoted.pop()


def _begun(site_root: SiteRoot, node: str, now: datetime) -> dict[str, Entry]:
    """By app the entry of the window that freezes it, as far as the log knows."""
    found: dict[str, Entry] = {}
    for line in log_file.read(disk.real(site_root.path)):
        entry = line.record
        if not isinstance(entry, Entry) or entry.node != node or not entry.apps:
            continue
        for app in entry.apps:
            found.pop(app, None)
        if entry.kind == STARTED and (entry.until is None or entry.until > now):
            found |= dict.fromkeys(entry.apps, entry)
    return found


def _ended(
    begun: Mapping[str, Entry], frozen: Mapping[str, Freeze], now: datetime
) -> Iterator[Entry]:
    """What ended before its time: settings were altered, or an app is live no more."""
    for start in {entry.id: entry for entry in begun.values()}.values():
        gone = [app for app in start.apps if app not in frozen and begun.get(app) == start]
        if gone:
            is_whole = not any(begun.get(app) == start and app in frozen for app in start.apps)
            yield replace(
                start,
                id=new_id(),
                kind=ENDED,
                at=now,
                app=start.app if is_whole or len(gone) > 1 else gone[0],
                apps=tuple(gone),
                since=start.at,
                until=None,
                # The others are frozen until their time.
                subject=start.subject if is_whole else window_subject(new_id()),
                was=start.now,
                now="",
            )


def _started(
    node: str, begun: Mapping[str, Entry], frozen: Mapping[str, Freeze], now: datetime
) -> Iterator[Entry]:
    """What began; what concerns all apps that are frozen is one entry."""
    new = {app: each for app, each in frozen.items() if app not in begun}
    for freeze in dict.fromkeys(new.values()):
        alike = tuple(sorted(app for app, each in new.items() if each == freeze))
        for apps_ in [alike] if set(alike) == set(frozen) else [(app,) for app in alike]:
            id_ = new_id()
            yield Entry(
                id=id_,
                kind=STARTED,
                at=freeze.since or now,
                node=node,
                app="" if set(apps_) == set(frozen) else apps_[0],
                apps=apps_,
                why=freeze.why,
                until=freeze.until,
                host=this_host(),
                subject=window_subject(id_),
                now=id_,
            )


def _mark_of(given: Freeze) -> str:
    text = json.dumps(given.as_json(), sort_keys=True)
    return f"by hand {hashlib.sha256(text.encode()).hexdigest()[:32]}"


def _oldest_release(site_root: SiteRoot) -> datetime | None:
    with suppress(SiteUnavailable):
        folders = [
            AppFolder.of(site_root, node, app)
            for node in nodes(site_root)
            for app in apps(site_root, node)
        ]
        return min(filter(None, map(oldest_release, folders)), default=None)
    return None
