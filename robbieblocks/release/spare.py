"""Spares: releases made ready between publishes, so that the next one is quick.

Of ten thousand pages an edit changes a few; the next release is a spare, or a release that nothing
keeps any more, with those few altered.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks import failpoints
from robbieblocks.model import Manifest, Sha256
from robbieblocks.release import disk, trust
from robbieblocks.release.layout import SPARE, SPARE_IN_THE_MAKING, Place, is_spare
from robbieblocks.release.lock import lock
from robbieblocks.release.making import HERE, Hands
from robbieblocks.release.prune import KEEP, last_live, let_go, sort_out
from robbieblocks.release.tree import Difference, compare
from robbieblocks.release.trust import Trust
from robbieblocks.release.verify import files_in, is_release, live_at, remember

# One is brought up while another is taken.
_MORE_THAN_KEPT: Final = 2


def make_spare(
    site_root: Path, node: str, app: str, keep: int = KEEP, *, hands: Hands = HERE
) -> None:
    """Have a spare of what is live: the one that is there, a release beyond `keep`, or a new one.

    The app's lock is held for renames alone; whoever publishes meanwhile finds another, or none.
    Where nothing whole is live, none is made. Raises SiteUnavailable and ProcessFailed.
    """
    place = Place.of(site_root, node, app)
    with disk.attempt("make a spare release in", place.folder):
        if place.releases.is_dir() and not _is_ready(place, hands):
            _make(place, keep, hands)


def add_spare(
    site_root: Path, node: str, app: str, keep: int = KEEP, *, hands: Hands = HERE
) -> bool:
    """Make one more spare of what is live, while there are fewer folders than will be needed.

    As long as an app has few releases, none is there to be made into the next. It takes no lock.
    Returns whether one was made. Raises SiteUnavailable and ProcessFailed.
    """
    place = Place.of(site_root, node, app)
    with disk.attempt("make a spare release in", place.folder):
        return 0 < len(_names(place)) < keep + _MORE_THAN_KEPT and _add(place, hands)


def look_through(
    site_root: Path,
    node: str,
    app: str,
    *,
    hands: Hands = HERE,
    go_on: Callable[[], bool] = lambda: True,
) -> None:
    """Look through the releases that this process knows nothing of, as long as it may `go_on`.

    When one of them is made into the next, that need not be done first. Raises SiteUnavailable and
    ProcessFailed.
    """
    place = Place.of(site_root, node, app)
    with disk.attempt("look through the releases in", place.folder):
        # In the order in which they will be taken: spares were never live.
        folders = [place.releases / name for name in _names(place)]
        for folder in sorted(folders, key=last_live):
            if not trust.knows(folder) and go_on():
                _is_whole(folder, folder, hands)


def _is_ready(place: Place, hands: Hands) -> bool:
    """Whether the spare that comes first is what is live, and holds nothing else."""
    name, live = live_at(place)
    spare = next(_spares(place), None)
    known = _known(place, spare) if spare else None
    if not name or not spare or not live or not known or known.build_hash != live.build_hash:
        return False
    folder = place.releases / spare
    return trust.of(folder) is Trust.ALL or _is_whole(folder, place.releases / name, hands)


def _is_whole(folder: Path, release: Path, hands: Hands) -> bool:
    """Whether a folder is what a release is, and holds nothing else; if so, that is known now."""
    began, which = time.monotonic(), trust.identity(folder)
    if not hands.is_same(folder, release) or trust.identity(folder) != which:
        return False
    trust.note(folder, began)
    return True


def _make(place: Place, keep: int, hands: Hands) -> None:
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
        failpoints.reached("spare taken")
        began = time.monotonic()
        if not _brought_up(aside, place.releases / name, hands):
            return
        with lock(place.root, place.node, place.app):
            if os.path.lexists(place.spare):
                place.spare.rename(other)
            _put(aside, place.spare, live, began)
        failpoints.reached("spare placed")


def _add(place: Place, hands: Hands) -> bool:
    name, live = live_at(place)
    if name is None or live is None:
        return False
    release = place.releases / name
    with disk.aside(place.releases, SPARE_IN_THE_MAKING) as aside:
        aside.mkdir()
        began = time.monotonic()
        if not _brought_up(aside, release, hands):
            return False
        number = 1
        while os.path.lexists(spare := place.releases / f"{SPARE}.{number}"):
            number += 1
        _put(aside, spare, live, began)
    return True


def _brought_up(folder: Path, release: Path, hands: Hands) -> bool:
    """Whether a folder is what a release is, now.

    It is not where the release is damaged, or was made into another meanwhile: no lock is held.
    """
    which = trust.identity(release)
    return hands.bring_up(folder, release) and trust.identity(release) == which


def _put(aside: Path, spare: Path, live: Manifest, began: float) -> None:
    """Give a spare that is what is live its name."""
    with disk.folder(aside) as fd:
        remember(live, dir_fd=fd)
    aside.rename(spare)
    trust.note(spare, began)


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
        return compare(self.folder, self.known, wanted, given=given, trust=trust.of(self.folder))

    def take(self, aside: Path) -> bool:
        """Rename it, under the lock: from now on it is no release, and no spare.

        False where somebody needs it now. Raises OSError where it is gone.
        """
        if not is_spare(self.name):
            kept, _ = sort_out(self.place, self.keep)
            if self.name in kept:
                return False
            let_go(self.place, self.name, kept)
        trust.forget(self.folder)
        self.folder.rename(aside)
        return True


def old_folders(place: Place, keep: int = KEEP, but: str = "") -> Iterator[Old]:
    """The spares, then the releases beyond `keep`, the oldest first; never the one named `but`.

    A release that never passed its smoke check may not be on the disk as it seems.
    """
    doomed = [name for name in sort_out(place, keep)[1] if last_live(place.releases / name)]
    for name in (*_spares(place), *reversed(doomed)):
        if name != but and (known := _known(place, name)) is not None:
            yield Old(place, name, known, keep)


def _names(place: Place) -> list[str]:
    """The names of all releases and spares."""
    if not place.releases.is_dir():
        return []
    names = [entry.name for entry in os.scandir(place.releases)]
    return [name for name in names if is_release(name) or is_spare(name)]


def _spares(place: Place) -> Iterator[str]:
    """The spares' names, the one that was brought up last first."""
    yield from sorted(entry.name for entry in os.scandir(place.releases) if is_spare(entry.name))


def _known(place: Place, name: str) -> Manifest | None:
    """What a folder's manifest says; None where it can't be believed, or that is no folder."""
    folder = place.releases / name
    known = files_in(folder) if disk.is_folder(str(folder)) else None
    return known if known is not None and (is_spare(name) or name == known.build_hash) else None
