"""Holds: pages that keep their live bytes while the others of their app go on.

They stand in the file `held.json` beside `current`. A hold ends when the page's own rows change,
when its time is over, or when a person ends it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.messages import visible_line
from robbieblocks.release.files import disk, system_calls
from robbieblocks.release.pinning.pins import instant, minute, text_of
from robbieblocks.release.places.layout import AppFolder, has_place
from robbieblocks.release.places.site_root import SiteRoot

HOLDS: Final = "held.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A page that a person holds. `rows` are the digests of its rows when that began.

    `build_hash` is the release from which its bytes are; `taken_back` where that is an earlier one
    than was live. After `until` it holds nothing. `act` is as for a pin.
    """

    rows: str
    build_hash: str
    taken_back: bool = False
    who: str = ""
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None
    act: str = ""

    def __str__(self) -> str:
        since = f" since {minute(self.since)}" if self.since else ""
        until = f" until {minute(self.until)}" if self.until else ""
        return visible_line(
            f"held as of release {self.build_hash[:12]} by {self.who}{since}{until}: {self.why}"
        )

    def covers(self, rows: str) -> bool:
        """Whether a page with these digests of its rows has the rows that are held.

        Which blocks its conditions show does not count: nobody has changed a row at that instant.
        """
        return _without_signs(self.rows) == _without_signs(rows)

    def as_json(self) -> dict[str, str | None]:
        """The stable form: `release`, `who`, `why`, and RFC 3339 `since` and `until` or null."""
        return {
            "release": self.build_hash,
            "who": self.who,
            "why": self.why,
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
        }


def holds(site_root: SiteRoot, node: str, app: str) -> Mapping[str, Hold]:
    """What is held now, by page key. Raises SiteUnavailable for a file that can't be read."""
    if not has_place(node, app):
        return {}
    return holds_not_over(read_holds(AppFolder.of(site_root, node, app)))


def read_holds(app_folder: AppFolder) -> dict[str, Hold]:
    """The holds of an app's folder, those whose time is over too. Raises SiteUnavailable."""
    path = app_folder.path / HOLDS
    with disk.attempt("read the holds", path):
        try:
            text = disk.read_file(path)
        except FileNotFoundError:
            return {}
    try:
        return {
            str(key): Hold(
                rows=text_of(given, "rows"),
                build_hash=text_of(given, "release"),
                taken_back=given.get("taken_back") is True,
                who=text_of(given, "who"),
                why=text_of(given, "why"),
                since=instant(given.get("since")),
                until=instant(given.get("until")),
                act=str(given.get("act") or ""),
            )
            for key, given in json.loads(text)["pages"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read the holds {path}: {error!r}\n"
            "  -> remove the file: the next build brings its pages up to date"
        ) from error


def write_holds(app_folder: AppFolder, held: Mapping[str, Hold]) -> None:
    """Put holds in place of those there are, durably. Raises SiteUnavailable."""
    path = app_folder.path / HOLDS
    pages = {
        key: {"rows": hold.rows, "taken_back": hold.taken_back, "act": hold.act, **hold.as_json()}
        for key, hold in sorted(held.items())
    }
    text = json.dumps({"version": _VERSION, "pages": pages}, indent=2) + "\n"
    with disk.attempt("write the holds", path):
        if held:
            with disk.folder(app_folder.path) as fd:
                disk.replace_file(HOLDS, text.encode(), dir_fd=fd, mode=disk.KEPT_BY_PEOPLE)
        else:
            Path(path).unlink(missing_ok=True)
        system_calls.sync_file_system(app_folder.path)


def holds_not_over(held: Mapping[str, Hold]) -> dict[str, Hold]:
    """Those whose time is not over."""
    now = time.time()
    return {
        key: hold
        for key, hold in held.items()
        if hold.until is None or hold.until.timestamp() > now
    }


def _without_signs(rows: str) -> frozenset[str]:
    return frozenset(part.replace("+", "-") for part in rows.split())
