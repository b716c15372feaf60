"""A generated app in a database of its own, and the site that is built from it."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

from benchmarks import processes
from benchmarks.apps import Size, load
from benchmarks.processes import OURS, ROOT, FailedError, Run
from robbieblocks import database
from robbieblocks.database import embedded, schema
from robbieblocks.settings import Settings

_POLL: Final = 0.0005
_REST: Final = 0.2
_LATEST: Final = 120.0
NODE: Final = "node-000"


@dataclass(slots=True)
class Ground:
    """A database server and a folder, both thrown away in the end."""

    folder: Path
    conninfo: str
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def database(self) -> Iterator[str]:
        """How to connect to a new database, which is dropped in the end."""
        name = f"site_{next(self._numbers)}"
        with psycopg.connect(
            make_conninfo(self.conninfo, user="postgres"), autocommit=True
        ) as owner:
            owner.execute(SQL("CREATE DATABASE {} OWNER robbieblocks").format(Identifier(name)))
            try:
                yield make_conninfo(self.conninfo, dbname=name)
            finally:
                owner.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    @contextmanager
    def site(
        self, size: Size, fill: Callable[[str, Size], None] = load, project: str = ""
    ) -> Iterator[Site]:
        """A site for an app of that size: its database is filled, nothing is built.

        `project` is the text of its robbieblocks.toml; empty for none.
        """
        with self.database() as conninfo:
            home = Path(tempfile.mkdtemp(prefix="site-", dir=self.folder))
            if project:
                (home / "robbieblocks.toml").write_text(project)
            settings = Settings.from_environment(database_url=conninfo)
            with database.connect(settings, application_name="bench") as connection:
                schema.apply(connection, settings.schema)
            fill(conninfo, size)
            yield Site(home=home, conninfo=conninfo, size=size)


def put_aside(*folders: Path) -> None:
    """Have folders gone from where they are; they are removed with the ground, after the last run.

    For minutes after many files were removed, ext4 is several times slower to make new ones, since
    it does not give their inodes out again so soon. A first build meets no such thing.
    """
    for folder in folders:
        if folder.exists():
            folder.rename(Path(tempfile.mkdtemp(prefix="old-", dir=folder.parent)) / folder.name)


@contextmanager
def ground() -> Iterator[Ground]:
    """Lend a database server of its own, with its data in a temporary folder."""
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="robbieblocks-bench-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        conninfo = stack.enter_context(
            embedded.server(folder / "server", progress=lambda _message: None)
        )
        yield Ground(folder=folder, conninfo=conninfo)


@dataclass(frozen=True, slots=True)
class Site:
    """An app's database and the folders that are built from it."""

    home: Path
    conninfo: str
    size: Size

    @property
    def env(self) -> dict[str, str]:
        """The environment of our programs."""
        own = {
            "ROBBIEBLOCKS_HOME": str(self.home),
            "ROBBIEBLOCKS_DATABASE_URL": self.conninfo,
            "PYTHONPATH": str(ROOT),
        }
        # Python compiles the package once, as on any machine where nothing forbids it.
        inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        return inherited | own

    @property
    def current(self) -> Path:
        """The link to what is live on the first node."""
        return self.current_of("bench")

    def current_of(self, app: str) -> Path:
        """The link to what is live there of an app."""
        return self.home / "site" / NODE / app / "current"

    def clear(self) -> None:
        """Forget all that was built, the cache too; only the fetched toolchain stays."""
        put_aside(self.home / "site", self.home / "cache")

    def build(self, *arguments: str, timeout: float = 300) -> Run:
        """`robbieblocks build`, as a whole program."""
        argv = (*OURS, "build", "--app", "bench", "--format", "json", *arguments)
        return processes.run(argv, env=self.env, cwd=self.home, timeout=timeout)

    def run(self, *words: str) -> Run:
        """A command about all of the site, as a whole program."""
        return processes.run((*OURS, *words), env=self.env, cwd=self.home)

    def command(self, name: str, *arguments: str) -> Run:
        """A command about the app on its first node, as a whole program."""
        argv = (*OURS, name, "--node", NODE, "--app", "bench", *arguments)
        return processes.run(argv, env=self.env, cwd=self.home)

    @contextmanager
    def worker(self, node: str = NODE) -> Iterator[Worker]:
        """A running worker of one node, that has built everything and waits."""
        log = self.home / "worker.log"
        options = ("--health", "off", "--log", "json", "--create-root")
        argv = (*OURS, "worker", "--node", node, *options)
        with processes.running(argv, env=self.env, cwd=self.home, log=log) as process:
            found = Worker(self, process.pid, process.poll, log)
            found.settle()
            yield found

    @contextmanager
    def connect(self) -> Iterator[psycopg.Connection]:
        """A connection as an editor has it; what is executed is committed by `commit`."""
        with psycopg.connect(self.conninfo) as connection:
            yield connection


@dataclass(frozen=True, slots=True)
class Worker:
    """A running worker, seen from outside."""

    site: Site
    pid: int
    poll: Callable[[], int | None]
    log: Path

    def settle(self) -> None:
        """Wait until every run that began has ended and nothing waits."""
        until = time.monotonic() + _LATEST
        with psycopg.connect(self.site.conninfo, autocommit=True) as connection:
            while True:
                row = connection.execute(_RESTLESS).fetchone()
                if row == (0, 0) and self.site.current.is_symlink():
                    return
                if time.monotonic() > until or self.poll() is not None:
                    raise FailedError(f"the worker does not settle:\n{self._tail()}")
                time.sleep(0.02)

    def until_live(self, change: Callable[[psycopg.Connection], None], app: str = "bench") -> float:
        """Make a change and commit it; milliseconds from the commit to the app's swap on disk.

        The worker is at rest before: what comes within 50 ms of a build's end is gathered first.
        """
        current = self.site.current_of(app)
        before = current.readlink()
        with self.site.connect() as connection:
            change(connection)
            began = time.perf_counter()
            connection.commit()
            until = time.monotonic() + _LATEST
            while current.readlink() == before:
                if time.monotonic() > until or self.poll() is not None:
                    raise FailedError(f"the change does not go live:\n{self._tail()}")
                time.sleep(_POLL)
            took = (time.perf_counter() - began) * 1000
        self.settle()
        time.sleep(_REST)
        return took

    def runs(self) -> int:
        """How many runs the node's rows tell of."""
        with psycopg.connect(self.site.conninfo) as connection:
            row = connection.execute(
                "SELECT count(*) FROM robbieblocks_deploys WHERE app_namespace = 'bench'"
            ).fetchone()
        return int(row[0]) if row else 0

    def _tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:]


# Runs that have not ended, and changes that wait.
_RESTLESS: Final = """
    SELECT (SELECT count(*) FROM robbieblocks_deploys
             WHERE deploy_status IN ('pending', 'building', 'deploying')),
           (SELECT count(*) FROM robbieblocks_change_triggers WHERE processed_at IS NULL)
"""
