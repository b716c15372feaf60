"""Who may change what: one publisher for an app, and no asset pruned while anyone publishes.

flock(2) is bound to an open file, so the kernel releases it however the holder ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.disk import attempt
from robbieblocks.release.layout import Place

_PAUSES: Final = (0.001, 0.002, 0.004, 0.008, 0.016)
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class _Held(threading.local):
    """The locks that this thread holds, so that it can take them again."""

    def __init__(self) -> None:
        self.paths: set[Path] = set()


_held = _Held()


@contextlib.contextmanager
def lock(site_root: Path, node: str, app: str, *, wait: float = 60.0) -> Iterator[None]:
    """Be the only one who changes an app's folder; take it around live() and publish().

    A thread that holds it may take it again. Raises SiteUnavailable when someone else still has
    it after `wait` seconds, or when the folder can't be made.
    """
    place = Place.of(site_root, node, app)
    path = place.folder / ".lock"
    if path in _held.paths:
        yield
        return
    with attempt("make the folder", place.folder):
        place.folder.mkdir(parents=True, exist_ok=True)
    with _locked(path, fcntl.LOCK_EX, wait) as got:
        if not got:
            raise SiteUnavailable(
                f"could not change {place.folder}: another process has been publishing there for "
                f"{wait:g} s{_holder(path)}\n  -> wait for it, or stop it"
            )
        _held.paths.add(path)
        try:
            yield
        finally:
            _held.paths.discard(path)


@contextlib.contextmanager
def assets_in_use(place: Place) -> Iterator[None]:
    """Keep assets from being pruned between finding that one exists and going live with it."""
    with attempt("make the folder", place.assets):
        place.assets.mkdir(parents=True, exist_ok=True)
    with _locked(place.node_folder / ".assets.lock", fcntl.LOCK_SH, 60.0) as got:
        if not got:
            raise SiteUnavailable(f"could not use {place.assets}: it is being pruned for 60 s")
        yield


@contextlib.contextmanager
def assets_unused(place: Place) -> Iterator[bool]:
    """Whether nobody publishes to the node now, and keep it so."""
    with _locked(place.node_folder / ".assets.lock", fcntl.LOCK_EX, 0.0) as got:
        yield got


@contextlib.contextmanager
def _locked(path: Path, kind: int, wait: float) -> Iterator[bool]:
    with attempt("open the lock", path):
        fd = os.open(path, _FLAGS, 0o644)
    try:
        deadline = time.monotonic() + wait
        pauses = itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]))
        while not (got := _try(fd, kind)) and time.monotonic() < deadline:
            time.sleep(next(pauses))
        if got and kind == fcntl.LOCK_EX:
            os.ftruncate(fd, 0)
            os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield got
    finally:
        os.close(fd)


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError):
        if text := path.read_text().strip():
            return f" (process {text})"
    return ""
