"""What takes a while of making a spare: done here, or beside, in a process of its own.

Python runs one thread at a time, so that a thread which looks through ten thousand files holds up
the next build. A child holds up nobody. Few files are done here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from robbieblocks import failpoints, process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release import disk
from robbieblocks.release.layout import MANIFEST
from robbieblocks.release.tree import Plan, clear, compare, fill, nothing_yet
from robbieblocks.release.verify import files_in, inspect, read_seal

YES: Final = 0
NO: Final = 10

_LONGEST: Final = 600.0
# So few files take less time than a process to start.
_FEW: Final = 500


@dataclass(frozen=True, slots=True)
class Hands:
    """Who does it. Both take a folder and that of a release, and raise SiteUnavailable or OSError.

    `is_same` says whether the folder is what the release is, and holds nothing else. `bring_up`
    makes it so, and durable, out of an old release or an empty folder; it returns False where
    something of the release is damaged.
    """

    is_same: Callable[[Path, Path], bool]
    bring_up: Callable[[Path, Path], bool]


def is_same(folder: Path, release: Path) -> bool:
    """As `Hands` says, in this process."""
    known, wanted = files_in(folder), files_in(release)
    if known is None or wanted is None or known.build_hash != wanted.build_hash:
        return False
    sealed = read_seal(folder, known).keys() == wanted.files.keys()
    return sealed and compare(folder, known, wanted.files).is_none(wanted.files)


def bring_up(folder: Path, release: Path) -> bool:
    """As `Hands` says, in this process."""
    known, wanted = files_in(folder), files_in(release)
    if wanted is None:
        return False
    difference = compare(folder, known, wanted.files) if known else nothing_yet(wanted)
    missing = [path for path in wanted.files if path not in difference.kept]
    found = inspect(release, wanted, paths=missing)
    if found.damaged:
        return False
    with disk.folder(folder) as fd:
        if known:
            clear(fd, difference)
            failpoints.reached("spare cleared")
        manifest_json = (release / MANIFEST).read_bytes()
        fill(fd, wanted, manifest_json, difference, Plan({release: found.whole}), {})
    # Now, so that the next publish does not have to wait for it.
    disk.sync_file_system(folder)
    failpoints.reached("spare synced")
    return True


def _beside(what: str, folder: Path, release: Path) -> bool:
    wanted = files_in(release)
    if wanted is None or len(wanted.files) <= _FEW:
        return _HERE[what](folder, release)
    child = (sys.executable, "-X", "utf8", "-m", "robbieblocks.release.child")
    done = process.run([*child, what, folder, release], timeout=_LONGEST)
    if done.returncode not in (YES, NO):
        said = done.stderr.decode(errors="replace").strip()
        raise SiteUnavailable(said or f"the process that was to {what} {folder} ended early")
    return done.returncode == YES


_HERE: Final = {"compare": is_same, "bring up": bring_up}
HERE: Final = Hands(is_same, bring_up)
BESIDE: Final = Hands(partial(_beside, "compare"), partial(_beside, "bring up"))
