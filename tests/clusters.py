"""Clusters of their own for tests of replication: reached by TCP, killed, and started again.

Each is a copy of one that was made once a session, so a module has three of them in a second.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg.conninfo import make_conninfo

from tests import postgres_servers
from tests.workers import until

EMBEDDED = 18
_INITDB = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
# As `_FAST` of databases.py: what a power cut would leave of them is no matter. Replication waits
# are short, so that what a test cuts is connected again at once.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "fsync": "off",
    "jit": "off",
    "timezone": "UTC",
    "shared_buffers": "16MB",
    "max_connections": "80",
    "max_worker_processes": "16",
    "autovacuum": "off",
    "wal_level": "logical",
    # A subscription says what it has once that is written, which is this often.
    "wal_writer_delay": "10",
    "wal_retrieve_retry_interval": "200",
    "wal_receiver_timeout": "10s",
    "wal_sender_timeout": "10s",
}


@dataclass
class Cluster:
    """A server of its own. `port` stays over restarts; `settings` come over the usual ones."""

    version: int
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        """Where its files are."""
        return self.folder / "data"

    def conninfo(self, dbname: str = "postgres", user: str = "postgres", port: int = 0) -> str:
        """Where to reach it by TCP; `port` is that of a proxy before it."""
        return make_conninfo("", host="127.0.0.1", port=port or self.port, user=user, dbname=dbname)

    def connect(self, dbname: str = "postgres", user: str = "postgres") -> psycopg.Connection:
        """A connection that commits each statement."""
        return psycopg.connect(self.conninfo(dbname, user), autocommit=True)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        binaries, environment = postgres_servers.programs(self.version)
        self.port = self.port or _free_port()
        settings = {
            **_SETTINGS,
            **self.settings,
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        said = self.folder / "said.log"
        with said.open("ab") as log:
            self._process = subprocess.Popen(
                [binaries / "postgres", "-D", self.data, *words],
                env=environment,
                preexec_fn=postgres_servers.account(self.folder),
                stdout=log,
                stderr=log,
            )
        until(self._answers, f"PostgreSQL {self.version}")

    def stop(self) -> None:
        """Stop it in order, at once: sessions are ended."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill every process of it at one moment, as a power cut does."""
        assert self._process is not None
        processes = [psutil.Process(self._process.pid)]
        processes += processes[0].children(recursive=True)
        for each in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self._process.wait()
        psutil.wait_procs(processes[1:], timeout=10)
        self._process = None

    def freeze(self, *, frozen: bool = True) -> None:
        """Stop all its processes where they are, or let them go on."""
        assert self._process is not None
        for each in [psutil.Process(self._process.pid), *self._children()]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.suspend() if frozen else each.resume()

    def close(self) -> None:
        """End it, if it runs."""
        if self._process is not None and self._process.poll() is None:
            self.freeze(frozen=False)
            self._end(signal.SIGQUIT)

    def said(self) -> str:
        """Its log."""
        return (self.folder / "said.log").read_text(errors="replace")

    def _children(self) -> list[psutil.Process]:
        assert self._process is not None
        return psutil.Process(self._process.pid).children(recursive=True)

    def _end(self, number: int) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(30)
        self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            # Of a killed server some memory may still be held: it refuses, and is asked again.
            said = self.said()
            assert "shared memory block" in said.splitlines()[-2], said[-2000:]
            self.start()
            return True
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False


@contextmanager
def made(version: int, folder: Path) -> Iterator[Path]:
    """Lend the data folder of a new cluster of a version, for copies."""
    binaries, environment = postgres_servers.programs(version)
    account = postgres_servers.account(folder)
    data = folder / f"template-{version}"
    subprocess.run(
        [binaries / "initdb", "-D", data, *_INITDB],
        env=environment,
        preexec_fn=account,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    yield data
    shutil.rmtree(data)


@contextmanager
def running(version: int, template: Path, folder: Path, **settings: str) -> Iterator[Cluster]:
    """A cluster that runs, copied from the data folder of one that `made` lends."""
    account = postgres_servers.account(folder)
    cluster = Cluster(version, folder, settings)
    shutil.copytree(template, cluster.data)
    cluster.data.chmod(0o700)
    if account:
        for path in (cluster.data, *cluster.data.rglob("*")):
            os.chown(path, account.uid, account.gid)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port
