"""Who may change what: one publisher for an app, and no asset is pruned while anyone publishes."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator
from pathlib import Path
from typing import Final

from robbieblocks import file_locks
from robbieblocks.errors import SiteUnavailable
from robbieblocks.release.files.disk import attempt
from robbieblocks.release.places.layout import AppFolder
from robbieblocks.release.places.site_root import SiteRoot

_ASSETS_TIMEOUT_S: Final = 60.0
_FREEZES_TIMEOUT_S: Final = 10.0


@contextlib.contextmanager
def lock(site_root: SiteRoot, node: str, app: str, *, timeout_s: float = 60.0) -> Generator[Path]:
    """Be the only one who changes an app's folder, which is yielded, around live() and publish().

    A thread that holds it may take it again. Raises SiteUnavailable when someone else still has
    it after `timeout_s`, or when the folder can't be made.
    """
    app_folder = AppFolder.of(site_root, node, app)
    path = app_folder.path / ".lock"
    held = site_root.held_locks.paths
    if path in held:
        yield app_folder.path
        return
    with attempt("make the folder", app_folder.path):
        app_folder.path.mkdir(parents=True, exist_ok=True)
    with _lock_file(path) as descriptor:
        if not file_locks.lock_within(descriptor, timeout_s):
            raise SiteUnavailable(
                f"could not change {app_folder.path}: another process has been publishing there "
                f"for {timeout_s:g} s{_holder(path)}\n  -> wait for it, or stop it"
            )
        _write_pid(descriptor, str(os.getpid()))
        held.add(path)
        try:
            yield app_folder.path
        finally:
            held.discard(path)
            # Whoever can only read the file leaves no number, and must not seem to be this process.
            _write_pid(descriptor, "")


@contextlib.contextmanager
def freezes_lock(site_root: SiteRoot) -> Generator[None]:
    """Be the only one who changes what is frozen. Raises SiteUnavailable as `lock` does."""
    path = site_root.path / ".freezes.lock"
    with _lock_file(path) as descriptor:
        if not file_locks.lock_within(descriptor, _FREEZES_TIMEOUT_S):
            raise SiteUnavailable(
                f"could not change what is frozen: another process has had {path} for "
                f"{_FREEZES_TIMEOUT_S:g} s"
            )
        yield


@contextlib.contextmanager
def assets_in_use(app_folder: AppFolder) -> Generator[None]:
    """Keep assets from being pruned between finding that one exists and going live with it."""
    with attempt("make the folder", app_folder.assets):
        app_folder.assets.mkdir(parents=True, exist_ok=True)
    with _lock_file(_assets_lock(app_folder)) as descriptor:
        if not file_locks.lock_within(descriptor, _ASSETS_TIMEOUT_S, shared=True):
            raise SiteUnavailable(
                f"could not use {app_folder.assets}: it is being pruned for {_ASSETS_TIMEOUT_S:g} s"
            )
        yield


@contextlib.contextmanager
def assets_unused(app_folder: AppFolder) -> Generator[bool]:
    """Whether nobody publishes to the node now; nobody can until the block ends."""
    with _lock_file(_assets_lock(app_folder)) as descriptor:
        yield file_locks.try_lock(descriptor)


def _assets_lock(app_folder: AppFolder) -> Path:
    return app_folder.node_path / ".assets.lock"


@contextlib.contextmanager
def _lock_file(path: Path) -> Generator[int]:
    with contextlib.ExitStack() as opened:
        with attempt("open the lock", path):
            descriptor = opened.enter_context(file_locks.lock_file(path))
        yield descriptor


def _write_pid(descriptor: int, pid: str) -> None:
    """Leave a process's number in the lock file, for the error of whoever waits in vain.

    A file of another account can't be written; the lock is held all the same.
    """
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, pid.encode(), 0)


def _holder(path: Path) -> str:
    with contextlib.suppress(OSError):
        if text := path.read_text().strip():
            return f" (process {text})"
    return ""
