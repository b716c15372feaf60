"""Fetches locked packages once, with npm; afterwards they are found without the network.

There are five lists: the toolchain, and TypeScript, axe, odiff and Pagefind, which few need. A
folder of packages holds exactly what the list's `package-lock.json` names. npm checks the packages
against the hashes of the lockfile, and what npm lists as unpacked is compared with them again.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.errors import ToolchainUnavailable
from robbieblocks.file_locks import lock, lock_file, try_lock
from robbieblocks.model import sha256
from robbieblocks.ownership import distrust
from robbieblocks.settings import Settings
from robbieblocks.toolchain.npm import Progress, platform_name, unpack
from robbieblocks.toolchain.toolchain import Toolchain, TypeScript, compiled_beside

_HERE = Path(__file__).resolve().parent
_PACKAGE_FILES = ("package.json", "package-lock.json")
_COMPLETE = "robbieblocks-complete.json"


@dataclass(frozen=True, slots=True)
class _Packages:
    """A locked list of packages: its folder, what messages call it, and the program in it.

    Where the program is a script for browsers, it need not be executable.
    """

    folder: Path
    what: str
    name: str
    program: str
    mode: int = os.X_OK

    def program_in(self, root: Path) -> Path:
        """The program, where the packages are unpacked in `root`."""
        return root / "node_modules" / self.program.format(platform_name())


_TOOLCHAIN: Final = _Packages(
    _HERE, "the toolchain (esbuild, React, fonts)", "esbuild", "@esbuild/{}/bin/esbuild"
)
_TYPESCRIPT: Final = _Packages(
    _HERE / "typescript",
    "TypeScript and the types of React",
    "tsc",
    "@typescript/typescript-{}/lib/tsc",
)
_AXE: Final = _Packages(_HERE / "axe", "axe-core", "axe", "axe-core/axe.min.js", mode=os.R_OK)
# The version before each platform's program became a package of its own: all are in this one.
_ODIFF: Final = _Packages(
    _HERE / "odiff", "odiff, which compares pictures", "odiff", "odiff-bin/raw_binaries/odiff-{}"
)
_PAGEFIND: Final = _Packages(
    _HERE / "pagefind",
    "Pagefind, which makes indexes for search",
    "pagefind",
    "@pagefind/{}/bin/pagefind_extended",
)


def ensure(settings: Settings, progress: Progress) -> Toolchain:
    """The toolchain of this version; it is fetched first where the cache folder does not hold it.

    Two processes at once fetch it once. A kill leaves nothing that a later call would take for a
    whole toolchain. Raises ToolchainUnavailable with what to do about it.
    """
    identity, root = _unpacked(_TOOLCHAIN, settings, progress)
    listed = json.loads((_HERE / "package.json").read_text(encoding="utf-8"))
    return Toolchain(
        id=identity,
        root=root,
        esbuild=_TOOLCHAIN.program_in(root),
        packages=listed["dependencies"],
        tools=listed["devDependencies"],
        by_name=frozenset(listed["robbieblocks"]["byName"]),
        paths=frozenset(listed["robbieblocks"]["paths"]),
    )


def is_fetched(settings: Settings) -> bool:
    """Whether the cache folder holds the toolchain of this version: `ensure` needs no network."""
    return (_place(_TOOLCHAIN, settings)[1] / _COMPLETE).is_file()


def folders_in_use(settings: Settings) -> tuple[str, ...]:
    """How the names of the folders begin that this version uses in the toolchain's cache."""
    lists = (_TOOLCHAIN, _TYPESCRIPT, _AXE, _ODIFF, _PAGEFIND)
    return tuple(_place(packages, settings)[1].name for packages in lists)


def ensure_typescript(settings: Settings, progress: Progress) -> TypeScript:
    """TypeScript of this version, as `ensure` gives the toolchain. No page's bytes depend on it."""
    _, root = _unpacked(_TYPESCRIPT, settings, progress)
    return TypeScript(program=_TYPESCRIPT.program_in(root), modules=root / "node_modules")


def ensure_axe(settings: Settings, progress: Progress) -> Path:
    """The accessibility rules as one script for browsers, as `ensure_typescript`."""
    _, root = _unpacked(_AXE, settings, progress)
    return _AXE.program_in(root)


def ensure_odiff(settings: Settings, progress: Progress) -> Path:
    """The program that compares pictures, as `ensure_typescript`."""
    _, root = _unpacked(_ODIFF, settings, progress)
    return _ODIFF.program_in(root)


def ensure_pagefind(settings: Settings, progress: Progress) -> tuple[str, Path]:
    """The program that makes indexes for search, and the identity of its version."""
    identity, root = _unpacked(_PAGEFIND, settings, progress)
    return identity, _PAGEFIND.program_in(root)


def _unpacked(packages: _Packages, settings: Settings, progress: Progress) -> tuple[str, Path]:
    """The identity of a list, and the folder with its packages and its program, both checked."""
    _check_owner(settings.toolchain_cache)
    identity, root = _place(packages, settings)
    if not (root / _COMPLETE).is_file():
        try:
            root.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
            with lock_file(root.parent / f"{root.name}.lock") as descriptor:
                if not try_lock(descriptor):
                    progress(f"another process is fetching {packages.what}: waiting for it")
                    lock(descriptor)
                if not (root / _COMPLETE).is_file():
                    _fetch(packages, root, progress)
        except OSError as error:
            raise ToolchainUnavailable(
                f"could not write {packages.what} to {root}: {error}\n"
                "  -> make the folder writable, or name another one in "
                "ROBBIEBLOCKS_TOOLCHAIN_CACHE"
            ) from error
    _check(packages, root)
    return identity, root


def _place(packages: _Packages, settings: Settings) -> tuple[str, Path]:
    """The identity of a list of this version, and the folder for it."""
    identity = sha256(b"".join((packages.folder / name).read_bytes() for name in _PACKAGE_FILES))
    return identity, settings.toolchain_cache / f"{identity[:16]}-{platform_name()}"


def _check(packages: _Packages, root: Path) -> None:
    """Raise ToolchainUnavailable where the program is not there, or may be somebody else's."""
    program = packages.program_in(root)
    # Whoever may write one of these folders can put another program there.
    for path in (*reversed(program.parents[: len(program.relative_to(root).parts)]), program):
        _check_owner(path)
    if not os.access(program, packages.mode):
        raise ToolchainUnavailable(
            f"no {packages.name} program at {program}\n"
            f"  -> remove {root}, so that it is fetched again; if that does not help, "
            f"{packages.name} is not built for {platform_name()}"
        )
    _check_program(packages, root)


def _check_owner(path: Path) -> None:
    """Raise ToolchainUnavailable where a file or folder that is there may be another user's."""
    with suppress(OSError):
        if why := distrust(path):
            raise ToolchainUnavailable(
                f"the toolchain is not used: {why}\n"
                f"  -> make it your own (`chown -R`, `chmod -R go-w {path}`) if you trust what is "
                "there, or name another folder in ROBBIEBLOCKS_TOOLCHAIN_CACHE"
            )


def _check_program(packages: _Packages, root: Path) -> None:
    """Raise ToolchainUnavailable where the program is not the one that was fetched.

    Hashing it takes 30 ms, so it is read only where the file was touched since, or copied.
    """
    noted = json.loads((root / _COMPLETE).read_text(encoding="utf-8")).get(packages.name)
    if noted is None:  # fetched by an earlier version
        return
    program = packages.program_in(root)
    if program.stat().st_ctime_ns != noted["changed"] and _hash(program) != noted["sha256"]:
        raise ToolchainUnavailable(
            f"{program} is not the program that was fetched\n"
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


def _make_executable(packages: _Packages, root: Path) -> None:
    """Let the program be started: some packages leave that to their own scripts."""
    program = packages.program_in(root)
    if packages.mode & os.X_OK and program.is_file():
        program.chmod(0o755)


def _fetch(listed: _Packages, root: Path, progress: Progress) -> None:
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
            shutil.copyfile(listed.folder / name, temporary / name)
        packages = unpack(temporary, progress, listed.what)
        _tighten(temporary)
        _make_executable(listed, temporary)
        noted = {"packages": packages, listed.name: _noted(listed.program_in(temporary))}
        (temporary / _COMPLETE).write_text(json.dumps(noted), encoding="utf-8")
        temporary.chmod(0o755)
        os.sync()  # the name says that the tree is complete, so all of it is on the disk before
        temporary.rename(root)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    progress(f"ready: {listed.what}; it will not be fetched again")
