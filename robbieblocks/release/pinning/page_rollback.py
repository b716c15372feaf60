"""Goes back to an earlier version of one page, and holds it; no database is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import printable
from robbieblocks.model import Manifest, PageEntry, icon_file, sheet_file
from robbieblocks.release.audit.entries import Entry, new_id
from robbieblocks.release.audit.noting import GOING_BACK
from robbieblocks.release.files import disk
from robbieblocks.release.pinning.holding import hold_entry, is_taken_back, live_page, rows_of
from robbieblocks.release.pinning.holds import Hold, read_holds, write_holds
from robbieblocks.release.pinning.in_force import audit_log
from robbieblocks.release.pinning.kept_releases import (
    before_live,
    choose,
    kept_releases,
    listed,
    whole_manifest,
)
from robbieblocks.release.pinning.pins import read_pin, write_pin
from robbieblocks.release.pinning.rollback import kept_at
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.reading import manifest_of
from robbieblocks.release.swap import make_live
from robbieblocks.release.write import write_release
from robbieblocks.settings import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBackPage:
    """How the page is held since. `not_served` is as for `Published`."""

    hold: Hold
    not_served: tuple[NotServed, ...] = ()


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
    address: Address | None = None,
) -> RolledBackPage:
    """Give visitors one page as an earlier release had it, and hold it there.

    `to` is as for `roll_back`; without it, the last release before the live one in which the page
    was another. `address` is as for `roll_back`, too. The hold is written first: after a kill
    before the swap the page stays as it is, and the same call completes it. Where what is live is
    pinned, the pin goes along. Raises UsageError where no such release is kept, whole, with the
    page at the same route, and SiteUnavailable; then what was live, and what was held, stay.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live, entry = live_page(app_folder, page)
        before, pin = read_holds(app_folder), read_pin(app_folder)
        earlier = _earlier(app_folder, live, entry, before, to)
        old = earlier.by_key[page]
        hold = Hold(
            rows=rows_of(app_folder, entry, before),
            build_hash=earlier.build_hash,
            taken_back=True,
            who=who,
            why=why,
            since=now,
            until=until,
            act=new_id(),
        )
        wanted = _with_page(live, old, earlier)
        folder = app_folder.releases / earlier.build_hash
        with disk.attempt("read", folder):
            contents = {
                path: (folder / path).read_bytes()
                for path in {old.path, *(wanted.files.keys() - live.files.keys())}
            }
        with audit_log(app_folder).noted(_entry(app_folder, page, hold, live, wanted)):
            write_holds(app_folder, {**before, page: hold})
            failpoints.reached("held")
            try:
                with write_release(site_root, wanted, contents, ()) as written:
                    done = make_live(written, address=kept_at(address))
            except SiteUnavailable:
                write_holds(app_folder, before)
                raise
        if pin is not None and pin.build_hash == live.build_hash:
            # After the swap: after a kill between the two a build tells how to go back to it.
            write_pin(app_folder, replace(pin, build_hash=wanted.build_hash))
    return RolledBackPage(hold=hold, not_served=done.not_served)


def _entry(app_folder: AppFolder, page: str, hold: Hold, live: Manifest, wanted: Manifest) -> Entry:
    entry = hold_entry(app_folder, page, hold)
    if wanted.build_hash == live.build_hash:
        return entry
    return replace(
        entry,
        kind=GOING_BACK,
        release=wanted.build_hash,
        release_before=live.build_hash,
        digest=wanted.files[wanted.by_key[page].path],
    )


def _earlier(
    app_folder: AppFolder, live: Manifest, entry: PageEntry, held: Mapping[str, Hold], to: str
) -> Manifest:
    """The whole release from which the page's bytes are to come."""
    place = f"{app_folder.app} on {app_folder.node}"
    kept = kept_releases(app_folder.site_root, app_folder.node, app_folder.app)
    if to:
        found = whole_manifest(app_folder, choose(kept, to, place))
        if not _has_page(found, entry):
            raise UsageError(
                f"release {found.build_hash[:12]} has no page {printable(entry.key)} at "
                f"{printable(entry.route)}: name another one with --to"
            )
        return found
    hold = held.get(entry.key)
    if hold is not None and (
        not hold.covers(entry.row_digests) or is_taken_back(app_folder, live, entry, hold)
    ):
        # Its version of before may have been made live again since: no order of releases tells.
        raise UsageError(
            f"the page {printable(entry.key)} of {place} is {hold}; it was taken back already\n"
            f"  -> name the release with --to; there are:{listed(kept)}"
        )
    for each in before_live(kept):
        manifest = manifest_of(app_folder, each.build_hash)
        if (
            manifest is not None
            and _has_page(manifest, entry)
            and manifest.files[entry.path] != live.files[entry.path]
        ):
            return whole_manifest(app_folder, each.build_hash)
    raise UsageError(
        f"no release of {place} that was live before the live one and is kept has another version "
        f"of {printable(entry.key)}"
    )


def _has_page(manifest: Manifest, entry: PageEntry) -> bool:
    """Whether a release has the page, at the same route."""
    old = manifest.by_key.get(entry.key)
    return old is not None and old.path == entry.path


def _with_page(live: Manifest, old: PageEntry, earlier: Manifest) -> Manifest:
    """What is live, with one page as it was, and with the stylesheet at a fixed address that the
    page may link, where what is live has none.
    """
    files = {**live.files, old.path: earlier.files[old.path]}
    assets = {*live.assets, *old.assets}
    for path in (sheet_file(live.app), icon_file(live.app)):
        if path in earlier.files and path not in live.files:
            files[path] = earlier.files[path]
            assets.update(earlier.assets)
    return replace(
        live,
        files=files,
        pages=tuple(old if each.key == old.key else each for each in live.pages),
        assets=tuple(sorted(assets)),
    )
