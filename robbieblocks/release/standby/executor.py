"""Where the long parts of making a standby tree run: in this process, or in a child process.

Python runs one thread at a time, so a thread that compares ten thousand files would delay the next
build. A child process delays nothing. Few files are compared in this process.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Final, Literal, Protocol

from robbieblocks import failpoints, process
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files import disk, system_calls, tree
from robbieblocks.release.files.inspection import whole_files
from robbieblocks.release.files.stat_index import StatIndex
from robbieblocks.release.manifest import base_digest
from robbieblocks.release.names import MANIFEST
from robbieblocks.release.places.site_root import SiteRoot
from robbieblocks.release.reading import files_manifest

Task = Literal["compare", "make equal"]
"""`compare` says whether a folder holds what a release does, and nothing else. `make equal` makes
it so, and durable, out of an earlier release or an empty folder; it answers no where a file of the
release is damaged."""

Executor = Callable[[Task, SiteRoot, Path, Path], bool]
"""Does a task with a folder and a release's folder. Raises SiteUnavailable or OSError."""

YES: Final = 0
NO: Final = 10

_TIMEOUT_S: Final = 600.0
# So few files take less time than a process needs to start.
_FEW_FILES: Final = 500


class RunProcess(Protocol):
    """Runs a program to its end: `process.run`."""

    def __call__(self, argv: Sequence[str | Path], /, *, timeout: float) -> CompletedProcess[bytes]:
        """Raises ProcessFailed."""
        ...


def in_this_process(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
    """The `Executor` that does the work itself."""
    do = {"compare": _is_equal, "make equal": _make_equal}[task]
    return do(site_root, folder, release)


def in_child_process(few_files: int = _FEW_FILES, run: RunProcess = process.run) -> Executor:
    """The `Executor` that has a child process work where a release has more than `few_files`."""

    def execute(task: Task, site_root: SiteRoot, folder: Path, release: Path) -> bool:
        wanted = files_manifest(site_root, release)
        if wanted is None or len(wanted.files) <= few_files:
            return in_this_process(task, site_root, folder, release)
        child = (sys.executable, "-X", "utf8", "-m", "robbieblocks.release.standby.child_process")
        done = run([*child, task, folder, release], timeout=_TIMEOUT_S)
        if done.returncode not in (YES, NO):
            said = done.stderr.decode(errors="replace").strip()
            raise SiteUnavailable(said or f"the process that was to {task} {folder} ended early")
        return done.returncode == YES

    return execute


def _is_equal(site_root: SiteRoot, folder: Path, release: Path) -> bool:
    known, wanted = files_manifest(site_root, folder), files_manifest(site_root, release)
    if known is None or wanted is None or known.build_hash != wanted.build_hash:
        return False
    if StatIndex.read(folder, known) is None:
        return False
    return tree.difference(folder, known, wanted).is_none


def _make_equal(site_root: SiteRoot, folder: Path, release: Path) -> bool:
    known, wanted = files_manifest(site_root, folder), files_manifest(site_root, release)
    if wanted is None:
        return False
    if known is None:
        difference = tree.difference_of_nothing(wanted)
    else:
        difference = tree.difference(folder, known, wanted)
    whole = whole_files(release, wanted, difference.missing)
    if len(whole) < len(difference.missing):
        return False
    manifest_json = (release / MANIFEST).read_bytes()
    base = release if base_digest(manifest_json) else None
    with disk.folder(folder) as fd:
        if known:
            tree.clear(fd, difference)
            failpoints.reached("standby cleared")
        tree.fill(fd, wanted, manifest_json, base, difference, {release: whole}, {})
    # Synced now, so that the next publish need not wait for it.
    system_calls.sync_file_system(folder)
    failpoints.reached("standby synced")
    return True
