"""Programs of Debian's packages, unpacked into the user's cache: nothing is installed."""

from __future__ import annotations

import fcntl
import platform
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import platformdirs

from tests.needs import missing

_TIMEOUT = 120.0


def unpacked(name: str, packages: Sequence[str], how: str, cache: Path | None = None) -> Path:
    """The folder into which the packages are unpacked, as `usr/...`; fetched once, by name alone.

    It is in `cache`, or else in the user's. Skips the test (fails CI) where they can't be had;
    `how` says what to do then.
    """
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        missing(f"no {name}, and no apt-get to get one: {how}")
    cache = cache or platformdirs.user_cache_path("robbieblocks-tests")
    folder = cache / f"{name}-{platform.machine()}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "root").exists():
            _fetch(folder, name, packages, how)
    return folder / "root"


def libraries(root: Path) -> str:
    """What LD_LIBRARY_PATH has to be for programs of an unpacked folder."""
    return ":".join(str(path) for path in sorted((root / "usr" / "lib").glob("*-linux-*")))


def _fetch(folder: Path, name: str, packages: Sequence[str], how: str) -> None:
    download = ("download", *packages)
    if not _apt(folder, *download):
        # No package lists on this machine, and no right to write where they belong: private ones.
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        private = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder}")
        if not (_apt(folder, *private, "update") and _apt(folder, *private, *download)):
            missing(f"no {name}, and Debian's packages can't be fetched: {how}")
    aside = folder / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, aside], check=True, timeout=_TIMEOUT)
    aside.rename(folder / "root")


def _apt(folder: Path, *arguments: str) -> bool:
    done = subprocess.run(
        ["apt-get", "-qq", *arguments],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=_TIMEOUT,
    )
    return done.returncode == 0
