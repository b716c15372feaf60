"""Workers in tests: a small site whose pages show a version, and worker processes that end."""

# ruff: noqa: E501  # rows read best on one line

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TextIO

import httpx
import psutil
import psycopg
import pytest

from robbieblocks.settings import Settings
from tests import forked, loopback
from tests.forked import Fork

NODES = ("vengeance-local", "aurora-town-local")
PAGES = {"play": "/play/", "work": "/work/", "code": "/code/", "shared": "/about"}
FILES = {"play": "play/index.html", "work": "work/index.html", "code": "code/index.html"}
FILES["shared"] = "about/index.html"
PATIENCE = 60.0

_COMPONENT = """
INSERT INTO robbieblocks_components
       (component_key, component_name, component_type, react_code, props_schema, is_published)
VALUES ('label', 'Label', 'text', '<p data-version={props.version}>{props.version}</p>', '{}', true)
"""
_PAGE = """
WITH page AS (
    INSERT INTO robbieblocks_pages
           (page_key, app_namespace, page_name, page_route, layout_template, status)
    VALUES (%(app)s, %(app)s, %(app)s, %(route)s, 'single-column', 'published') RETURNING id
)
INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
SELECT page.id, component.id, block_order, 'main', '{"version": "v0"}'
  FROM page, robbieblocks_components AS component, generate_series(1, 2) AS block_order
 WHERE component_key = 'label'
"""
# Both blocks in one statement: a page that shows two versions was torn.
_EDIT = """
UPDATE robbieblocks_page_blocks AS block SET props = jsonb_build_object('version', %(version)s::text)
  FROM robbieblocks_pages AS page WHERE page.id = block.page_id AND page.page_key = %(app)s
"""


def fill(connection: psycopg.Connection, apps: tuple[str, ...] = tuple(PAGES)) -> None:
    """One page an app, each with two blocks that show the page's version; an empty queue."""
    connection.execute(
        "DELETE FROM robbieblocks_node_branding WHERE node_id <> ALL (%s)", [list(NODES)]
    )
    connection.execute(_COMPONENT)
    for app in apps:
        connection.execute(_PAGE, {"app": app, "route": PAGES[app]})
    connection.execute("DELETE FROM robbieblocks_change_triggers")
    connection.commit()


@pytest.fixture
def editor(database: str) -> Iterator[psycopg.Connection]:
    """The editor's connection to the small site."""
    with psycopg.connect(database, autocommit=True) as connection:
        fill(connection)
        yield connection


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory, toolchain: object) -> Path:
    """A cache that the tests of a file share: React is compiled once."""
    assert toolchain
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def small_site(
    make_settings: Callable[..., Settings], database: str, editor: psycopg.Connection, warm: Path
) -> Settings:
    """An installation over the editor's database."""
    return make_settings(database, cache=warm)


def edit(connection: psycopg.Connection, app: str, version: int) -> None:
    """Set the version that both blocks of an app's page show, and commit."""
    with connection.transaction():
        connection.execute(_EDIT, {"app": app, "version": f"v{version}"})


def versions(html: str) -> list[int]:
    """The versions that a page shows."""
    return [int(number) for number in re.findall(r'data-version="v(\d+)"', html)]


def shown(site_root: Path, node: str, app: str) -> int | None:
    """The version that is live; None where nothing is."""
    try:
        html = (site_root / node / app / "current" / FILES[app]).read_text()
    except OSError:
        return None
    found = versions(html)
    assert len(found) == 2, f"a page of {app} on {node} has lost its blocks"
    assert found[0] == found[1], f"a torn page of {app} on {node}: {found}"
    return found[0]


def until(condition: Callable[[], object], what: str = "it", patience: float = PATIENCE) -> None:
    """Wait for what another process brings about.

    The longer it takes, the less often it is looked for: looking takes time from that process.
    """
    began = time.monotonic()
    while not condition():
        waited = time.monotonic() - began
        assert waited < patience, f"{what} never happened"
        time.sleep(min(max(0.005, waited / 20), 0.1))


def until_shown(site_root: Path, node: str, version: int) -> None:
    """Wait for a version of `play` to be live."""
    until(lambda: shown(site_root, node, "play") == version, f"version {version}")


_MAIN = "from robbieblocks.cli import main; main()"


@dataclass
class Worker:
    """A worker process and its log.

    `crash` names a failpoint at which it kills itself, `stall` one at which it stays for ever;
    `prelude` is Python that runs before it starts, `prefix` what is put before its command.
    """

    settings: Settings
    node: str
    arguments: tuple[str, ...] = ()
    crash: str = ""
    stall: str = ""
    prelude: str = ""
    command: tuple[str, ...] = ("worker",)
    create_root: bool = True
    prefix: tuple[str, ...] = ()
    cwd: Path | None = None
    environment: dict[str, str] = field(default_factory=dict)
    lines: list[dict[str, Any]] = field(default_factory=list)
    process: subprocess.Popen[bytes] | Fork | None = None
    _reader: threading.Thread | None = None
    _more: threading.Condition = field(default_factory=threading.Condition)

    def start(self) -> Self:
        """Start the process; its log is read in the background.

        It is a fork of one that has imported the program, unless there is a `prefix`.
        """
        code = f"{_HOOK.format(crash=self.crash, stall=self.stall)}\n{self.prelude}"
        settings = self.settings
        places = {
            "ROBBIEBLOCKS_HOME": settings.home,
            "ROBBIEBLOCKS_SITE_ROOT": settings.site_root,
            "ROBBIEBLOCKS_CACHE": settings.cache,
            "ROBBIEBLOCKS_TOOLCHAIN_CACHE": settings.toolchain_cache,
            "ROBBIEBLOCKS_DATABASE_URL": settings.database_url or "",
        }
        environment = {**os.environ, **{k: str(v) for k, v in places.items()}, **self.environment}
        words = [*self.command, "--node", self.node, "--log", "json"]
        words += [] if "--health" in self.arguments else ["--health", "off"]
        words += ["--create-root"] if self.create_root and self.command == ("worker",) else []
        words += self.arguments
        reader, writer = os.pipe()
        said = os.fdopen(reader)
        try:
            if self.prefix:
                self.process = subprocess.Popen(
                    [*self.prefix, sys.executable, "-c", f"{code}\n{_MAIN}", *words],
                    stderr=writer,
                    stdout=subprocess.DEVNULL,
                    stdin=subprocess.DEVNULL,
                    cwd=self.cwd,
                    env=environment,
                )
            else:
                cwd = str(self.cwd or Path.cwd())
                self.process = forked.start(words, cwd, environment, code, writer)
        finally:
            os.close(writer)
        self._reader = threading.Thread(target=self._read, args=(said,), daemon=True)
        self._reader.start()
        return self

    def _read(self, said: TextIO) -> None:
        with said:
            for line in said:
                try:
                    entry = json.loads(line)
                except ValueError:
                    entry = {"event": "text", "text": line.rstrip()}
                with self._more:
                    self.lines.append(entry)
                    self._more.notify_all()

    def join(self) -> None:
        """Wait until its whole log was read."""
        if self._reader is not None:
            self._reader.join(PATIENCE)

    def logged(self, event: str, **values: Any) -> list[dict[str, Any]]:
        """The lines so far with this event and these values."""
        with self._more:
            return [
                line
                for line in self.lines
                if line.get("event") == event and values.items() <= line.items()
            ]

    def wait_for(
        self, event: str, count: int = 1, patience: float = PATIENCE, **values: Any
    ) -> None:
        """Wait until it has logged an event so many times."""
        with self._more:
            found = self._more.wait_for(
                lambda: len(self.logged(event, **values)) >= count or self.dead, patience
            )
        assert found, f"no {event} {values} in {self.lines}"
        assert len(self.logged(event, **values)) >= count, f"it ended: {self.lines}"

    @property
    def dead(self) -> bool:
        """Whether the process is over."""
        return self.process is None or self.process.poll() is not None

    def wait_until_ready(self) -> Self:
        """Wait until notifications arrive and every app was examined once."""
        self.wait_for("listener.live")
        self.wait_for("worker.reconciled")
        return self

    def signal(self, number: int) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait_for_exit(self, patience: float = PATIENCE) -> int:
        """Wait for its end; return its exit code."""
        assert self.process is not None
        code = self.process.wait(patience)
        self.join()
        return code

    def children(self) -> list[psutil.Process]:
        """Its child processes, and theirs."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        """End it by SIGTERM; return its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def kill(self) -> None:
        """End it by SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()


# The hook is what failpoints are for, and only a program that sets it in Python reaches it.
_HOOK = """
import os, signal, sys, threading
from robbieblocks import failpoints
def hook(step):
    if step == {crash!r}:
        os.kill(os.getpid(), signal.SIGKILL)
    if step == {stall!r}:
        print('{{"event": "stalled"}}', file=sys.stderr, flush=True)
        threading.Event().wait()
failpoints.hook = hook
"""


def without_root_s_rights() -> tuple[str, ...]:
    """What to put before a command so that permissions hold for it, even if root runs it."""
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root may read anything, and no setpriv(1) takes that right away")
    dropped = "-dac_override,-dac_read_search"
    return ("setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}")


@contextmanager
def running(*workers: Worker) -> Iterator[None]:
    """Start workers, and see to it that none is left at the end."""
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            if not worker.dead:
                worker.kill()
            worker.join()


def asked(worker: Worker, path: str) -> httpx.Response:
    """What the worker's health server answers."""
    address = worker.logged("worker.started")[0]["health"]
    return loopback.get(f"http://{address}{path}", timeout=10)
