"""Writes a release to the disk, ready to be made live: its assets, then its folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Collection, Generator, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Asset, Manifest
from robbieblocks.release.assets import WrittenAssets, write_assets
from robbieblocks.release.files import disk, system_calls, tree
from robbieblocks.release.files.disk import FileStat
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.manifest_on_disk import on_disk
from robbieblocks.release.names import MANIFEST, TEMPORARY, VERIFIED
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.lock import assets_in_use, lock
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import live_release, manifest_of
from robbieblocks.release.recycle import RecyclableFolder, recyclable_folders

_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRelease:
    """A release that is published: what it holds, and what was live before.

    `manifest_json` and `base` are as in `ManifestOnDisk`. `contents` are the bytes of its files, as
    far as the live release may not have them.
    """

    app_folder: AppFolder
    manifest: Manifest
    manifest_json: bytes
    base: bytes | Path | None = None
    contents: Mapping[str, bytes]
    live_name: str | None
    live: Manifest | None

    @property
    def folder(self) -> Path:
        """The folder that is named by its hash."""
        return self.app_folder.releases / self.manifest.build_hash

    @property
    def is_live(self) -> bool:
        """Whether what is live has this hash already."""
        return self.live_name == self.manifest.build_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFolder:
    """A release's folder at a temporary path.

    `compared_at` says when the files that it took over were compared with their stats, in seconds
    of the verification cache's clock.
    """

    temporary: Path
    files_written: int
    bytes_written: int
    compared_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenRelease:
    """A release on the disk, with the locks held that let it be made live.

    `folder` is None where the release was there already, whole. Where the release is live but
    damaged, `folder` is still at its temporary path; else it has the release's name. `written_at`
    is in seconds of time.perf_counter(). `syncing` ends when all is durable; it is None where
    nothing was written.
    """

    new: NewRelease
    folder: WrittenFolder | None
    assets: WrittenAssets
    write_ms: float
    written_at: float
    syncing: Future[None] | None

    @property
    def must_swap(self) -> bool:
        """Whether visitors will get other files than before."""
        return self.folder is not None or not self.new.is_live


@contextlib.contextmanager
def write_release(
    site_root: SiteRoot,
    manifest: Manifest,
    contents: Mapping[str, bytes],
    assets: Iterable[Asset],
) -> Generator[WrittenRelease]:
    """Write a manifest's release, and hold the app's lock until the block ends.

    `contents` holds the bytes of every file that the live release doesn't have already. The folder
    is made out of a standby tree, or of a release that is not kept any more, by altering what
    differs; where there is none, unchanged files are hard-linked from what is live. `assets` are
    written where the node lacks them. Making it all durable goes on in a thread: the caller may do
    other work before it calls `make_live`. A release that is left without that is pruned one day.

    Raises ContentError for a manifest that names what may not be written, and SiteUnavailable.
    """
    began = time.perf_counter()
    app_folder = AppFolder.of(site_root, manifest.node, manifest.app)
    site_root.manifest_checks.check(manifest)
    with (
        lock(site_root, manifest.node, manifest.app),
        assets_in_use(app_folder),
        ThreadPoolExecutor(1, "sync") as sync_thread,
    ):
        with disk.attempt("publish to", app_folder.path):
            sweep(app_folder)
            app_folder.releases.mkdir(parents=True, exist_ok=True)
            live_name, live = live_release(app_folder)
            told = on_disk(app_folder, manifest, live_name, live)
            new = NewRelease(
                app_folder=app_folder,
                manifest=told.manifest,
                manifest_json=told.content,
                base=told.base,
                contents=contents,
                live_name=live_name,
                live=live,
            )
            written_assets = write_assets(app_folder, assets, manifest.assets)
            failpoints.reached("assets")
            new, folder = _write_folder(new)
            if folder is not None and not new.is_live:
                _name(new, folder.temporary)
        written_at = time.perf_counter()
        syncing = None
        if folder is not None or not new.is_live or written_assets.count:
            syncing = sync_thread.submit(system_calls.sync_file_system, disk.real(site_root.path))
        yield WrittenRelease(
            new=new,
            folder=folder,
            assets=written_assets,
            write_ms=(written_at - began) * 1000,
            written_at=written_at,
            syncing=syncing,
        )


def sweep(app_folder: AppFolder) -> None:
    """Remove what killed processes left. The lock must be held: then nobody builds there.

    Temporary paths that threads of this process use without the lock are left to those.
    """
    reserved = app_folder.site_root.temporary_paths.is_reserved
    for folder in (app_folder.path, app_folder.releases):
        with contextlib.suppress(FileNotFoundError):
            for entry in list(os.scandir(folder)):
                if not entry.name.startswith(TEMPORARY) or reserved(entry.name):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    disk.remove_tree(Path(entry.path))
                else:
                    Path(entry.path).unlink(missing_ok=True)


def _write_folder(new: NewRelease) -> tuple[NewRelease, WrittenFolder | None]:
    """The release, and its folder at a temporary path; None where it is there already, whole.

    Then its manifest is the one that is there.
    """
    same = manifest_of(new.app_folder, new.manifest.build_hash)
    whole = {} if same is None else _whole(new, new.folder, same, list(new.manifest.files))
    if same is not None and len(whole) == len(new.manifest.files):
        return _with_manifest_there(new, same), None
    recyclable = next(recyclable_folders(new.app_folder, but=new.manifest.build_hash), None)
    if recyclable is not None:
        # Whatever is wrong with a recyclable folder, the release can be made without it.
        with contextlib.suppress(OSError):
            return new, _make(new, recyclable, whole)
    return new, _make(new, None, whole)


def _with_manifest_there(new: NewRelease, same: Manifest) -> NewRelease:
    """The release with the manifest of its folder, which is whole; `same` is that.

    It is replaced where pages have equal bytes from other inputs: else these would count as changed
    in every later build. What was told from another base is written whole.
    """
    site_root = new.app_folder.site_root
    with disk.folder(new.folder) as fd:
        if same == new.manifest:
            return replace(new, manifest=same, manifest_json=disk.read_file(MANIFEST, dir_fd=fd))
        whole = new.manifest.told_from(None)
        content = site_root.manifest_writer.dump(whole)
        disk.replace_file(MANIFEST, content, dir_fd=fd)
        site_root.manifests.put_written(whole, dir_fd=fd)
    return replace(new, manifest=whole, manifest_json=content)


def _make(
    new: NewRelease, recyclable: RecyclableFolder | None, whole: Mapping[str, FileStat]
) -> WrittenFolder:
    """The release at a temporary path, made out of another folder or from nothing.

    `whole` are the files that its own, damaged folder has.
    """
    site_root = new.app_folder.site_root
    temporary = new.app_folder.releases / disk.temporary_name(new.manifest.build_hash[:12])
    if recyclable is None:
        compared_at = site_root.verifications.now()
        difference = tree.difference_of_nothing(new.manifest)
    else:
        compared_at = site_root.verifications.compared_at(recyclable.path)
        difference = recyclable.difference(new.manifest, new.contents)
    links = _links(new, difference.missing, whole)
    if recyclable is None:
        temporary.mkdir()
    else:
        recyclable.take(temporary)
        failpoints.reached("taken")
    with disk.folder(temporary) as fd:
        if recyclable is not None:
            tree.clear(fd, difference)
            failpoints.reached("cleared")
        written = tree.fill(
            fd, new.manifest, new.manifest_json, new.base, difference, links, new.contents
        )
        site_root.manifests.put_written(new.manifest, dir_fd=fd)
    failpoints.reached("written")
    return WrittenFolder(
        temporary=temporary,
        files_written=len(written),
        bytes_written=len(new.manifest_json)
        + (len(new.base) if isinstance(new.base, bytes) else 0)
        + sum(len(new.contents[path]) for path in written),
        compared_at=compared_at,
    )


def _links(
    new: NewRelease, missing: Collection[str], whole: Mapping[str, FileStat]
) -> dict[Path, Mapping[str, FileStat]]:
    """The files to link, by folder: the release's own, damaged folder, else what is live.

    Raises SiteUnavailable where neither they nor the contents have a file that is missing.
    """
    files = new.manifest.files
    links: dict[Path, Mapping[str, FileStat]] = {
        new.folder: {path: whole[path] for path in missing if path in whole}
    }
    missing = [path for path in missing if path not in whole]
    if new.live_name is not None and new.live is not None and not new.is_live:
        folder, live_files = new.app_folder.releases / new.live_name, new.live.files
        same = [path for path in missing if live_files.get(path) == files[path]]
        links[folder] = _whole(new, folder, new.live, same)
        missing = [path for path in missing if path not in links[folder]]
    if unavailable := [path for path in missing if path not in new.contents]:
        raise _unavailable(new, unavailable)
    return links


def _whole(
    new: NewRelease, folder: Path, manifest: Manifest, paths: list[str]
) -> dict[str, FileStat]:
    """Those files of a release that are whole."""
    once_live = (folder / VERIFIED).exists()
    return whole_files(folder, manifest, paths, given=new.contents, trust_stats=once_live)


def _name(new: NewRelease, temporary: Path) -> None:
    """Give the release its name; a damaged release of that name, which is not live, is renamed."""
    if new.folder.exists() or new.folder.is_symlink():
        new.folder.rename(new.app_folder.releases / disk.temporary_name("damaged"))
    temporary.rename(new.folder)
    failpoints.reached("named")


def _unavailable(new: NewRelease, paths: list[str]) -> SiteUnavailable:
    shown = ", ".join(paths[:_NAMED_AT_MOST]) + (
        f" and {len(paths) - _NAMED_AT_MOST} more" if len(paths) > _NAMED_AT_MOST else ""
    )
    return SiteUnavailable(
        f"could not publish to {new.app_folder.path}: {shown} did not change, but the live "
        "release has no whole copy\n  -> build again; what verify() names is rendered again"
    )
