"""Fetches the toolchain once, with npm; afterwards it is found without the network.

It holds exactly what `package-lock.json` names. npm checks the packages against the hashes of the
lockfile, and what npm lists as unpacked is compared with them again.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from robbieblocks.errors import ToolchainUnavailable
from robbieblocks.file_locks import lock, lock_file, try_lock
from robbieblocks.model import sha256
from robbieblocks.ownership import distrust
from robbieblocks.settings import Settings
from robbieblocks.toolchain.npm import Progress, platform_name, unpack
from robbieblocks.toolchain.toolchain import Toolchain, compiled_beside

_HERE = Path(__file__).resolve().parent
_PACKAGE_FILES = ("package.json", "package-lock.json")
_COMPLETE = "robbieblocks-complete.json"


def ensure(settings: Settings, progress: Progress) -> Toolchain:
    """The toolchain of this version; it is fetched first where the cache folder does not hold it.

    Two processes at once fetch it once. A kill leaves nothing that a later call would take for a
    whole toolchain. Raises ToolchainUnavailable with what to do about it.
    """
    _check_owner(settings.toolchain_cache)
    identity, root = _place(settings)
    if not (root / _COMPLETE).is_file():
        try:
            root.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            with lock_file(root.parent / f"{root.name}.lock") as descriptor:
                if not try_lock(descriptor):
                    progress("another process is fetching the toolchain: waiting for it")
                    lock(descriptor)
                if not (root / _COMPLETE).is_file():
                    _fetch(root, progress)
        except OSError as error:
            raise ToolchainUnavailable(
                f"could not write the toolchain to {root}: {error}\n"
                "  -> make the folder writable, or name another one in "
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE"
            ) from error
    return _opened(identity, root)


def is_fetched(settings: Settings) -> bool:
    """Whether the cache folder holds the toolchain of this version: `ensure` needs no network."""
    return (_place(settings)[1] / _COMPLETE).is_file()


def _place(settings: Settings) -> tuple[str, Path]:
    """The identity of this version's toolchain, and its folder."""
    identity = sha256(b"".join((_HERE / name).read_bytes() for name in _PACKAGE_FILES))
    return identity, settings.toolchain_cache / f"{identity[:16]}-{platform_name()}"


def _opened(identity: str, root: Path) -> Toolchain:
    listed = json.loads((_HERE / "package.json").read_text(encoding="utf-8"))
    esbuild = _esbuild(root)
    # Whoever may write one of these folders can put another program there.
    for path in (*reversed(esbuild.parents[: len(esbuild.relative_to(root).parts)]), esbuild):
        _check_owner(path)
    if not os.access(esbuild, os.X_OK):
        raise ToolchainUnavailable(
            f"no esbuild program at {esbuild}\n"
            f"  -> remove {root}, so that it is fetched again; if that does not help, "
            f"esbuild is not built for {platform_name()}"
        )
    _check_program(root, esbuild)
    return Toolchain(
        id=identity,
        root=root,
        esbuild=esbuild,
        packages=listed["dependencies"],
        tools=listed["devDependencies"],
        by_name=frozenset(listed["robbieblocks"]["byName"]),
        paths=frozenset(listed["robbieblocks"]["paths"]),
    )


def _esbuild(root: Path) -> Path:
    return root / "node_modules" / "@esbuild" / platform_name() / "bin" / "esbuild"


def _check_owner(path: Path) -> None:
    """Raise ToolchainUnavailable where a file or folder that is there may be another user's."""
    with suppress(OSError):
        if why := distrust(path):
            raise ToolchainUnavailable(
                f"the toolchain is not used: {why}\n"
                f"  -> make it your own (`chown -R`, `chmod -R go-w {path}`) if you trust what is "
                "there, or name another folder in ROBBIEBLOCKS_TOOLCHAIN_CACHE"
            )


def _check_program(root: Path, esbuild: Path) -> None:
    """Raise ToolchainUnavailable where esbuild is not the program that was fetched.

    Hashing it takes 30 ms, so it is read only where the file was touched since, or copied.
    """
    noted = json.loads((root / _COMPLETE).read_text(encoding="utf-8")).get("esbuild")
    if noted is None:  # fetched by an earlier version
        return
    if esbuild.stat().st_ctime_ns != noted["changed"] and _hash(esbuild) != noted["sha256"]:
        raise ToolchainUnavailable(
            f"{esbuild} is not the program that was fetched\n"
            f"  -> remove {root}, so that it is fetched again"
        )


def _noted(program: Path) -> dict[str, object] | None:
    """What `_check_program` compares; None where npm unpacked no program for this machine."""
    if not program.is_file():
        return None
    return {"sha256": _hash(program), "changed": program.stat().st_ctime_ns}


def _hash(file: Path) -> str:
    return sha256(file.read_bytes())


def _tighten(folder: Path) -> None:
    """Take others' right to write, which a umask of 002 leaves to the group."""
    for path in (folder, *folder.rglob("*")):
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~0o022)


def _fetch(root: Path, progress: Progress) -> None:
    """Fetch into a temporary folder, and rename it once it is complete and durable."""
    for left_over in root.parent.glob(f"{root.name}.tmp-*"):
        shutil.rmtree(left_over, ignore_errors=True)
    if root.exists():
        shutil.rmtree(root)
    # The packages may have been damaged, and so may be what was compiled from them.
    shutil.rmtree(compiled_beside(root), ignore_errors=True)
    temporary = Path(tempfile.mkdtemp(prefix=f"{root.name}.tmp-", dir=root.parent))
    try:
        for name in _PACKAGE_FILES:
            shutil.copyfile(_HERE / name, temporary / name)
        packages = unpack(temporary, progress)
        _tighten(temporary)
        noted = {"packages": packages, "esbuild": _noted(_esbuild(temporary))}
        (temporary / _COMPLETE).write_text(json.dumps(noted), encoding="utf-8")
        temporary.chmod(0o755)
        os.sync()  # the name says that the tree is complete, so all of it is on the disk before
        temporary.rename(root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    progress("the toolchain is ready; it will not be fetched again")
