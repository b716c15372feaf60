"""Who makes trouble, who edits and who watches: the three parts of a chaos test."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import psycopg

from robbieblocks import serve
from robbieblocks.database import embedded
from robbieblocks.errors import DatabaseUnavailable
from robbieblocks.release import SiteRoot
from tests.workers import PAGES, Worker, edit, until, versions

_PATIENCE = 60.0


@dataclass
class Visitor:
    """Reads pages of a node all the time; whatever is wrong with one ends up in `faults`.

    A page must be there, whole, no older than it was, and so must all that it loads.
    """

    site_root: Path
    node: str
    apps: tuple[str, ...]
    faults: list[str] = field(default_factory=list)
    reads: int = 0
    newest: dict[str, int] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _checked: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Begin to read, in a thread."""
        self._thread = threading.Thread(target=self._run, name=f"visitor {self.node}")
        self._thread.start()

    def stop(self) -> None:
        """Read no more."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            asyncio.run(self._visit())
        except Exception as error:  # noqa: BLE001 - whatever it is, the test must hear of it
            self.faults.append(f"{self.node}: {error!r}")

    async def _visit(self) -> None:
        transport = httpx.ASGITransport(app=serve.app(SiteRoot(self.site_root), self.node))
        async with httpx.AsyncClient(transport=transport, base_url="http://site") as client:
            while not self._over.is_set():
                for app in self.apps:
                    await self._read(client, app)
                # A visitor, not a benchmark: the workers need the processors.
                await asyncio.sleep(0.005)

    async def _read(self, client: httpx.AsyncClient, app: str) -> None:
        answer = await client.get(PAGES[app])
        self.reads += 1
        found = versions(answer.text)
        newest = self.newest.get(app, 0)
        if answer.status_code != 200 or len(found) != 2 or "</html>" not in answer.text:
            self.faults.append(
                f"{app} on {self.node}: {answer.status_code}, {answer.text[-100:]!r}"
            )
        elif found[0] != found[1]:
            self.faults.append(f"{app} on {self.node} is torn: {found}")
        elif found[0] < newest:
            self.faults.append(f"{app} on {self.node} went back from {newest} to {found[0]}")
        self.newest[app] = max(newest, *found, 0)
        for url in set(re.findall(r"/_rb/[\w.-]+", answer.text)) - self._checked:
            self._checked.add(url)
            if (await client.get(url)).status_code != 200:
                self.faults.append(f"{app} on {self.node} refers to {url}, which is not there")


@dataclass
class Editor:
    """Commits one edit after the other, through whatever happens to the database."""

    conninfo: str
    version: int = 0
    last: dict[str, int] = field(default_factory=dict)
    _connection: psycopg.Connection | None = None

    def edit(self, app: str) -> None:
        """Commit the next version of an app's page; setting it twice is setting it once."""
        self.version += 1
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                if self._connection is None:
                    self._connection = psycopg.connect(self.conninfo, connect_timeout=5)
                edit(self._connection, app, self.version)
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline, "the database never came back"
                self.close()
                time.sleep(0.02)
        self.last[app] = self.version

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@dataclass
class Monkey:
    """Breaks things at random, reproducibly by its seed."""

    seed: int
    conninfo: str
    home: Path
    servers: contextlib.ExitStack
    workers: list[Worker]
    points: tuple[str, ...]
    did: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._tricks: list[Callable[[], None]] = [
            self.kill_worker,
            self.kill_worker,
            self.crash_worker,
            self.crash_worker,
            self.end_backend,
            self.end_backend,
            self.freeze_backend,
            self.restart_postgres,
        ]

    def trick(self) -> None:
        """Do something unkind."""
        trick = self._random.choice(self._tricks)
        self.did.append(trick.__name__)
        trick()

    def kill_worker(self) -> None:
        """SIGKILL, and a new one, as systemd would start it."""
        worker = self._random.choice(self.workers)
        if not worker.dead:
            worker.kill()
        worker.crash = ""
        worker.start()

    def crash_worker(self) -> None:
        """A worker that kills itself at some step of its next build."""
        worker = self._random.choice(self.workers)
        if not worker.dead:
            worker.kill()
        worker.crash = self._random.choice(self.points)
        worker.start()

    def restart_dead(self) -> None:
        """What systemd does all the time."""
        for worker in self.workers:
            if worker.dead:
                worker.crash = ""
                worker.start()

    def end_backend(self) -> None:
        """Terminate one of the workers' sessions."""
        with contextlib.suppress(psycopg.Error):
            for pid in self._backends()[:1]:
                with psycopg.connect(self.conninfo, connect_timeout=5) as connection:
                    connection.execute("SELECT pg_terminate_backend(%s)", [pid])

    def freeze_backend(self) -> None:
        """SIGSTOP one of the workers' sessions for a moment."""
        with contextlib.suppress(psycopg.Error):
            for pid in self._backends()[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    time.sleep(0.3)
                    os.kill(pid, signal.SIGCONT)

    def restart_postgres(self) -> None:
        """End the server, as an upgrade or a crash would, and start it again."""
        number = self._random.choice([signal.SIGINT, signal.SIGQUIT, signal.SIGKILL])
        with contextlib.suppress(OSError, ValueError, IndexError):
            file = self.home / "postgres" / "data" / "postmaster.pid"
            pid = int(file.read_text().splitlines()[0])
            os.kill(pid, number)
            until(lambda: not psutil.pid_exists(pid) or _is_zombie(pid))
        # Its keeper starts it again after a crash; what was stopped in order, the next user starts.
        until(self._serving, "the server")

    def _serving(self) -> bool:
        try:
            self.servers.enter_context(embedded.server(self.home, progress=lambda _: None))
        except DatabaseUnavailable:
            # Its keeper was about to leave just when it was asked.
            return False
        return True

    def _backends(self) -> list[int]:
        with psycopg.connect(self.conninfo, connect_timeout=5) as connection:
            rows = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'robbieblocks %%'"
            ).fetchall()
        pids = [row[0] for row in rows]
        self._random.shuffle(pids)
        return pids


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.Error:
        return True
