"""Publish one release: assets, files, sync, fence, swap, smoke check, or swap back."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Asset, Manifest, Sha256
from robbieblocks.release import disk, fault, smoke
from robbieblocks.release.assets import Written, write_assets
from robbieblocks.release.disk import Stamp
from robbieblocks.release.layout import (
    MANIFEST,
    SEAL,
    TEMPORARY,
    VERIFIED,
    Place,
    check_manifest,
    folders_of,
)
from robbieblocks.release.lock import assets_in_use, lock
from robbieblocks.release.manifest import dump
from robbieblocks.release.verify import inspect, live_at, manifest_of, seal_of

_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What a publish did. `swapped` says that visitors now get other files than before.

    `bytes_written` counts assets, files and manifest; the times are in milliseconds.
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
    smoke_url: str | None = None,
) -> Published:
    """Make a manifest's release live, and return when it is durable and was seen to be right.

    `contents` holds the bytes of every file that the live release doesn't have already; the others
    are hard-linked from it. `assets` are written where the node lacks them. `fence` is called right
    before the swap and raises to stop it. With `smoke_url` (the node's origin) changed pages are
    also fetched, and their bytes must be those of the manifest.

    Equal bytes that are live and whole are left alone; a damaged live release is healed in place.
    Raises ContentError for a manifest that names what may not be written, and SiteUnavailable
    otherwise; in both cases what was live stays live, or is live again.
    """
    place = Place.of(site_root, manifest.node, manifest.app)
    check_manifest(manifest)
    with (
        lock(site_root, manifest.node, manifest.app),
        assets_in_use(place),
        disk.attempt("publish to", place.folder),
    ):
        return _Publisher(place, manifest, contents, fence, smoke_url).publish(assets)


@dataclass(slots=True)
class _Plan:
    """Where each file comes from: a folder to link it from, or the contents."""

    links: dict[Path, dict[str, Stamp]] = field(default_factory=dict)
    write: list[str] = field(default_factory=list)


class _Publisher:
    """One run of publish(), under the lock."""

    def __init__(
        self,
        place: Place,
        manifest: Manifest,
        contents: Mapping[str, bytes],
        fence: Callable[[], None],
        smoke_url: str | None,
    ) -> None:
        self.place = place
        self.manifest = manifest
        self.contents = contents
        self.fence = fence
        self.smoke_url = smoke_url
        self.hash = manifest.build_hash
        self.folder = place.releases / self.hash
        self.manifest_json = dump(manifest)
        self.written = Written()
        self.files_written = 0
        self.files_linked = 0
        self.live_name, self.live = live_at(place)

    def publish(self, assets: Iterable[Asset]) -> Published:
        """The steps in their order, each timed."""
        clock = _Clock()
        _sweep(self.place)
        self.place.releases.mkdir(parents=True, exist_ok=True)
        self.written = write_assets(self.place, assets, self.manifest.assets)
        fault.reached("assets")
        aside = self._write_aside()
        is_live = self.live_name == self.hash
        if aside is not None and not is_live:
            self._settle(aside)
        write_ms = clock.lap()
        changed = aside is not None or not is_live
        if changed or self.written.count:
            disk.sync_file_system(self.place.root)
        fault.reached("synced")
        sync_ms = clock.lap()
        if changed:
            self.fence()
            fault.reached("fenced")
            before = disk.target_of(self.place.previous)
            if aside is not None and is_live:
                self._heal(aside)
            else:
                self._swap()
            swap_ms = clock.lap()
            self._smoke(before)
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
        plan = self._plan()
        if set(plan.links) == {self.folder} and not plan.write:
            with disk.folder(self.folder) as fd:
                if disk.read_file(MANIFEST, dir_fd=fd) != self.manifest_json:
                    # Equal bytes from other inputs: remember those, or they count as changed again.
                    disk.replace_file(MANIFEST, self.manifest_json, dir_fd=fd)
            return None
        aside = self.place.releases / disk.temporary_name(self.hash[:12])
        aside.mkdir()
        with disk.folder(aside) as fd:
            self._fill(fd, plan)
        fault.reached("written")
        return aside

    def _plan(self) -> _Plan:
        """Take each file from the same release if it exists, from the live one, or from contents.

        What was handed in is linked too where a release has those very bytes; it is read for that,
        since the caller may hand it in because the file is damaged.
        """
        plan = _Plan()
        wanted = dict(self.manifest.files)
        for name, known in self._sources():
            folder = self.place.releases / name
            same = [path for path, digest in wanted.items() if known.files.get(path) == digest]
            trusted = (folder / VERIFIED).exists()
            given = [path for path in same if path in self.contents]
            kept = [path for path in same if path not in self.contents]
            whole = {
                **inspect(folder, known, paths=kept, trust_seal=trusted).whole,
                **inspect(folder, known, paths=given, trust_seal=False).whole,
            }
            plan.links[folder] = whole
            for path in whole:
                del wanted[path]
            if not wanted:
                break
        plan.write = [path for path in wanted if path in self.contents]
        if len(plan.write) < len(wanted):
            raise self._lacking([path for path in wanted if path not in self.contents])
        return plan

    def _sources(self) -> list[tuple[str, Manifest]]:
        sources: list[tuple[str, Manifest]] = []
        if (known := manifest_of(self.place, self.hash)) is not None:
            sources.append((self.hash, known))
        if self.live_name not in (None, self.hash) and self.live is not None:
            sources.append((str(self.live_name), self.live))
        return sources

    def _fill(self, target: int, plan: _Plan) -> None:
        stamps: dict[str, Stamp] = {}
        for folder in folders_of(self.manifest.files):
            os.mkdir(folder, dir_fd=target)
        for source, whole in plan.links.items():
            with disk.folder(source) as source_fd:
                for path, stamp in whole.items():
                    copied = disk.link_or_copy(path, source=source_fd, target=target)
                    stamps[path] = copied or stamp
            self.files_linked += len(whole)
        for path in plan.write:
            content = self.contents[path]
            stamps[path] = disk.write_new(path, content, dir_fd=target)
            self.written.size += len(content)
        self.files_written = len(plan.write)
        self.written.size += len(self.manifest_json)
        disk.write_new(MANIFEST, self.manifest_json, dir_fd=target)
        disk.write_new(SEAL, seal_of(self.manifest, stamps), dir_fd=target)

    def _settle(self, aside: Path) -> None:
        """Give the release its name; one of that name that is not live makes way."""
        if self.folder.exists() or self.folder.is_symlink():
            self.folder.rename(self.place.releases / disk.temporary_name("damaged"))
        aside.rename(self.folder)
        fault.reached("named")

    def _swap(self) -> None:
        # A stand-in that a kill left live has the same content: that is nothing to go back to.
        stood_in = self.live_name is not None and self.live_name.startswith(self.hash)
        if self.live is not None and not stood_in:
            disk.point(self.place.previous, f"releases/{self.live_name}")
            fault.reached("previous")
        disk.point(self.place.current, f"releases/{self.hash}")
        fault.reached("swapped")
        disk.sync_folder(self.place.folder)

    def _heal(self, aside: Path) -> None:
        """Put a whole release where the damaged live one of the same hash is; no moment without.

        Without an atomic exchange of folders the site goes by way of a stand-in, `<hash>.<n>`.
        """
        if not self.folder.exists():
            aside.rename(self.folder)
            fault.reached("swapped")
            disk.sync_folder(self.place.releases)
            return
        if disk.exchange(aside, self.folder):
            fault.reached("swapped")
            disk.sync_folder(self.place.releases)
            return
        stand_in = self._free_stand_in()
        aside.rename(stand_in)
        disk.point(self.place.current, f"releases/{stand_in.name}")
        fault.reached("stand-in")
        self.folder.rename(self.place.releases / disk.temporary_name("damaged"))
        shutil.copytree(stand_in, aside, copy_function=os.link)
        aside.rename(self.folder)
        fault.reached("stand-in copied")
        disk.point(self.place.current, f"releases/{self.hash}")
        fault.reached("swapped")
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
        fault.reached("checked")
        if faults:
            outcome = self._swap_back(previous)
            raise SiteUnavailable(
                f"published {self.place.folder} ({self.hash[:12]}), but it is not served as it "
                f"should be; {outcome}\n  " + "\n  ".join(faults[:_NAMED_AT_MOST])
            )
        (self.folder / VERIFIED).touch()
        fault.reached("verified")
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
        fault.reached("swapped back")
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

    Pruned releases of this process are left to the thread that is removing them.
    """
    for folder in (place.folder, place.releases):
        with contextlib.suppress(FileNotFoundError):
            for entry in list(os.scandir(folder)):
                if not entry.name.startswith(TEMPORARY) or disk.is_pruned_here(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    disk.remove_tree(Path(entry.path))
                else:
                    Path(entry.path).unlink(missing_ok=True)
