"""Packages of npm that only checks and tests need: fetched once, into the user's cache."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import platformdirs

from robbieblocks import file_locks
from robbieblocks.toolchain import npm

_LISTS = ("package.json", "package-lock.json")
_KEPT_DAYS = 30


def _nothing(_new: Path, _final: Path) -> None:
    """Finish nothing: the packages are used as npm unpacks them."""


def ensure(
    source: Path,
    name: str,
    *,
    finish: Callable[[Path, Path], None] = _nothing,
    version: bytes = b"",
) -> Path:
    """A folder with the packages that the lock file in `source` names, fetched if it is missing.

    Its name in the cache folder `name` is a hash of the lock file and of `version`. `finish`
    completes a new folder before it is moved to its final place, which is the second argument. Many
    processes may call this at once. Raises ToolchainUnavailable.
    """
    contents = b"".join((source / each).read_bytes() for each in _LISTS)
    cache = platformdirs.user_cache_path("robbieblocks") / name
    final = cache / hashlib.sha256(contents + version).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    if not final.is_dir():
        with file_locks.lock_file(cache / "lock") as descriptor:
            file_locks.lock(descriptor)
            if not final.is_dir():
                _install(source, cache, final, finish)
    final.touch()
    return final


def _report(message: str) -> None:
    print(message, file=sys.stderr)


def _install(source: Path, cache: Path, final: Path, finish: Callable[[Path, Path], None]) -> None:
    """Make the folder under a temporary name, so that a kill leaves no folder that is not whole."""
    for unused in [*cache.glob("new-*"), *_unused(cache)]:
        shutil.rmtree(unused, ignore_errors=True)
    new = Path(tempfile.mkdtemp(prefix="new-", dir=cache))
    try:
        for each in _LISTS:
            shutil.copy(source / each, new / each)
        npm.unpack(new, _report, f"the packages of {source.name}")
        finish(new, final)
        new.rename(final)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _unused(cache: Path) -> list[Path]:
    """Folders of other lock files that were not used for a month."""
    oldest = time.time() - _KEPT_DAYS * 86_400
    return [each for each in cache.iterdir() if each.is_dir() and each.stat().st_mtime < oldest]
