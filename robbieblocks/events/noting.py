"""Notes events in an outbox, which stays within its limits."""

from __future__ import annotations

import time
from pathlib import Path

import orjson

from robbieblocks import failpoints, file_locks
from robbieblocks.events import outbox
from robbieblocks.events.event import Event
from robbieblocks.events.sending import limits, progress
from robbieblocks.settings import EventSettings, Settings


def note(settings: Settings, event: Event) -> bool:
    """Note an event durably, for a worker to send; whether it was noted.

    It is not where `[events]` tells nobody of it (then nothing is touched), and not where an event
    of its kind, node, app and key was the last one noted: `forget` ends that. Raises
    SiteUnavailable where the disk refuses; whatever the event tells of is done already, so a caller
    says so and goes on.
    """
    if settings.events is None or not settings.events.receivers(event.kind, event.node):
        return False
    folder = outbox.folder_of(settings.site_root, event.node)
    told = folder / outbox.TOLD / outbox.told_name(event.kind, event.app)
    if event.key and outbox.read(told) == event.key.encode():
        return False
    put(settings, event)
    failpoints.reached("event noted")
    if event.key:
        outbox.write(told, event.key.encode())
    return True


def put(settings: Settings, event: Event) -> None:
    """Write an event into its outbox, over itself where it is there; keep that within its limits.

    Raises SiteUnavailable.
    """
    folder = outbox.folder_of(settings.site_root, event.node)
    outbox.write(folder / f"{outbox.id_of(event)}{outbox.EVENT}", orjson.dumps(event.payload()))
    if settings.events is not None:
        _keep_within_limits(folder, settings.events)


def _keep_within_limits(folder: Path, settings: EventSettings) -> None:
    """Give up what is beyond the limits, the oldest first: no worker may ever come to do it.

    Who sends at the moment does it by itself. Raises SiteUnavailable.
    """
    now = time.time()
    if next(limits.beyond(outbox.waiting(folder), now), None) is None:
        return
    with outbox.attempt("lock", folder), file_locks.lock_file(folder / outbox.LOCK) as descriptor:
        if not file_locks.try_lock(descriptor):
            return
        for lost, why in limits.beyond(outbox.waiting(folder), now):
            kind, node = progress.kind_and_node(folder, lost.id)
            found = progress.deliveries(folder, lost.id)
            for name in settings.receivers(kind, node):
                if not found.get(name, progress.Delivery()).over:
                    progress.give_up(folder, lost.id, kind, name, why, now)
            progress.remove_event(folder, lost.id)
