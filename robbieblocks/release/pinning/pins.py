"""Pins: what a person holds live of an app, with who, why, since when and until when.

A pin is the file `pinned` beside `current`: a JSON object, or the bare hash that people wrote into
it before there was `robbieblocks pin`. An empty file holds whatever is live.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.messages import visible_line
from robbieblocks.release.files import disk, system_calls
from robbieblocks.release.places.layout import AppFolder, has_place
from robbieblocks.release.places.site_root import SiteRoot

_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A release that a person holds live, by its build hash.

    `since` is unknown for a file that was written by hand. After `until` the pin holds nothing.
    `act` is the id of its entry in the audit log, where it has one.
    """

    build_hash: str
    who: str = ""
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    act: str = ""

    def __str__(self) -> str:
        since = f" since {minute(self.since)}" if self.since else ""
        until = f" until {minute(self.until)}" if self.until else ""
        who = f" by {self.who}" if self.who else ""
        why = f": {self.why}" if self.why else ""
        return visible_line(f"release {self.build_hash[:12]} is pinned{who}{since}{until}{why}")

    def as_json(self) -> dict[str, str | None]:
        """The stable form: `release`, `who`, `why`, and RFC 3339 `since` and `until` or null."""
        return {
            "release": self.build_hash,
            "who": self.who,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


def pinned(site_root: SiteRoot, node: str, app: str) -> Pin | None:
    """What a person holds live now, or None. Raises SiteUnavailable."""
    if not has_place(node, app):
        return None
    pin = read_pin(AppFolder.of(site_root, node, app))
    if pin is not None and pin.until is not None and pin.until.timestamp() <= time.time():
        return None
    return pin


def read_pin(app_folder: AppFolder) -> Pin | None:
    """The pin of an app's folder, one whose time is over too. Raises SiteUnavailable."""
    with disk.attempt("read the pin", app_folder.pin):
        try:
            text = disk.read_file(app_folder.pin).decode("utf-8", "replace").strip()
        except FileNotFoundError:
            return None
    if not text.startswith("{"):
        name = text or app_folder.live_name
        return Pin(build_hash=name) if name else None
    try:
        return _read(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read the pin {app_folder.pin}: {error!r}\n"
            f"  -> robbieblocks unpin --node {app_folder.node} --app {app_folder.app}, "
            "or pin it again"
        ) from error


def write_pin(app_folder: AppFolder, pin: Pin) -> None:
    """Put a pin in place of another (or none), durably. Raises SiteUnavailable."""
    text = json.dumps({"version": _VERSION, **pin.as_json(), "act": pin.act}, indent=2) + "\n"
    with disk.attempt("write the pin", app_folder.pin):
        with disk.folder(app_folder.path) as fd:
            disk.replace_file(
                app_folder.pin.name, text.encode(), dir_fd=fd, mode=disk.KEPT_BY_PEOPLE
            )
        system_calls.sync_file_system(app_folder.path)


def remove_pin(app_folder: AppFolder) -> bool:
    """Remove a pin, durably; whether there was one. Raises SiteUnavailable."""
    with disk.attempt("remove the pin", app_folder.pin):
        try:
            Path(app_folder.pin).unlink()
        except FileNotFoundError:
            return False
        disk.sync_folder(app_folder.path)
    return True


def _read(given: dict[str, object]) -> Pin:
    return Pin(
        build_hash=text_of(given, "release"),
        who=text_of(given, "who"),
        why=text_of(given, "why"),
        since=instant(given.get("since")),
        until=instant(given.get("until")),
        act=str(given.get("act") or ""),
    )


def text_of(given: Mapping[str, object], key: str) -> str:
    """A text of an object that was read. Raises KeyError and TypeError."""
    value = given[key]
    if not isinstance(value, str):
        raise TypeError(f"{key} is no text")
    return value


def instant(value: object) -> datetime | None:
    """An instant that was written as RFC 3339, or null. Raises ValueError."""
    if value is None:
        return None
    read = datetime.fromisoformat(str(value))
    if read.tzinfo is None:
        raise ValueError(f"{value} names no zone of time")
    return read.astimezone(UTC)


def minute(at: datetime) -> str:
    """An instant as people read it, to the minute."""
    return f"{at:%Y-%m-%d %H:%M}Z"
