"""Freezes: until when nothing new goes out on a node, or on all of them, and who wants that.

They stand in the file `freezes.json` of the site root; windows of the settings freeze, too. A
freeze is for content: damage to what is live is mended where no change waits, and going back is
always possible.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.messages import visible_line
from robbieblocks.release.files import disk
from robbieblocks.release.pinning.pins import instant, minute, text_of
from robbieblocks.release.places.layout import has_place
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.settings import FreezeWindow

FREEZES: Final = "freezes.json"
_VERSION: Final = 1
ALL_NODES: Final = ""
"""The key of a freeze of all nodes; no node has an empty id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """What keeps changes back until a time. Without `who` it is a window of the settings.

    `until` is None where windows follow each other for more than a year, `since` where it is not
    known. `act` is the id of its entry in the audit log, where it has one.
    """

    who: str = ""
    why: str
    since: datetime | None = None
    until: datetime | None
    act: str = ""

    def __str__(self) -> str:
        by = self.who or "a window of robbieblocks.toml"
        since = f" since {minute(self.since)}" if self.since else ""
        until = f" until {minute(self.until)}" if self.until else ""
        return visible_line(f"frozen by {by}{since}{until}: {self.why}")

    def as_json(self) -> dict[str, str | None]:
        """The stable form: `who` (empty for a window), `why`, RFC 3339 `since` and `until`."""
        return {
            "who": self.who,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


def frozen(
    site_root: SiteRoot, windows: Sequence[FreezeWindow], node: str, app: str, now: datetime
) -> Freeze | None:
    """What freezes an app of a node, or None; of several what ends last. Raises SiteUnavailable."""
    if not has_place(node, app):
        return None
    given = freezes_not_over(read_freezes(site_root), now)
    found = [given[key] for key in (ALL_NODES, node) if key in given]
    if windows:
        # Without windows neither cron nor zones are loaded.
        from robbieblocks.release.pinning.freeze_windows import freezing_window

        if window := freezing_window(windows, node, app, now):
            why, since, until = window
            found.append(Freeze(why=_reason_of(why), since=since, until=until))
    return max(found, key=lambda each: (each.until is None, each.until), default=None)


def freezes(site_root: SiteRoot, now: datetime) -> Mapping[str, Freeze]:
    """What people froze, by node, and under `ALL_NODES` all of them. Raises SiteUnavailable."""
    return freezes_not_over(read_freezes(site_root), now)


def freezes_over(site_root: SiteRoot, now: datetime) -> Mapping[str, Freeze]:
    """What people froze whose time is over, until `forget_freezes_over`. Raises SiteUnavailable."""
    given = read_freezes(site_root)
    return {key: given[key] for key in given.keys() - freezes_not_over(given, now).keys()}


def window_freezes(
    windows: Sequence[FreezeWindow], node: str, chosen: Collection[str], now: datetime
) -> Mapping[str, Freeze]:
    """What windows of the settings freeze of these apps of a node."""
    if not windows:
        return {}
    from robbieblocks.release.pinning.freeze_windows import freezing_window

    found = {app: freezing_window(windows, node, app, now) for app in chosen}
    return {
        app: Freeze(why=_reason_of(each[0]), since=each[1], until=each[2])
        for app, each in found.items()
        if each is not None
    }


def _reason_of(window: FreezeWindow) -> str:
    return window.reason if window.kind == "deny" else f"outside of its windows: {window.reason}"


def freezes_not_over(given: Mapping[str, Freeze], now: datetime) -> dict[str, Freeze]:
    """Those whose time is not over."""
    return {key: each for key, each in given.items() if each.until is None or each.until > now}


def read_freezes(site_root: SiteRoot) -> dict[str, Freeze]:
    """The file's freezes, those whose time is over too. Raises SiteUnavailable."""
    path = site_root.path / FREEZES
    with disk.attempt("read what is frozen", path):
        try:
            text = disk.read_file(path)
        except FileNotFoundError:
            return {}
    try:
        given = json.loads(text)
        found = {str(key): _freeze_of(each) for key, each in given["nodes"].items()}
        return found | ({ALL_NODES: _freeze_of(given["all"])} if given["all"] else {})
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read what is frozen, {path}: {error!r}\n"
            "  -> `robbieblocks unfreeze` removes the file; then freeze again what has to be"
        ) from error


def _freeze_of(given: Mapping[str, object]) -> Freeze:
    until = instant(given["until"])
    if until is None:
        raise ValueError("a freeze has no end")
    return Freeze(
        who=text_of(given, "who") or "?",
        why=text_of(given, "why"),
        since=instant(given.get("since")),
        until=until,
        act=str(given.get("act") or ""),
    )


def write_freezes(site_root: SiteRoot, given: Mapping[str, Freeze]) -> None:
    """Put freezes in place of those there are, durably. Raises SiteUnavailable."""
    path = site_root.path / FREEZES
    every = given.get(ALL_NODES)
    text = json.dumps(
        {
            "version": _VERSION,
            "all": _stored(every) if every else None,
            "nodes": {key: _stored(each) for key, each in sorted(given.items()) if key},
        },
        indent=2,
    )
    with disk.attempt("write what is frozen", path):
        if given:
            with disk.folder(disk.real(site_root.path)) as fd:
                disk.replace_file(
                    FREEZES, f"{text}\n".encode(), dir_fd=fd, sync=True, mode=disk.KEPT_BY_PEOPLE
                )
        else:
            Path(path).unlink(missing_ok=True)
        disk.sync_folder(disk.real(site_root.path))


def _stored(given: Freeze) -> dict[str, str | None]:
    return {**given.as_json(), "act": given.act}
