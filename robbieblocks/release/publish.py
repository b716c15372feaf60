"""Publish one release: assets, files, sync, fence, swap, smoke check, or swap back."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Asset, Manifest, Sha256
from robbieblocks.release import disk, smoke, trust
from robbieblocks.release.assets import Written, write_assets
from robbieblocks.release.disk import Stamp
from robbieblocks.release.layout import MANIFEST, TEMPORARY, VERIFIED, Place, check_manifest
from robbieblocks.release.lock import assets_in_use, lock
from robbieblocks.release.manifest import dump
from robbieblocks.release.spare import Old, old_folders
from robbieblocks.release.tree import Plan, clear, fill, nothing_yet
from robbieblocks.release.verify import inspect, live_at, manifest_of, remember

_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publish did. `swapped` says that visitors now get other files than before.

    `files_linked` counts those that an earlier release had, `bytes_written` assets, files and
    manifest; the times are in milliseconds.
    """

    build_hash: Sha256
    swapped: bool
    files_written: int = 0
    files_linked: int = 0
    assets_written: int = 0
    bytes_written: int = 0
    write_ms: float = 0.0
    sync_ms: float = 0.0
    swap_ms: float = 0.0
    smoke_ms: float = 0.0


def publish(
    site_root: Path,
    manifest: Manifest,
    contents: Mapping[str, bytes],
    assets: Iterable[Asset],
    *,
    fence: Callable[[], None] = lambda: None,
    meanwhile: Callable[[], None] = lambda: None,
    smoke_url: str | None = None,
) -> Published:
    """Make a manifest's release live, and return when it is durable and was seen to be right.

    `contents` holds the bytes of every file that the live release doesn't have already. The release
    is made out of the spare, or of one that nothing keeps any more, by altering what differs;
    where there is none, all that stays is hard-linked from what is live. `assets` are written where
    the node lacks them. `meanwhile` is called while the disk is waited for, `fence` right before
    the swap; either may raise to stop it. With `smoke_url` (the node's origin) changed pages are
    also fetched, and their bytes must be those of the manifest.

    Equal bytes that are live and whole are left alone; a damaged live release is healed in place.
    Raises ContentError for a manifest that names what may not be written, and SiteUnavailable
    otherwise; in both cases what was live stays live, or is live again.
    """
    clock = _Clock()
    place = Place.of(site_root, manifest.node, manifest.app)
    check_manifest(manifest)
    with (
        lock(site_root, manifest.node, manifest.app),
        assets_in_use(place),
        disk.attempt("publish to", place.folder),
    ):
        publisher = _Publisher(place, manifest, contents, fence, meanwhile, smoke_url)
        return publisher.publish(assets, clock)


class _Publisher:
    """One run of publish(), under the lock."""

    def __init__(
        self,
        place: Place,
        manifest: Manifest,
        contents: Mapping[str, bytes],
        fence: Callable[[], None],
        meanwhile: Callable[[], None],
        smoke_url: str | None,
    ) -> None:
        self.place = place
        self.manifest = manifest
        self.contents = contents
        self.fence = fence
        self.meanwhile = meanwhile
        self.smoke_url = smoke_url
        self.hash = manifest.build_hash
        self.folder = place.releases / self.hash
        self.manifest_json = dump(manifest)
        self.written = Written()
        self.files_written = 0
        self.files_linked = 0
        self.compared_at = time.monotonic()
        self.live_name, self.live = live_at(place)

    def publish(self, assets: Iterable[Asset], clock: _Clock) -> Published:
        """The steps in their order, each timed."""
        _sweep(self.place)
        self.place.releases.mkdir(parents=True, exist_ok=True)
        self.written = write_assets(self.place, assets, self.manifest.assets)
        failpoints.reached("assets")
        aside = self._write_aside()
        is_live = self.live_name == self.hash
        if aside is not None and not is_live:
            self._settle(aside)
        write_ms = clock.lap()
        changed = aside is not None or not is_live
        if changed or self.written.count:
            self._sync()
        failpoints.reached("synced")
        sync_ms = clock.lap()
        if changed:
            self.fence()
            failpoints.reached("fenced")
            before = disk.target_of(self.place.previous)
            if aside is not None and is_live:
                self._heal(aside)
            else:
                self._swap()
            swap_ms = clock.lap()
            self._smoke(before)
            if aside is not None:
                trust.note(self.folder, self.compared_at)
        else:
            swap_ms = 0.0
        return Published(
            build_hash=self.hash,
            swapped=changed,
            files_written=self.files_written,
            files_linked=self.files_linked,
            assets_written=self.written.count,
            bytes_written=self.written.size,
            write_ms=write_ms,
            sync_ms=sync_ms,
            swap_ms=swap_ms,
            smoke_ms=clock.lap(),
        )

    def _write_aside(self) -> Path | None:
        """The release under a temporary name, or None where it is there already, whole."""
        same = manifest_of(self.place, self.hash)
        there = {} if same is None else self._whole(self.hash, same, list(self.manifest.files))
        if same is not None and len(there) == len(self.manifest.files):
            with disk.folder(self.folder) as fd:
                if disk.read_file(MANIFEST, dir_fd=fd) != self.manifest_json:
                    # Equal bytes from other inputs: remember those, or they count as changed again.
                    disk.replace_file(MANIFEST, self.manifest_json, dir_fd=fd)
                    remember(self.manifest, dir_fd=fd)
            return None
        old = next(old_folders(self.place, but=self.hash), None)
        if old is not None:
            # What is the matter with an old folder is no matter for the release.
            with contextlib.suppress(OSError):
                return self._made(old, there)
        return self._made(None, there)

    def _made(self, old: Old | None, there: Mapping[str, Stamp]) -> Path:
        """The release under a temporary name, made out of an old folder or afresh."""
        files, given = self.manifest.files, self.contents
        self.compared_at = trust.compared_at(old.folder) if old else time.monotonic()
        difference = old.compare(files, given) if old else nothing_yet(self.manifest)
        plan = self._plan(difference.kept, there)
        aside = self.place.releases / disk.temporary_name(self.hash[:12])
        if old is None:
            aside.mkdir()
        else:
            old.take(aside)
            failpoints.reached("taken")
        with disk.folder(aside) as fd:
            if old is not None:
                clear(fd, difference)
                failpoints.reached("cleared")
            fill(fd, self.manifest, self.manifest_json, difference, plan, given)
        failpoints.reached("written")
        self.files_written = len(plan.write)
        self.files_linked = len(files) - len(plan.write)
        self.written.size += len(self.manifest_json) + sum(len(given[path]) for path in plan.write)
        return aside

    def _plan(self, kept: Collection[str], there: Mapping[str, Stamp]) -> Plan:
        """Take each file that is not kept from the same release, the live one, or the contents."""
        files = self.manifest.files
        plan = Plan()
        plan.links[self.folder] = {p: stamp for p, stamp in there.items() if p not in kept}
        missing = [path for path in files if path not in kept and path not in there]
        if self.live_name not in (None, self.hash) and self.live is not None:
            known = self.live.files
            same = [path for path in missing if known.get(path) == files[path]]
            whole = self._whole(self.live_name, self.live, same)
            plan.links[self.place.releases / self.live_name] = whole
            missing = [path for path in missing if path not in whole]
        if lacking := [path for path in missing if path not in self.contents]:
            raise self._lacking(lacking)
        plan.write = missing
        return plan

    def _whole(self, name: str, known: Manifest, paths: list[str]) -> dict[str, Stamp]:
        """Those files of a release that are whole.

        What was handed in is read, since the caller may hand it in because the file is damaged.
        """
        folder = self.place.releases / name
        trusted = (folder / VERIFIED).exists()
        given = [path for path in paths if path in self.contents]
        others = [path for path in paths if path not in self.contents]
        return {
            **inspect(folder, known, paths=others, trust_seal=trusted).whole,
            **inspect(folder, known, paths=given, trust_seal=False).whole,
        }

    def _sync(self) -> None:
        """Make it all durable. Only the disk is busy then: other work costs no time."""
        with ThreadPoolExecutor(1, "sync") as pool:
            syncing = pool.submit(disk.sync_file_system, self.place.root)
            self.meanwhile()
            syncing.result()

    def _settle(self, aside: Path) -> None:
        """Give the release its name; one of that name that is not live makes way."""
        if self.folder.exists() or self.folder.is_symlink():
            self.folder.rename(self.place.releases / disk.temporary_name("damaged"))
        aside.rename(self.folder)
        failpoints.reached("named")

    def _swap(self) -> None:
        # A stand-in that a kill left live has the same content: that is nothing to go back to.
        stood_in = self.live_name is not None and self.live_name.startswith(self.hash)
        if self.live is not None and not stood_in:
            disk.point(self.place.previous, f"releases/{self.live_name}")
            failpoints.reached("previous")
        disk.point(self.place.current, f"releases/{self.hash}")
        failpoints.reached("swapped")
        disk.sync_folder(self.place.folder)

    def _heal(self, aside: Path) -> None:
        """Put a whole release where the damaged live one of the same hash is; no moment without.

        Without an atomic exchange of folders the site goes by way of a stand-in, `<hash>.<n>`.
        """
        if not self.folder.exists():
            aside.rename(self.folder)
            failpoints.reached("swapped")
            disk.sync_folder(self.place.releases)
            return
        if disk.exchange(aside, self.folder):
            failpoints.reached("swapped")
            disk.sync_folder(self.place.releases)
            return
        stand_in = self._free_stand_in()
        aside.rename(stand_in)
        disk.point(self.place.current, f"releases/{stand_in.name}")
        failpoints.reached("stand-in")
        self.folder.rename(self.place.releases / disk.temporary_name("damaged"))
        shutil.copytree(stand_in, aside, copy_function=os.link)
        aside.rename(self.folder)
        failpoints.reached("stand-in copied")
        disk.point(self.place.current, f"releases/{self.hash}")
        failpoints.reached("swapped")
        stand_in.rename(self.place.releases / disk.temporary_name("stand-in"))
        disk.sync_folder(self.place.folder)

    def _free_stand_in(self) -> Path:
        number = 1
        while (path := self.place.releases / f"{self.hash}.{number}").exists():
            number += 1
        return path

    def _smoke(self, previous: str | None) -> None:
        """Look at what is served now; swap back, and say why, when it is not right."""
        changed = self._changed_paths()
        faults = smoke.check_files(self.place, self.manifest, self.manifest_json, changed)
        if not faults and self.smoke_url:
            faults = smoke.check_served(self.smoke_url, self.manifest, changed)
        failpoints.reached("checked")
        if faults:
            outcome = self._swap_back(previous)
            raise SiteUnavailable(
                f"published {self.place.folder} ({self.hash[:12]}), but it is not served as it "
                f"should be; {outcome}\n  " + "\n  ".join(faults[:_NAMED_AT_MOST])
            )
        (self.folder / VERIFIED).touch()
        failpoints.reached("verified")
        _sweep(self.place)

    def _changed_paths(self) -> list[str]:
        before = {} if self.live is None else self.live.files
        return [
            path
            for path, digest in self.manifest.files.items()
            if path in self.contents or before.get(path) != digest
        ]

    def _swap_back(self, previous: str | None) -> str:
        if self.live_name == self.hash:
            return "it was damaged before, so there is nothing better to swap back to"
        if self.live_name is None or self.live is None:
            return "there is no earlier release to swap back to"
        disk.point(self.place.current, f"releases/{self.live_name}")
        failpoints.reached("swapped back")
        if previous is not None:
            disk.point(self.place.previous, f"releases/{previous}")
        disk.sync_folder(self.place.folder)
        return f"swapped back to {self.live_name[:12]}"

    def _lacking(self, paths: list[str]) -> SiteUnavailable:
        shown = ", ".join(paths[:_NAMED_AT_MOST]) + (
            f" and {len(paths) - _NAMED_AT_MOST} more" if len(paths) > _NAMED_AT_MOST else ""
        )
        return SiteUnavailable(
            f"could not publish to {self.place.folder}: {shown} did not change, but the live "
            "release has no whole copy\n  -> build again; what verify() names is rendered anew"
        )


class _Clock:
    """Milliseconds since the last lap."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def lap(self) -> float:
        """Start the next lap and return how long this one took."""
        now = time.perf_counter()
        took, self.last = (now - self.last) * 1000, now
        return took


def _sweep(place: Place) -> None:
    """Remove what killed runs left: under the lock nobody builds there.

    What a thread of this process is making or removing is left to that thread.
    """
    for folder in (place.folder, place.releases):
        with contextlib.suppress(FileNotFoundError):
            for entry in list(os.scandir(folder)):
                if not entry.name.startswith(TEMPORARY) or disk.is_in_hand(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    disk.remove_tree(Path(entry.path))
                else:
                    Path(entry.path).unlink(missing_ok=True)
