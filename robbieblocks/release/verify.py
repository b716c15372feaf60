"""What is live, and whether it still is what was published."""

from __future__ import annotations

import hashlib
import os
import re
import threading
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.model import ASSET_PREFIX, Manifest, Sha256
from robbieblocks.release import disk
from robbieblocks.release.disk import Stamp
from robbieblocks.release.layout import MANIFEST, SEAL, Place, folders_of, is_hash
from robbieblocks.release.manifest import load, load_files

_NAMED_HASH: Final = re.compile(r"-([0-9a-f]{16})\.[a-z0-9.]+\Z")


def live(site_root: Path, node: str, app: str) -> Manifest | None:
    """The manifest of the release that visitors see.

    None where there is none, or where it can't be trusted: then everything is built again.
    Raises SiteUnavailable where it is there and may not be read.
    """
    place = Place.of(site_root, node, app)
    return live_at(place)[1]


def pinned(site_root: Path, node: str, app: str) -> str | None:
    """The build hash that a person holds live, or None."""
    place = Place.of(site_root, node, app)
    with disk.attempt("read the pin", place.pin):
        try:
            return place.pin.read_text().strip() or disk.target_of(place.current)
        except FileNotFoundError:
            return None


def verify(site_root: Path, node: str, app: str, *, quick: bool = False) -> tuple[str, ...]:
    """What of the live release is damaged: release paths, and `/_rb/<name>` for assets.

    Every file is read and hashed; `quick` looks only at those whose size or time changed since
    they were written, which finds every edit but one that hides itself. `manifest.json` alone
    means that nothing is known; publish anew with all contents. Empty where nothing is live.
    """
    place = Place.of(site_root, node, app)
    name, manifest = live_at(place)
    if name is None:
        return ()
    if manifest is None:
        return (MANIFEST,)
    with disk.attempt("read the release", place.releases / name):
        found = inspect(place.releases / name, manifest, trust_seal=quick)
    return *found.damaged, *(
        ASSET_PREFIX + asset for asset in damaged_assets(place.assets, manifest.assets, quick=quick)
    )


def live_at(place: Place) -> tuple[str | None, Manifest | None]:
    """The folder that `current` leads to, and its manifest where that can be trusted."""
    name = disk.target_of(place.current)
    return name, None if name is None else manifest_of(place, name)


def manifest_of(place: Place, name: str) -> Manifest | None:
    """The manifest of a release folder; None where it is missing, garbled or another's."""
    manifest = manifest_in(place, name)
    right = manifest is not None and manifest.build_hash == name.partition(".")[0]
    return manifest if right else None


def manifest_in(place: Place, name: str) -> Manifest | None:
    """The app's manifest in a folder of any name; None where it is missing, garbled or another's.

    A worker asks for its own several times a run: what has the stamp of one that was read or
    written here is not read again.
    """
    folder = place.releases / name
    with disk.attempt("read the release", folder):
        try:
            stamp = _stamp_of((folder / MANIFEST).stat())
            manifest = _manifests.get(stamp) or load((folder / MANIFEST).read_bytes())
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
            return None
    _manifests.put(stamp, manifest)
    return manifest if (manifest.node, manifest.app) == (place.node, place.app) else None


def files_in(folder: Path) -> Manifest | None:
    """What a folder's manifest says of files, if of nothing else; None where that is garbled."""
    path = folder / MANIFEST
    try:
        return _manifests.get(_stamp_of(path.stat())) or load_files(path.read_bytes())
    except (OSError, ValueError):
        return None


def remember(manifest: Manifest, *, dir_fd: int) -> None:
    """Note that this manifest was written to a folder now."""
    _manifests.put(_stamp_of(os.stat(MANIFEST, dir_fd=dir_fd, follow_symlinks=False)), manifest)


def _stamp_of(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


class _Manifests:
    """The manifests that were used last, for any thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[int, ...], Manifest] = OrderedDict()

    def get(self, stamp: tuple[int, ...]) -> Manifest | None:
        return self._known.get(stamp)

    def put(self, stamp: tuple[int, ...], manifest: Manifest) -> None:
        with self._lock:
            self._known[stamp] = manifest
            self._known.move_to_end(stamp)
            if len(self._known) > self._most:
                self._known.popitem(last=False)


_manifests: Final = _Manifests(most=8)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The stamps of the files that are whole, and the paths of those that are not."""

    whole: Mapping[str, Stamp]
    damaged: tuple[str, ...]


def inspect(
    folder: Path,
    manifest: Manifest,
    *,
    paths: Iterable[str] | None = None,
    trust_seal: bool = True,
    plain: bool = False,
) -> Inspection:
    """Compare a release's files (all, or `paths`) with the manifest.

    A file whose stamp is the sealed one is taken for whole unless `trust_seal` is False. `plain`
    says that no folder on the way is a symlink. Raises OSError where the folder can't be opened.
    """
    chosen = manifest.files if paths is None else list(paths)
    seal = read_seal(folder, manifest) if trust_seal else {}
    whole: dict[str, Stamp] = {}
    damaged: list[str] = []
    with disk.folder(folder) as fd:
        detours = () if plain else _detours(chosen, fd)
        for path in chosen:
            stamp = None if path.startswith(detours) else disk.stamp_of(path, dir_fd=fd)
            if stamp is not None and (
                seal.get(path) == stamp or disk.hash_of(path, dir_fd=fd) == manifest.files[path]
            ):
                whole[path] = stamp
            else:
                damaged.append(path)
    return Inspection(whole, tuple(damaged))


def damaged_assets(folder: Path, names: Iterable[str], *, quick: bool) -> tuple[str, ...]:
    """The assets that are missing or, unless `quick`, whose bytes are not those of their name."""
    wanted = list(names)
    try:
        with disk.folder(folder) as fd:
            return tuple(name for name in wanted if not _asset_whole(name, fd, quick=quick))
    except FileNotFoundError:
        return tuple(wanted)


def seal_of(manifest: Manifest, stamps: Mapping[str, Stamp]) -> bytes:
    """The bytes of `.seal`: the build hash, then size and time of each file by sorted path."""
    numbers = array("q", [number for path in sorted(manifest.files) for number in stamps[path]])
    return bytes.fromhex(manifest.build_hash) + numbers.tobytes()


def read_seal(folder: Path, manifest: Manifest) -> dict[str, Stamp]:
    """The sealed stamps by path; none where the seal is missing or not this manifest's."""
    try:
        with disk.folder(folder) as fd:
            content = disk.read_file(SEAL, dir_fd=fd)
    except OSError:
        return {}
    width = hashlib.sha256().digest_size
    numbers = array("q")
    size = 2 * numbers.itemsize * len(manifest.files)
    if content[:width] != bytes.fromhex(manifest.build_hash) or len(content) != width + size:
        return {}
    numbers.frombytes(content[width:])
    return dict(
        zip(sorted(manifest.files), zip(numbers[::2], numbers[1::2], strict=True), strict=True)
    )


def is_release(name: str) -> bool:
    """Whether a folder under releases/ is a release: its hash, or a stand-in `<hash>.<n>`."""
    return is_hash(name.partition(".")[0])


def _asset_whole(name: str, fd: int, *, quick: bool) -> bool:
    if disk.stamp_of(name, dir_fd=fd) is None:
        return False
    stated = None if quick else _NAMED_HASH.search(name)
    if stated is None:
        return True
    digest: Sha256 | None = disk.hash_of(name, dir_fd=fd)
    return digest is not None and digest.startswith(stated[1])


def _detours(paths: Iterable[str], fd: int) -> tuple[str, ...]:
    """What paths begin with that lead out of the release, by a symlink in a folder's place."""
    return tuple(path + "/" for path in folders_of(paths) if not disk.is_folder(path, dir_fd=fd))
