"""A PgBouncer of the tests' own, from Debian's packages: unpacked into a cache, without root."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.needs import missing
from tests.workers import until

_PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
_TIMEOUT = 120.0
_HOW = "install pgbouncer, or name one with PGBOUNCER"


def ensure() -> tuple[Path, dict[str, str]]:
    """The program and the environment that it needs; skips the test (fails CI) without one."""
    found = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if found:
        return Path(found), dict(os.environ)
    if not (shutil.which("apt-get") and shutil.which("dpkg")):
        missing(f"no PgBouncer, and no apt-get to get one: {_HOW}")
    folder = platformdirs.user_cache_path("robbieblocks-tests") / f"pgbouncer-{platform.machine()}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        program = folder / "root" / "usr" / "sbin" / "pgbouncer"
        if not program.exists():
            _fetch(folder)
    libraries = ":".join(str(path) for path in sorted((folder / "root" / "usr" / "lib").glob("*")))
    return program, {**os.environ, "LD_LIBRARY_PATH": libraries}


def _fetch(folder: Path) -> None:
    download = ("download", *_PACKAGES)
    if not _apt(folder, *download):
        # No package lists on this machine, and no right to write where they belong: private ones.
        lists = folder / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        private = ("-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={folder}")
        if not (_apt(folder, *private, "update") and _apt(folder, *private, *download)):
            missing(f"no PgBouncer, and Debian's packages can't be fetched: {_HOW}")
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


@contextmanager
def pooling(conninfo: str, folder: Path) -> Iterator[str]:
    """A pooler in transaction mode before a server; yields the conninfo that leads through it."""
    program, environment = ensure()
    server = conninfo_to_dict(conninfo)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder.mkdir(mode=0o755)
    settings = folder / "pgbouncer.ini"
    target = " ".join(f"{key}={server[key]}" for key in ("host", "port", "user", "dbname"))
    settings.write_text(
        f"[databases]\npooled = {target}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
        "default_pool_size = 3\n"
    )
    command: list[str | Path] = [program, settings]
    if os.geteuid() == 0:
        # It refuses to run as root; as nobody it must still find its file and the server's socket.
        keep = "+dac_read_search,+dac_override"
        command = [
            *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"),
            *("--inh-caps", keep, "--ambient-caps", keep),
            *command,
        ]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        pooled = make_conninfo("", host="127.0.0.1", port=port, dbname="pooled", user="anyone")
        try:
            until(lambda: _answers(pooled, process), "the pooler")
            yield pooled
        finally:
            process.terminate()


def _answers(conninfo: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the pooler ended"
    try:
        with psycopg.connect(conninfo, connect_timeout=5, prepare_threshold=None):
            return True
    except psycopg.OperationalError:
        return False
