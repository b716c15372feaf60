"""Goes back to a release that was live before, and pins it; no database is needed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.messages import printable
from robbieblocks.model import Manifest, Sha256
from robbieblocks.release.checking.verify import damaged_assets
from robbieblocks.release.files import disk
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.names import MANIFEST
from robbieblocks.release.pinning.holds import read_holds, write_holds
from robbieblocks.release.pinning.pins import Pin, read_pin, remove_pin, write_pin
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import assets_in_use, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.reading import live_release, manifest_of
from robbieblocks.release.retention.rule import live_times
from robbieblocks.release.swap import checked_or_swapped_back, swap
from robbieblocks.release.write import NewRelease
from robbieblocks.settings import Address

_LISTED_AT_MOST: Final = 10
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRelease:
    """A release that is on the disk and was live: its hash, and when it was made live last."""

    build_hash: str
    live_at: datetime
    is_live: bool

    def __str__(self) -> str:
        live = " (live)" if self.is_live else ""
        return f"{self.build_hash[:12]} of {self.live_at:%Y-%m-%d %H:%M:%S}Z{live}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """What a rollback did: the hash before, and the pin; equal hashes where it was live already.

    `not_served` is as for `Published`.
    """

    before: str
    pin: Pin
    not_served: tuple[NotServed, ...] = ()


def kept_releases(site_root: SiteRoot, node: str, app: str) -> tuple[KeptRelease, ...]:
    """The releases of an app that one can go back to, the one made live last first.

    One that never was live, or failed its check, is none of them. Raises SiteUnavailable.
    """
    app_folder = AppFolder.of(site_root, node, app)
    live = app_folder.live_name
    with disk.attempt("read the releases", app_folder.releases):
        if not app_folder.releases.is_dir():
            return ()
        found = [(live_at, name) for name, live_at in live_times(app_folder).items()]
    return tuple(
        KeptRelease(
            build_hash=name,
            live_at=datetime.fromtimestamp(live_at, UTC),
            is_live=name == live,
        )
        for live_at, name in sorted(found, reverse=True)
        if live_at
    )


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
    live one. The pin is written first: where the process ends before the swap, the next rollback
    completes it, and meanwhile nothing newer goes out. Held pages are held from then on as they are
    in it. What is not served at `address` as it should be is in the answer: a person chose the
    release, and the server that is down, or the cache that is stale, was so before.

    Raises UsageError where there is no such release, or a file of it is damaged, and
    SiteUnavailable; then what was live, and its pin, stay or are put back.
    """
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app), assets_in_use(app_folder):
        live_name, live = live_release(app_folder)
        if live_name is None:
            raise UsageError(f"nothing of {app} is live on {node}, so there is nothing to go back")
        name = choose(kept_releases(site_root, node, app), to, f"{app} on {node}")
        manifest = whole_manifest(app_folder, name)
        pin = Pin(build_hash=name, who=who, why=why, since=now, until=until)
        before = _earlier_pin(app_folder)
        write_pin(app_folder, pin)
        failpoints.reached("pinned")
        not_served: tuple[NotServed, ...] = ()
        if name != live_name:
            try:
                not_served = _swap(app_folder, manifest, (live_name, live), address)
            except SiteUnavailable:
                _put_back(app_folder, before)
                raise
            _let_holds_follow(app_folder, live, manifest)
    return RolledBack(before=live_name, pin=pin, not_served=not_served)


def pin_live(
    site_root: SiteRoot,
    node: str,
    app: str,
    *,
    who: str,
    why: str,
    now: datetime,
    until: datetime | None = None,
) -> Pin:
    """Hold what is live. Raises UsageError where nothing is, and SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        live_name, live = live_release(app_folder)
        if live_name is None or live is None:
            raise UsageError(f"nothing of {app} is live on {node}, so there is nothing to pin")
        pin = Pin(build_hash=live.build_hash, who=who, why=why, since=now, until=until)
        write_pin(app_folder, pin)
    return pin


def unpin(site_root: SiteRoot, node: str, app: str) -> bool:
    """Remove the pin of an app; whether there was one. Raises SiteUnavailable."""
    app_folder = AppFolder.of(site_root, node, app)
    with lock(site_root, node, app):
        return remove_pin(app_folder)


def choose(kept: Sequence[KeptRelease], to: str, place: str) -> str:
    """The release to go to. Raises UsageError that lists those there are."""
    if not to:
        live_at = next((each.live_at for each in kept if each.is_live), None)
        older = [e for e in kept if not e.is_live and (live_at is None or e.live_at < live_at)]
        if not older:
            raise UsageError(
                f"no release of {place} that was live before the live one is kept\n"
                f"  -> name one with --to; there are:{listed(kept)}"
            )
        return older[0].build_hash
    found = [each.build_hash for each in kept if each.build_hash.startswith(to.lower())]
    if len(found) != 1:
        what = "several releases" if found else "no release that was live"
        raise UsageError(f"{what} of {place} begins with {printable(to)}; there are:{listed(kept)}")
    return found[0]


def listed(kept: Sequence[KeptRelease]) -> str:
    """Releases as lines below an error, the last ones alone."""
    return "".join(f"\n  {each}" for each in kept[:_LISTED_AT_MOST]) or " none"


def whole_manifest(app_folder: AppFolder, name: str) -> Manifest:
    """The manifest of a release that is whole. Raises UsageError that names what is damaged.

    Pages are compared by size and time: of ten thousand, reading all takes seconds.
    """
    manifest = manifest_of(app_folder, name)
    damaged: list[str] = []
    if manifest is not None:
        folder = app_folder.releases / name
        with disk.attempt("read the release", folder):
            whole = whole_files(folder, manifest, manifest.files)
            damaged = [path for path in manifest.files if path not in whole]
        with disk.attempt("read the assets", app_folder.assets):
            damaged += damaged_assets(app_folder.assets, manifest.assets, quick=False)
    if manifest is None or damaged:
        what = ", ".join(map(printable, damaged[:_NAMED_AT_MOST])) or "its manifest"
        raise UsageError(
            f"release {name[:12]} of {app_folder.app} on {app_folder.node} is damaged: {what}\n"
            "  -> name another one with --to"
        )
    return manifest


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
