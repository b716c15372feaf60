"""A spare: what is live once more, made ready between publishes, so that the next one is quick.

Of ten thousand pages an edit changes a few; the next release is the spare with those few altered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.model import Manifest, Sha256
from robbieblocks.release import disk, fault
from robbieblocks.release.layout import SPARE, SPARE_IN_THE_MAKING, Place
from robbieblocks.release.lock import lock
from robbieblocks.release.manifest import dump
from robbieblocks.release.prune import KEEP, last_live, let_go, sort_out
from robbieblocks.release.tree import Difference, Plan, Trust, clear, compare, fill, nothing_yet
from robbieblocks.release.verify import files_in, inspect, live_at, read_seal

# For so long a spare that was looked through is taken for whole. What befalls it meanwhile is found
# where it is live, by its seal: a reconcile heals it.
_TRUSTED: Final = 60.0

# The spares that this process looked through: which folder it was, and when.
_looked_through: Final[dict[Path, tuple[tuple[int, int], float]]] = {}


def make_spare(site_root: Path, node: str, app: str, keep: int = KEEP) -> None:
    """Have a spare of what is live: the one that is there, a release beyond `keep`, or a new one.

    The app's lock is held for renames alone; whoever publishes meanwhile finds no spare. Where
    nothing whole is live, none is made. Raises SiteUnavailable.
    """
    place = Place.of(site_root, node, app)
    with disk.attempt("make a spare release in", place.folder):
        if place.releases.is_dir() and not _is_ready(place):
            _make(place, keep)


def _is_ready(place: Place) -> bool:
    """Whether the spare is what is live, and holds nothing else."""
    live, spare = live_at(place)[1], _known(place, SPARE)
    if live is None or spare is None or live.build_hash != spare.build_hash:
        return False
    identity = _identity(place.spare)
    sealed = read_seal(place.spare, spare).keys() == live.files.keys()
    ready = sealed and compare(place.spare, spare, live.files).is_none(live.files)
    if ready:
        _looked_through[place.spare] = identity, time.monotonic()
    return ready


def _make(place: Place, keep: int) -> None:
    with (
        disk.aside(place.releases, SPARE_IN_THE_MAKING) as aside,
        disk.aside(place.releases, SPARE_IN_THE_MAKING) as other,
    ):
        # Without the lock: reading what is in it takes a while.
        old = next(old_folders(place, keep), None)
        with lock(place.root, place.node, place.app):
            name, live = live_at(place)
            if name is None or live is None:
                return
            if old is None:
                aside.mkdir()
            elif not old.take(aside):
                return
        fault.reached("spare taken")
        if not _bring_up(aside, old, live, place.releases / name):
            return
        # Now, so that the next publish does not have to wait for it.
        disk.sync_file_system(place.root)
        fault.reached("spare synced")
        with lock(place.root, place.node, place.app):
            if os.path.lexists(place.spare):
                place.spare.rename(other)
            aside.rename(place.spare)
            _looked_through[place.spare] = _identity(place.spare), time.monotonic()
        fault.reached("spare placed")


def _bring_up(aside: Path, old: Old | None, live: Manifest, source: Path) -> bool:
    """Make a folder what is live; False where something of that is damaged."""
    difference = compare(aside, old.known, live.files) if old else nothing_yet(live)
    missing = [path for path in live.files if path not in difference.kept]
    found = inspect(source, live, paths=missing)
    if found.damaged:
        return False
    with disk.folder(aside) as fd:
        if old:
            clear(fd, difference)
            fault.reached("spare cleared")
        fill(fd, live, dump(live), difference, Plan({source: found.whole}), {})
    return True


@dataclass(frozen=True, slots=True)
class Old:
    """A folder that nobody needs as it is, and what its manifest says of files."""

    place: Place
    name: str
    known: Manifest
    keep: int

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.place.releases / self.name

    def compare(self, wanted: Mapping[str, Sha256], given: Collection[str]) -> Difference:
        """What makes it a folder of the files that are wanted. Raises OSError."""
        return compare(self.folder, self.known, wanted, given=given, trust=_trust(self.folder))

    def take(self, aside: Path) -> bool:
        """Rename it, under the lock: from now on it is no release, and no spare.

        False where somebody needs it now. Raises OSError where it is gone.
        """
        if self.name != SPARE:
            kept, _ = sort_out(self.place, self.keep)
            if self.name in kept:
                return False
            let_go(self.place, self.name, kept)
        self.folder.rename(aside)
        return True


def old_folders(place: Place, keep: int = KEEP, but: str = "") -> Iterator[Old]:
    """The spare, then the releases beyond `keep`, the oldest first; never the one named `but`.

    A release that never passed its smoke check may not be on the disk as it seems.
    """
    doomed = [name for name in sort_out(place, keep)[1] if last_live(place.releases / name)]
    for name in (SPARE, *reversed(doomed)):
        if name != but and (known := _known(place, name)) is not None:
            yield Old(place, name, known, keep)


def _known(place: Place, name: str) -> Manifest | None:
    """What a folder's manifest says; None where it can't be believed, or that is no folder."""
    known = files_in(place, name) if disk.is_folder(str(place.releases / name)) else None
    return known if known is not None and name in (SPARE, known.build_hash) else None


def _trust(folder: Path) -> Trust:
    identity, when = _looked_through.get(folder, (None, 0.0))
    if identity != _identity(folder):
        return Trust.NOTHING
    return Trust.ALL if time.monotonic() - when < _TRUSTED else Trust.NAMES


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.lstat()
    return status.st_ino, status.st_mtime_ns
