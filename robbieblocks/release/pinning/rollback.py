"""Goes back to a release that was live before, and pins it; no database is needed."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.model import Manifest, Sha256, only_late_parts_differ
from robbieblocks.release.audit.entries import new_id
from robbieblocks.release.audit.noting import GOING_BACK
from robbieblocks.release.files import disk
from robbieblocks.release.names import MANIFEST
from robbieblocks.release.pinning.holds import read_holds, write_holds
from robbieblocks.release.pinning.in_force import audit_log
from robbieblocks.release.pinning.kept_releases import (
    before_live,
    choose,
    kept_releases,
    whole_manifest,
)
from robbieblocks.release.pinning.live_pins import pin_entry
from robbieblocks.release.pinning.pins import Pin, read_pin, remove_pin, write_pin
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import assets_in_use, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.reading import live_release, manifest_of
from robbieblocks.release.retention.remarks import LEFT, remark
from robbieblocks.release.swap import checked_or_swapped_back, swap
from robbieblocks.release.write import NewRelease
from robbieblocks.settings import Address

_LISTED_AT_MOST: Final = 10
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback did: the hash before, and the pin; equal hashes where it was live already.

    `not_served` is as for `Published`.
    """

    before: str
    pin: Pin
    not_served: tuple[NotServed, ...] = ()


def roll_back(
    site_root: SiteRoot,
    node: str,
    app: str,
    *,
    to: str = "",
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
    address: Address | None = None,
) -> RolledBack:
    """Make a release live that was live before, and pin it.

    `to` is its hash, or how that begins; without it, the release that was made live last before the
    live one, and is not that with an earlier index. The pin is written first: where the process
    ends before the swap, the next rollback completes it, and meanwhile nothing newer goes out. Held
    pages are held from then on as they are in it. What is not served at `address` as it should be
    is in the answer: a person chose the release, and the server that is down, or the cache that is
    stale, was so before.

    Raises UsageError where there is no such release, or a file of it is damaged, and
    SiteUnavailable; then what was live, and its pin, stay or are put back.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app), assets_in_use(app_folder):
        live_name, live = live_release(app_folder)
        if live_name is None:
            raise UsageError(f"nothing of {app} is live on {node}, so there is nothing to go back")
        kept = kept_releases(site_root, node, app)
        name = choose(kept, to, f"{app} on {node}", partial(_is_no_step, app_folder, live))
        manifest = whole_manifest(app_folder, name)
        pin = Pin(build_hash=name, who=who, why=why, since=now, until=until, act=new_id())
        before = _earlier_pin(app_folder)
        entry = pin_entry(app_folder, pin)
        if name != live_name:
            entry = replace(entry, kind=GOING_BACK, release_before=live_name)
        not_served: tuple[NotServed, ...] = ()
        with audit_log(app_folder).noted(entry):
            write_pin(app_folder, pin)
            failpoints.reached("pinned")
            if name != live_name:
                try:
                    not_served = _swap(app_folder, manifest, (live_name, live), address)
                except SiteUnavailable:
                    _put_back(app_folder, before)
                    raise
                _let_holds_follow(app_folder, live, manifest)
                goes_back = any(each.build_hash == name for each in before_live(kept))
                remark(app_folder, live_name, LEFT if goes_back else b"")
                remark(app_folder, name, b"")
    return RolledBack(before=live_name, pin=pin, not_served=not_served)


def _is_no_step(app_folder: AppFolder, live: Manifest | None, name: str) -> bool:
    """Whether a release is the live one but for what a worker made of it afterwards.

    To go back to it would take nothing back.
    """
    earlier = None if live is None else manifest_of(app_folder, name)
    return live is not None and earlier is not None and only_late_parts_differ(live, earlier)


def _swap(
    app_folder: AppFolder,
    manifest: Manifest,
    live: tuple[str, Manifest | None],
    address: Address | None,
) -> tuple[NotServed, ...]:
    with disk.attempt("publish to", app_folder.path):
        new = NewRelease(
            app_folder=app_folder,
            manifest=manifest,
            manifest_json=disk.read_file(app_folder.releases / manifest.build_hash / MANIFEST),
            contents={},
            live_name=live[0],
            live=live[1],
        )
        previous = disk.target_of(app_folder.previous)
        swap(new)
        return checked_or_swapped_back(new, previous, kept_at(address))


def kept_at(address: Address | None) -> Address | None:
    """An address to ask, whatever the settings say of releases that are not served."""
    return replace(address, swap_back=False) if address else None


def _let_holds_follow(app_folder: AppFolder, before: Manifest | None, now: Manifest) -> None:
    """Note of each held page that visitors get other bytes of now that it is held as of now.

    Holds that can't be read hold everything: they keep nobody from going back.
    """
    with suppress(SiteUnavailable):
        held = read_holds(app_folder)
        bytes_before = _bytes_of_pages(before, held)
        bytes_now = _bytes_of_pages(now, held)
        moved = {key for key in bytes_now if bytes_now[key] != bytes_before.get(key)}
        if moved:
            followed = {
                key: replace(held[key], build_hash=now.build_hash, taken_back=True) for key in moved
            }
            write_holds(app_folder, {**held, **followed})


def _bytes_of_pages(manifest: Manifest | None, keys: Collection[str]) -> dict[str, Sha256]:
    """The digests of pages' files, by key."""
    if manifest is None:
        return {}
    return {page.key: manifest.files[page.path] for page in manifest.pages if page.key in keys}


def _earlier_pin(app_folder: AppFolder) -> Pin | None:
    """The pin to put back where the swap fails; one that says nothing is none."""
    with suppress(SiteUnavailable):
        return read_pin(app_folder)
    return None


def _put_back(app_folder: AppFolder, pin: Pin | None) -> None:
    if pin is None:
        remove_pin(app_folder)
    else:
        write_pin(app_folder, pin)
