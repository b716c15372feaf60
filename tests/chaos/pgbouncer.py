"""A PgBouncer of the tests' own, from Debian's packages: unpacked into a cache, without root."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests import debian_packages
from tests.workers import until

_PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
_HOW = "install pgbouncer, or name one with PGBOUNCER"


def ensure() -> tuple[Path, dict[str, str]]:
    """The program and the environment that it needs; skips the test (fails CI) without one."""
    found = os.environ.get("PGBOUNCER") or shutil.which("pgbouncer")
    if found:
        return Path(found), dict(os.environ)
    root = debian_packages.unpacked("pgbouncer", _PACKAGES, _HOW)
    environment = {**os.environ, "LD_LIBRARY_PATH": debian_packages.libraries(root)}
    return root / "usr" / "sbin" / "pgbouncer", environment


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
