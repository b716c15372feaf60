"""Makes a written release live: wait for the disk, fence, swap or repair, check, or swap back."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Sha256, only_late_parts_differ
from robbieblocks.release.checking import smoke
from robbieblocks.release.files import disk, system_calls
from robbieblocks.release.names import VERIFIED
from robbieblocks.release.proof.not_served import NotServed
from robbieblocks.release.retention.remarks import REPLACED, remark
from robbieblocks.release.write import NewRelease, WrittenRelease, sweep
from robbieblocks.settings import Address

SMOKE_PAUSE_S: Final = 0.2
_NAMED_AT_MOST: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What publishing did. `swapped` says that visitors now get other files than before.

    `files_linked` counts those that an earlier release had, `bytes_written` assets, files and
    manifest. `sync_ms` is the time from the end of writing until all was durable. `not_served` says
    what visitors don't get as it was published, where the release stays live all the same.
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
    not_served: tuple[NotServed, ...] = ()


def make_live(
    written: WrittenRelease,
    *,
    fence: Callable[[], None] = lambda: None,
    address: Address | None = None,
    smoke_pause_s: float = SMOKE_PAUSE_S,
) -> Published:
    """Make a written release live, and return once it was seen to be durable and right.

    `fence` is called right before the swap, and raises where this process may no longer publish.
    At `address` changed pages and their assets are also fetched, after pauses of `smoke_pause_s`
    and its multiples where that fails, and their bytes must be those of the manifest; where
    they are not and the address says to keep the release, `not_served` says so. Where equal bytes
    are live and whole, nothing is swapped; a damaged live release is repaired in place.

    Raises SiteUnavailable; then what was live stays live, or is live again.
    """
    new, folder = written.new, written.folder
    with disk.attempt("publish to", new.app_folder.path):
        if written.syncing is not None:
            written.syncing.result()
        failpoints.reached("synced")
        synced = swapped = time.perf_counter()
        not_served: tuple[NotServed, ...] = ()
        if written.must_swap:
            fence()
            failpoints.reached("fenced")
            previous = disk.target_of(new.app_folder.previous)
            if folder is not None and new.is_live:
                _repair(new, folder.temporary)
            else:
                swap(new)
            swapped = time.perf_counter()
            not_served = checked_or_swapped_back(new, previous, address, smoke_pause_s)
            _mark_verified(written)
        checked = time.perf_counter()
    return Published(
        build_hash=new.manifest.build_hash,
        swapped=written.must_swap,
        files_written=folder.files_written if folder else 0,
        files_linked=len(new.manifest.files) - folder.files_written if folder else 0,
        assets_written=written.assets.count,
        bytes_written=written.assets.size_bytes + (folder.bytes_written if folder else 0),
        write_ms=written.write_ms,
        sync_ms=(synced - written.written_at) * 1000,
        swap_ms=(swapped - synced) * 1000,
        smoke_ms=(checked - swapped) * 1000,
        not_served=not_served,
    )


def swap(new: NewRelease) -> None:
    """Point `current` to the release, and `previous` to what was live before."""
    app_folder, build_hash = new.app_folder, new.manifest.build_hash
    # A temporary release that a kill left live has the same content, so it is no earlier one.
    is_same = new.live_name is not None and new.live_name.startswith(build_hash)
    if new.live is not None and not is_same:
        disk.point(app_folder.previous, f"releases/{new.live_name}")
        failpoints.reached("previous")
    disk.point(app_folder.current, f"releases/{build_hash}")
    failpoints.reached("swapped")
    disk.sync_folder(app_folder.path)


def _repair(new: NewRelease, temporary: Path) -> None:
    """Put a whole folder where the damaged live one is, with a release live at every moment."""
    if new.folder.exists() and not system_calls.exchange(temporary, new.folder):
        _repair_by_links(new, temporary)
        return
    if not new.folder.exists():
        temporary.rename(new.folder)
    failpoints.reached("swapped")
    disk.sync_folder(new.app_folder.releases)


def _repair_by_links(new: NewRelease, temporary: Path) -> None:
    """Repair where two folders can't be exchanged at once, by way of a temporary release.

    Its name is `<hash>.<n>`; `current` leads to it while the damaged folder is replaced.
    """
    app_folder, build_hash = new.app_folder, new.manifest.build_hash
    temporary_release = _free_name(new.folder)
    temporary.rename(temporary_release)
    disk.point(app_folder.current, f"releases/{temporary_release.name}")
    failpoints.reached("temporary release")
    new.folder.rename(app_folder.releases / disk.temporary_name("damaged"))
    shutil.copytree(temporary_release, temporary, copy_function=os.link)
    temporary.rename(new.folder)
    failpoints.reached("temporary release copied")
    disk.point(app_folder.current, f"releases/{build_hash}")
    failpoints.reached("swapped")
    temporary_release.rename(app_folder.releases / disk.temporary_name("stand-in"))
    disk.sync_folder(app_folder.path)


def _free_name(folder: Path) -> Path:
    number = 1
    while (path := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    return path


def checked_or_swapped_back(
    new: NewRelease,
    previous: str | None,
    address: Address | None,
    smoke_pause_s: float = SMOKE_PAUSE_S,
) -> tuple[NotServed, ...]:
    """Check what is served: read from the disk, then fetched from the address, where there is one.

    Returns what is not served as it should be, where the release is kept all the same. Otherwise
    swaps back and raises SiteUnavailable. `previous` is where that link led before.
    """
    changed = _changed_paths(new)
    problems = smoke.check_files(new.app_folder, new.manifest, new.manifest_json, changed)
    if problems or address is None:
        failpoints.reached("checked")
        if problems:
            raise _swapped_back(new, previous, problems)
        return ()
    # Only those need it who have an address.
    from robbieblocks.release.proof.proving import prove

    found = prove(
        address, new.app_folder, new.manifest, changed, before=new.live, pause_s=smoke_pause_s
    )
    failpoints.reached("checked")
    if found and address.swap_back:
        culprits = ", ".join(dict.fromkeys(each.culprit for each in found))
        raise _swapped_back(new, previous, list(map(str, found)), culprits)
    return found


def _changed_paths(new: NewRelease) -> frozenset[str]:
    """The files of the release that are given anew, or that what was live has not."""
    files = new.manifest.files
    found = {path for path in new.contents if path in files}
    if new.live is None:
        return frozenset(files)
    differing = new.manifest.release_files.differing(new.live.release_files)
    return frozenset(found.union(path for path in differing if path in files))


def _mark_verified(written: WrittenRelease) -> None:
    """Note on the disk that the release passed its check, and in memory when it was compared."""
    new = written.new
    now = new.app_folder.site_root.clock()
    # Empty: one that was rolled back from, and is published again, is good again.
    (new.folder / VERIFIED).write_bytes(b"")
    os.utime(new.folder / VERIFIED, (now, now))
    if new.live_name and new.live and only_late_parts_differ(new.manifest, new.live):
        remark(new.app_folder, new.live_name, REPLACED)
    failpoints.reached("verified")
    sweep(new.app_folder)
    if written.folder is not None:
        compared_at = written.folder.compared_at
        new.app_folder.site_root.verifications.put(new.folder, compared_at)


def _swapped_back(
    new: NewRelease, previous: str | None, problems: Sequence[str], culprits: str = "the disk"
) -> SiteUnavailable:
    """Swap back; the error that says so, and why. `previous` is where that link led before."""
    outcome = _swap_back(new, previous)
    return SiteUnavailable(
        f"published {new.app_folder.path} ({new.manifest.build_hash[:12]}), but it is not "
        f"served as it should be ({culprits}); {outcome}\n  "
        + "\n  ".join(problems[:_NAMED_AT_MOST])
    )


def _swap_back(new: NewRelease, previous: str | None) -> str:
    """Point `current` and `previous` to what they led to before; says what was done."""
    if new.is_live:
        return "it was damaged before, so there is nothing better to swap back to"
    if new.live_name is None or new.live is None:
        return "there is no earlier release to swap back to"
    disk.point(new.app_folder.current, f"releases/{new.live_name}")
    failpoints.reached("swapped back")
    if previous is not None:
        disk.point(new.app_folder.previous, f"releases/{previous}")
    disk.sync_folder(new.app_folder.path)
    return f"swapped back to {new.live_name[:12]}"
