"""The thread that notes which freezes begin and end by themselves: for the audit log, and events.

What a person does, `freeze` and `unfreeze` note.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from robbieblocks import events, release
from robbieblocks.errors import RobbieBlocksError
from robbieblocks.release import Freeze, SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.health import Health
from robbieblocks.worker.log import Log
from robbieblocks.worker.looking import looking

_INTERVAL_S: Final = 5.0


@contextmanager
def freezes_told(
    settings: Settings, site_root: SiteRoot, health: Health, log: Log
) -> Generator[None]:
    """Within the block, a thread looks every few seconds. Without `[events]` and windows there is
    none.
    """
    if settings.events is None and not settings.freeze_windows:
        yield
        return
    with looking("freezes", partial(_watch, settings, site_root, health, log)):
        yield


def tell_freezes(settings: Settings, site_root: SiteRoot, node: str, now: datetime) -> None:
    """Note what began and ended by itself since the last look. Raises SiteUnavailable."""
    apps = release.apps(site_root, node)
    windows = release.window_freezes(settings.freeze_windows, node, apps, now)
    release.note_windows(site_root, node, windows, now)
    if settings.events is None:
        return
    frozen = {app: _told(each) for app, each in windows.items()}
    events.tell_windows(settings, node, frozen, now=now)
    over = release.freezes_over(site_root, now)
    for of_node, was in over.items():
        events.tell_ended(settings, of_node, _told(was), now=now)
    if over:
        release.forget_freezes_over(site_root, now)


def _told(each: Freeze) -> events.Frozen:
    return events.Frozen(why=each.why, since=each.since, until=each.until)


def _watch(
    settings: Settings, site_root: SiteRoot, health: Health, log: Log, ended: threading.Event
) -> None:
    error_before = ""
    while not ended.wait(_INTERVAL_S):
        if health.state != "active":
            continue
        try:
            tell_freezes(settings, site_root, health.node, datetime.now(UTC))
            error_before = ""
        except RobbieBlocksError as error:
            if str(error) != error_before:
                log.warning("event.not_noted", error=str(error))
            error_before = str(error)
        except Exception:
            log.exception("freezes.broken")
