"""When the windows of the settings freeze an app of a node, and until when: pure.

A window begins when its cron expression says so at the clock of its zone, and lasts as long as time
passes: a day in which clocks are changed is none of 24 hours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from robbieblocks.settings import FreezeWindow

# No zone has set its clocks back by more since there are zones with rules.
_SET_BACK_MAX: Final = timedelta(hours=3)
# Windows that follow each other without a gap are followed for so long, and so often.
_HORIZON: Final = timedelta(days=400)
_STEPS_MAX: Final = 400


def freezing_window(
    windows: Iterable[FreezeWindow], node: str, app: str, now: datetime
) -> tuple[FreezeWindow, datetime | None, datetime | None] | None:
    """The window that freezes an app of a node, since when, and until when no window does.

    A `deny` that has begun comes before an `allow` that has not. It is not known since when an app
    is outside of the windows that allow. Without an end for more than a year there is none.
    """
    own = [window for window in windows if window.concerns(node, app)]
    found = _at(own, now)
    return None if found is None else (*found, _end(own, now))


def _at(
    windows: Sequence[FreezeWindow], now: datetime
) -> tuple[FreezeWindow, datetime | None] | None:
    """The window that freezes at an instant, and the begin of one of the kind `deny`."""
    outside: FreezeWindow | None = None
    inside = False
    for window in windows:
        begin = _last_begin(window, now)
        is_active = begin is not None and now < begin + timedelta(seconds=window.duration_s)
        if window.kind == "deny" and is_active:
            return window, begin
        if window.kind == "allow":
            inside, outside = inside or is_active, outside or window
    return None if inside or outside is None else (outside, None)


def _end(windows: Sequence[FreezeWindow], now: datetime) -> datetime | None:
    """The first instant after `now` at which none freezes; None where none is found."""
    at = now
    for _ in range(_STEPS_MAX):
        changes = [change for window in windows if (change := _next_change(window, at))]
        if not changes or min(changes) > now + _HORIZON:
            return None
        at = min(changes)
        if _at(windows, at) is None:
            return at
    return None


def _next_change(window: FreezeWindow, at: datetime) -> datetime | None:
    """When a window ends that has begun, or begins else; None where it does not again."""
    begin = _last_begin(window, at)
    if begin is not None:
        end = begin + timedelta(seconds=window.duration_s)
        if at < end:
            return end
    return _next_begin(window, at)


def _last_begin(window: FreezeWindow, at: datetime) -> datetime | None:
    """The last begin that is not after an instant, in UTC."""
    from cronsim import CronSim

    later = (at + _margin(window, at)).astimezone(ZoneInfo(window.zone))
    for begin in CronSim(window.cron, later, reverse=True):
        if (found := begin.astimezone(UTC)) <= at:
            return found
    return None


def _next_begin(window: FreezeWindow, at: datetime) -> datetime | None:
    """The first begin after an instant, in UTC."""
    from cronsim import CronSim

    earlier = (at - _margin(window, at)).astimezone(ZoneInfo(window.zone))
    for begin in CronSim(window.cron, earlier):
        if (found := begin.astimezone(UTC)) > at:
            return found
    return None


def _margin(window: FreezeWindow, at: datetime) -> timedelta:
    """How far from an instant to begin to look.

    In the hour that a clock has twice, its time alone does not tell which of the two it is.
    """
    zone = ZoneInfo(window.zone)
    offsets = {
        (at + distance).astimezone(zone).utcoffset()
        for distance in (-_SET_BACK_MAX, timedelta(), _SET_BACK_MAX)
    }
    return timedelta(minutes=1) if len(offsets) == 1 else _SET_BACK_MAX
