"""Pins every package that is installed, with the hashes of all its files and no address of any.

    python tools/lock.py            write the lock files anew, at the newest versions allowed
    python tools/lock.py --check    fail where a lock file names a host or misses a dependency

Where packages come from is the machine's business (pip's and npm's own settings), so a lock file
works the same behind a mirror. Python's is made by uv (in an environment that is thrown away),
for Linux on x86-64 and ARM and every Python that pyproject.toml allows; npm writes its own.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Every pinned package must have a wheel for these; others may do as well.
PLATFORMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28")
PYTHONS = ("3.11", "3.12", "3.13", "3.14")


@dataclass(frozen=True)
class PythonLock:
    """What a lock file pins beside the package's dependencies, and what decides its versions.

    `like` is a lock file, written before, whose versions this one has too.
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    like: str = ""


PYTHON_LOCKS = {
    "requirements.lock": PythonLock(extras=("local",), groups=("build",)),
    "requirements-dev.lock": PythonLock(
        extras=("local",), groups=("build", "dev"), like="requirements.lock"
    ),
    # What a worker with its own database needs, and no more: the Dockerfile installs it.
    "requirements-worker.lock": PythonLock(extras=("media",), like="requirements.lock"),
}
NPM_FOLDERS = (
    "robbieblocks/toolchain",
    "robbieblocks/toolchain/typescript",
    "robbieblocks/toolchain/axe",
    "robbieblocks/toolchain/odiff",
    "robbieblocks/toolchain/pagefind",
    "tests/browser",
    "tools/diagrams",
    "tools/js",
)
NPM_LOCK = (
    "npm",
    "install",
    "--package-lock-only",
    "--omit-lockfile-registry-resolved",
    "--ignore-scripts",
    "--no-audit",
    "--no-fund",
)
UV_COMPILE = (
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-header",
    "--no-annotate",
    "--no-config",
    "--quiet",
)
UV_TRY = (
    "--dry-run",
    "--require-hashes",
    "--only-binary=:all:",
    "--no-config",
    "--quiet",
)
HEADER = """\
# Written by `make lock`: every package with the hashes of all its files.
# Install with: pip install --require-hashes -r {name}
"""
# npm writes where a package asks for gifts; nothing is installed from there.
_HOST = re.compile(r'"resolved"|^(?!\s*"url": "https://).*\w://')
_PINNED = re.compile(r"^([a-z0-9][a-z0-9-]*)(?:\[[^\]]*\])?==", re.MULTILINE)


def main() -> int:
    """Write or check the lock files; 1 where one is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        write_python()
        write_npm()
    found = problems()
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


def lock_files() -> list[Path]:
    """Every lock file of the project."""
    npm = [ROOT / folder / "package-lock.json" for folder in NPM_FOLDERS]
    return [*(ROOT / name for name in PYTHON_LOCKS), *npm]


def problems() -> list[str]:
    """What is wrong with the lock files, one line each."""
    hosts = [
        f"{path.relative_to(ROOT)}:{number}: names a host: {line.strip()}"
        for path in lock_files()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if _HOST.search(line)
    ]
    return hosts + [line for name, lock in PYTHON_LOCKS.items() for line in missing(name, lock)]


def missing(name: str, lock: PythonLock) -> list[str]:
    """What pyproject.toml asks for and the lock file does not pin."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(
            entry
            for extra in lock.extras
            for entry in project["project"]["optional-dependencies"][extra]
        ),
        *(entry for group in lock.groups for entry in project["dependency-groups"][group]),
    ]
    pinned = set(_PINNED.findall((ROOT / name).read_text(encoding="utf-8")))
    asked = {re.split(r"[\[<>=~! ;]", entry)[0].lower().replace("_", "-") for entry in wanted}
    return [
        f"{name}: does not pin {package}: run `make lock`" for package in sorted(asked - pinned)
    ]


def write_python() -> None:
    """Let uv resolve pyproject.toml for every Python and platform at once."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder) / "bin" / "python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "uv"], check=True)
        uv = (python, "-m", "uv", "pip")
        environment = {**os.environ, **_index(python)}
        for name, lock in PYTHON_LOCKS.items():
            path = ROOT / name
            words = [
                *(word for extra in lock.extras for word in ("--extra", extra)),
                *(word for group in lock.groups for word in ("--group", f"pyproject.toml:{group}")),
                *(("--constraint", lock.like) if lock.like else ()),
            ]
            done = subprocess.run(
                [*uv, "compile", "pyproject.toml", *words, *UV_COMPILE],
                cwd=ROOT,
                env=environment,
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            path.write_text(HEADER.format(name=name) + done.stdout, encoding="utf-8")
            for python_version, platform in itertools.product(PYTHONS, PLATFORMS):
                fits = ("--python-version", python_version, "--python-platform", platform)
                subprocess.run(
                    [*uv, "install", *UV_TRY, *fits, "--target", folder, "-r", path],
                    env=environment,
                    check=True,
                )


def _index(python: Path) -> dict[str, str]:
    """Where pip was told to look, in uv's words: uv does not read pip's settings."""
    asked = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.index-url"],
        capture_output=True,
        text=True,
        check=False,
    )
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    return {"UV_DEFAULT_INDEX": index} if index else {}


def write_npm() -> None:
    """Let npm resolve each package.json beside a lock file; an older lock is thrown away."""
    for folder in NPM_FOLDERS:
        with tempfile.TemporaryDirectory() as place:
            shutil.copy(ROOT / folder / "package.json", place)
            subprocess.run(NPM_LOCK, cwd=place, check=True)
            shutil.copy(Path(place) / "package-lock.json", ROOT / folder)


if __name__ == "__main__":
    sys.exit(main())
