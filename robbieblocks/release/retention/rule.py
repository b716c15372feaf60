"""Which releases stay, and why: by number, by day, and because somebody or something needs them."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files import disk
from robbieblocks.release.names import VERIFIED, is_release
from robbieblocks.release.pinning.holds import holds
from robbieblocks.release.pinning.pins import read_pin
from robbieblocks.release.places.layout import AppFolder, apps, nodes
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.retention.remarks import REPLACED

Reason = Literal["live", "previous", "pinned", "held", "recent", "daily"]
"""Why a release stays: `recent` is by number, `daily` by day."""

DAY_S: Final = 86_400.0
_HOUR_S: Final = 3_600.0
_LONG_AGO: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What stays of an app's releases, by name with the reasons, and what does not.

    `live_at` says of each when it was made live last, in seconds since 1970; 0 for one that never
    was, or failed its check. All are in the order of these times, the last one first.
    """

    reasons: Mapping[str, tuple[Reason, ...]]
    unneeded: tuple[str, ...]
    live_at: Mapping[str, float]

    @property
    def recent(self) -> tuple[str, ...]:
        """Those that stay by number."""
        return tuple(name for name, why in self.reasons.items() if "recent" in why)


def kept_of(app_folder: AppFolder) -> Kept:
    """What stays of an app by its site root's retention, now. Raises OSError.

    Raises SiteUnavailable where a pin or holds can't be read: nobody knows then what they keep.
    """
    site_root = app_folder.site_root
    pin = read_pin(app_folder)
    held = holds(site_root, app_folder.node, app_folder.app)
    needed: list[tuple[str | None, Reason]] = [
        (app_folder.live_name, "live"),
        (disk.target_of(app_folder.previous), "previous"),
        (pin.build_hash if pin else None, "pinned"),
        *((hold.build_hash, "held") for hold in held.values()),
    ]
    verified = _verified(app_folder)
    found, now = _believed(_times(verified), site_root.clock())
    return choose(
        found,
        needed,
        releases=site_root.retention.releases,
        days=site_root.retention.days,
        now=now,
        left={name for name, status in verified.items() if status and status.st_size},
        replaced={
            name for name, status in verified.items() if status and status.st_size == len(REPLACED)
        },
    )


def choose(
    live_at: Mapping[str, float],
    needed: Iterable[tuple[str | None, Reason]],
    *,
    releases: int,
    days: int,
    now: float,
    left: Collection[str] = (),
    replaced: Collection[str] = (),
) -> Kept:
    """What stays: what is needed, the `releases` made live last, and one for each past day.

    That is the one that was live at the end of the day, in UTC, for each of the last `days` days:
    of a day on which nothing was published, one of an earlier day. One that was rolled back from is
    `left`, and stands for no day. One that was `replaced` by its own pages with a newer index
    counts for no number either. One is always kept by number.
    """
    by_age = sorted(live_at, key=lambda name: (live_at[name], name), reverse=True)
    once_live = [name for name in by_age if live_at[name]]
    reasons: dict[str, set[Reason]] = {name: set() for name in by_age}
    for name, why in needed:
        if name in reasons:
            reasons[name].add(why)
    counted = [name for name in once_live if name not in replaced]
    for name in counted[: max(releases, 1)]:
        reasons[name].add("recent")
    good = [name for name in once_live if name not in left]
    for name in _live_at_midnights(good, live_at, days, now):
        reasons[name].add("daily")
    return Kept(
        reasons={name: tuple(sorted(why)) for name, why in reasons.items() if why},
        unneeded=tuple(name for name in by_age if not reasons[name]),
        live_at={name: live_at[name] for name in by_age},
    )


def kept_hashes(site_root: SiteRoot) -> dict[tuple[str, str], frozenset[str]]:
    """The build hashes of all releases that stay under a site root, by node and app.

    Of an app whose releases can't be judged, all that are there. Raises SiteUnavailable.
    """
    found: dict[tuple[str, str], frozenset[str]] = {}
    for node in nodes(site_root):
        for app in apps(site_root, node):
            app_folder = AppFolder.of(site_root, node, app)
            with disk.attempt("read the releases", app_folder.releases):
                try:
                    names = frozenset(kept_of(app_folder).reasons)
                except SiteUnavailable:
                    names = frozenset(_verified(app_folder))
            found[node, app] = frozenset(name.partition(".")[0] for name in names)
    return found


def live_times(app_folder: AppFolder) -> Mapping[str, float]:
    """When each release was made live last, as `Kept.live_at` has it. Raises OSError."""
    return _believed(_times(_verified(app_folder)), app_folder.site_root.clock())[0]


def is_to_come(moment: float, now: float) -> bool:
    """Whether a file's time is further ahead than a clock that is set right explains."""
    return moment > now + _HOUR_S


def _live_at_midnights(
    once_live: list[str], live_at: Mapping[str, float], days: int, now: float
) -> Iterator[str]:
    """The releases that were live at the last `days` midnights; `once_live` has the last first."""
    today = now - now % DAY_S
    ages = iter(name for name in once_live if live_at[name] > _LONG_AGO)
    name = next(ages, None)
    for midnight in (today - day * DAY_S for day in range(days)):
        while name is not None and live_at[name] >= midnight:
            name = next(ages, None)
        if name is None:
            return
        yield name


def _believed(found: dict[str, float], now: float) -> tuple[dict[str, float], float]:
    """The times that can be believed, and the present.

    A time that is still to come, from a clock that was wrong, is no reason to keep a release for
    ever: such a release counts as the oldest of those that were live. Where most are to come, it is
    the clock that is behind, as on a machine that has none of its own and has just been started:
    then the latest of those times is the present.
    """
    to_come = [name for name, at in found.items() if is_to_come(at, now)]
    if 2 * len(to_come) > sum(map(bool, found.values())):
        return found, max(found.values())
    return {**found, **dict.fromkeys(to_come, _LONG_AGO)}, now


def _verified(app_folder: AppFolder) -> Mapping[str, os.stat_result | None]:
    """By release the note that it was live and passed its check. Raises OSError."""
    found: dict[str, os.stat_result | None] = {}
    for entry in os.scandir(app_folder.releases):
        if is_release(entry.name):
            try:
                found[entry.name] = os.stat(f"{entry.path}/{VERIFIED}")  # noqa: PTH116 -- ten thousand of them
            except OSError:
                found[entry.name] = None
    return found


def _times(found: Mapping[str, os.stat_result | None]) -> dict[str, float]:
    return {name: status.st_mtime if status else 0.0 for name, status in found.items()}
