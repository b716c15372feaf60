"""Holds: pages that keep their live bytes while the others of their app go on.

They stand in the file `held.json` beside `current`. A hold ends when the page's own rows change,
when its time is over, or when a person ends it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import did_you_mean, printable, visible_line
from robbieblocks.model import Manifest, PageEntry
from robbieblocks.release.files import disk
from robbieblocks.release.layout import AppFolder, has_place
from robbieblocks.release.lock import lock
from robbieblocks.release.pins import instant, minute, text_of
from robbieblocks.release.reading import live_release, manifest_of
from robbieblocks.release.rollback import choose, kept_releases, whole_manifest
from robbieblocks.release.site_root import SiteRoot
from robbieblocks.release.swap import make_live
from robbieblocks.release.write import write_release

_FILE: Final = "held.json"
_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A page that a person holds. `rows` are the digests of its rows when that began.

    `build_hash` is the release from which its bytes are. After `until` it holds nothing.
    """

    rows: str
    build_hash: str
    who: str = ""
    why: str = ""
    since: datetime | None = None
    until: datetime | None = None

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
    now = time.time()
    return {
        key: hold
        for key, hold in _read(AppFolder.of(site_root, node, app)).items()
        if hold.until is None or hold.until.timestamp() > now
    }


def hold_page(
    site_root: SiteRoot,
    node: str,
    app: str,
    page: str,
    *,
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Hold:
    """Hold a page at what is live. Raises UsageError where it is not live, and SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live, entry = _live_page(app_folder, page)
        hold = Hold(
            rows=entry.row_digests,
            build_hash=live.build_hash,
            who=who,
            why=why,
            since=now,
            until=until,
        )
        _write(app_folder, {**_read(app_folder), page: hold})
    return hold


def roll_back_page(
    site_root: SiteRoot,
    node: str,
    app: str,
    page: str,
    *,
    to: str = "",
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
    smoke_url: str | None = None,
) -> Hold:
    """Give visitors one page as an earlier release had it, and hold it there.

    `to` is as for `roll_back`; without it, the last release in which the page was another. The hold
    is written first: after a kill before the swap the page stays as it is, and the same call
    completes it. Raises UsageError where no such release is kept, whole, with the page at the same
    route, and SiteUnavailable; then what was live, and what was held, stay.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live, entry = _live_page(app_folder, page)
        earlier = _earlier(site_root, app_folder, live, entry, to)
        old = earlier.by_key[page]
        hold = Hold(
            rows=entry.row_digests,
            build_hash=earlier.build_hash,
            who=who,
            why=why,
            since=now,
            until=until,
        )
        before = _read(app_folder)
        _write(app_folder, {**before, page: hold})
        failpoints.reached("held")
        wanted = _with_page(live, old, earlier)
        file = app_folder.releases / earlier.build_hash / old.path
        with disk.attempt("read", file):
            contents = {old.path: file.read_bytes()}
        try:
            with write_release(site_root, wanted, contents, ()) as written:
                make_live(written, smoke_url=smoke_url)
        except SiteUnavailable:
            _write(app_folder, before)
            raise
    return hold


def end_holds(site_root: SiteRoot, node: str, app: str, pages: Collection[str]) -> tuple[str, ...]:
    """End the holds of pages; the keys of those that were held. Raises SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        held = _read(app_folder)
        ended = tuple(sorted(held.keys() & set(pages)))
        if ended:
            _write(app_folder, {key: hold for key, hold in held.items() if key not in ended})
    return ended


def _live_page(app_folder: AppFolder, page: str) -> tuple[Manifest, PageEntry]:
    _, live = live_release(app_folder)
    place = f"{app_folder.app} on {app_folder.node}"
    if live is None or page not in live.by_key:
        known = live.by_key if live else {}
        raise UsageError(
            f"no page {printable(page)!r} of {place} is live: {did_you_mean(page, known)}"
        )
    entry = live.by_key[page]
    if not entry.row_digests:
        raise UsageError(
            f"the page {printable(page)} of {place} was published by an earlier version: "
            "build it once, then hold it"
        )
    return live, entry


def _earlier(
    site_root: SiteRoot, app_folder: AppFolder, live: Manifest, entry: PageEntry, to: str
) -> Manifest:
    """The whole release from which the page's bytes are to come."""
    node, app = app_folder.node, app_folder.app
    kept = kept_releases(site_root, node, app)
    if to:
        found = whole_manifest(app_folder, choose(kept, to, f"{app} on {node}"))
    else:
        bytes_now = live.files[entry.path]
        for each in kept:
            manifest = None if each.is_live else manifest_of(app_folder, each.build_hash)
            if manifest and manifest.files.get(entry.path, bytes_now) != bytes_now:
                found = whole_manifest(app_folder, each.build_hash)
                break
        else:
            raise UsageError(
                f"no kept release of {app} on {node} has another version of {printable(entry.key)}"
            )
    old = found.by_key.get(entry.key)
    if old is None or old.path != entry.path:
        raise UsageError(
            f"release {found.build_hash[:12]} has no page {printable(entry.key)} at "
            f"{printable(entry.route)}: name another one with --to"
        )
    return found


def _with_page(live: Manifest, old: PageEntry, earlier: Manifest) -> Manifest:
    """What is live, with one page as it was."""
    return replace(
        live,
        files={**live.files, old.path: earlier.files[old.path]},
        pages=tuple(old if each.key == old.key else each for each in live.pages),
        assets=tuple(sorted({*live.assets, *old.assets})),
    )


def _without_signs(rows: str) -> frozenset[str]:
    return frozenset(part.replace("+", "-") for part in rows.split())


def _read(app_folder: AppFolder) -> dict[str, Hold]:
    path = app_folder.path / _FILE
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
                who=text_of(given, "who"),
                why=text_of(given, "why"),
                since=instant(given.get("since")),
                until=instant(given.get("until")),
            )
            for key, given in json.loads(text)["pages"].items()
        }
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise SiteUnavailable(
            f"could not read the holds {path}: {error!r}\n"
            "  -> remove the file: the next build brings its pages up to date"
        ) from error


def _write(app_folder: AppFolder, held: Mapping[str, Hold]) -> None:
    path = app_folder.path / _FILE
    pages = {key: {"rows": hold.rows, **hold.as_json()} for key, hold in sorted(held.items())}
    text = json.dumps({"version": _VERSION, "pages": pages}, indent=2) + "\n"
    with disk.attempt("write the holds", path):
        if held:
            with disk.folder(app_folder.path) as fd:
                disk.replace_file(_FILE, text.encode(), dir_fd=fd)
        else:
            Path(path).unlink(missing_ok=True)
        disk.sync_file_system(app_folder.path)
