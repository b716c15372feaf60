"""Eight nodes with databases and workers of their own: an edit live on all, and a stampede."""

from __future__ import annotations

import base64
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
import psycopg

from benchmarks.fleet import REAL, join_all, processes, two_servers
from benchmarks.processes import FailedError
from benchmarks.scenarios import Bench
from robbieblocks.settings import SHARED_CACHE_KEY, Settings
from tests import s3_server
from tests.clusters import Cluster
from tests.workers import Worker, edit, fill, running, shown

_MASTER: Final = "site"
_PAGES: Final = 1_000
_EDITS: Final = 20
_QUIET_S: Final = 60.0
_PATIENCE_S: Final = 400.0
# At rest they use less than so much of a processor for so long.
_REST_S: Final = 3.0
_REST_USE: Final = 0.1
# Each node has what `fill` makes, and as many pages more as are asked for.
_MORE_PAGES: Final = """
WITH page AS (
    INSERT INTO robbieblocks_pages
           (page_key, app_namespace, page_name, page_route, layout_template, status)
    SELECT 'p-' || n, 'play', 'p-' || n, '/play/p-' || n, 'single-column', 'published'
      FROM generate_series(1, %s) AS n RETURNING id, page_key
)
INSERT INTO robbieblocks_page_blocks (page_id, component_id, block_order, zone, props)
SELECT page.id, component.id, block_order, 'main',
       jsonb_build_object('version', 'v0', 'title', page_key || ' ' || block_order)
  FROM page, robbieblocks_components AS component, generate_series(1, 2) AS block_order
 WHERE component_key = 'label'
"""
_COMPONENT: Final = """
UPDATE robbieblocks_components SET react_code = %s WHERE component_key = 'label'
"""
_CODE: Final = (
    '<p data-version={{props.version}} data-edition="{edition}" title={{props.title}}>'
    "{{props.version}}{{Array.from({{length: 40}}, (_, n) => <i key={{n}}>{{n}}</i>)}}</p>"
)
_EDITION: Final = 'data-edition="{edition}"'


@dataclass
class _Fleet:
    """A master, the server of its nodes' databases, and the nodes' workers."""

    master: Cluster
    nodes: Cluster
    workers: list[Worker]

    def processes(self) -> dict[str, list[psutil.Process]]:
        """Those of the workers with their children, of the nodes' server, and of the master's."""
        mine = [
            process
            for worker in self.workers
            if worker.process is not None
            for process in [psutil.Process(worker.process.pid), *worker.children()]
        ]
        return {
            "workers": mine,
            "nodes": processes(self.nodes),
            "master": processes(self.master),
        }

    def cpu_s(self) -> dict[str, float]:
        """CPU so far of all of them."""
        found = self.processes()
        return {name: sum(_cpu_s(each, with_ended=True).values()) for name, each in found.items()}

    def own_cpu_s(self) -> dict[str, dict[int, float]]:
        """CPU so far of each that is there, by its id, without children that have ended."""
        found = self.processes()
        return {name: _cpu_s(each, with_ended=False) for name, each in found.items()}


def fleet_of_workers(bench: Bench) -> list[dict[str, Any]]:
    """From a commit on the master to the page of the first, the median and the last node.

    One server has the master's database, another one those of the eight nodes; each node has a
    worker with its sync, a site root and a cache of its own. All share the machine.
    """
    rows: list[dict[str, Any]] = []

    def add(what: str, values: dict[str, float]) -> None:
        rows.append({"what": what, **values})
        said = ", ".join(f"{name} {value:.1f}" for name, value in values.items())
        bench.say(f"  {what}: {said}")

    with tempfile.TemporaryDirectory(prefix="workers-") as name, ExitStack() as stack:
        folder = Path(name)
        (folder / "s3").mkdir()
        endpoint = stack.enter_context(s3_server.serving(folder / "s3"))
        master, nodes = stack.enter_context(_servers(folder, 50 if bench.quick else _PAGES))
        for bucket in ("", endpoint):
            how = "with the shared bucket" if bucket else "without"
            workers = _workers(folder, nodes, master, bucket)
            with running(*workers), master.connect(_MASTER) as writer:
                found = _Fleet(master, nodes, workers)
                for worker in workers:
                    worker.wait_for("worker.reconciled", patience=_PATIENCE_S)
                _rest(found)
                if not bucket:
                    add("quiet", _quiet(found, 5.0 if bench.quick else _QUIET_S, writer))
                add(f"a block, {how}", _blocks(found, writer, 5 if bench.quick else _EDITS))
                add(f"a component of all pages, {how}", _stampede(found, writer, how))
    return rows


@contextmanager
def _servers(folder: Path, pages: int) -> Generator[tuple[Cluster, Cluster]]:
    with two_servers(folder) as (master, nodes):
        with master.connect(_MASTER) as connection:
            fill(connection, ("play",))
            connection.execute(_MORE_PAGES, [pages])
            connection.execute(
                "INSERT INTO robbieblocks_node_branding "
                "(node_id, node_name, style_overrides, enabled_apps) "
                "SELECT n, n, '{}', '{play}' FROM unnest(%s::text[]) AS n",
                [_names()],
            )
            connection.execute("DELETE FROM robbieblocks_change_triggers")
        join_all(folder, master, nodes, is_filled=True)
        yield master, nodes


def _names() -> list[str]:
    return [f"node-{number}" for number in range(REAL)]


def _workers(folder: Path, nodes: Cluster, master: Cluster, bucket: str) -> list[Worker]:
    found: list[Worker] = []
    for number, name in enumerate(_names()):
        home = folder / ("shared" if bucket else "alone") / name
        home.mkdir(parents=True)
        if bucket:
            (home / "robbieblocks.toml").write_text(
                f'[cache]\nshared = "s3://{s3_server.NAME}/fleet"\nendpoint = "{bucket}"\n'
            )
        settings = replace(
            Settings.from_environment(database_url=nodes.conninfo(f"node_{number}")),
            home=home,
            site_root=home / "site",
            cache=home / "cache",
        )
        environment = {
            "ROBBIEBLOCKS_SYNC_MASTER_URL": master.conninfo(_MASTER, _role(master, name)),
            SHARED_CACHE_KEY: base64.b64encode(b"k" * 32).decode(),
        }
        # The project's file is that of the folder in which a command is started.
        there = ("env", f"--chdir={home}")
        options = ("--with-sync",)
        found.append(Worker(settings, name, options, environment=environment, prefix=there))
    return found


def _role(master: Cluster, node: str) -> str:
    with master.connect(_MASTER) as connection:
        row = connection.execute(
            "SELECT database_role FROM sync_nodes WHERE node_id = %s", [node]
        ).fetchone()
    return str(row[0]) if row else ""


def _quiet(fleet: _Fleet, seconds: float, writer: psycopg.Connection) -> dict[str, float]:
    """What the fleet costs while nothing is edited: CPU, memory, WAL, sessions on the master."""
    # What the start has left to do is no part of it.
    writer.execute("VACUUM ANALYZE")
    writer.execute("CHECKPOINT")
    _rest(fleet)
    before, place, began = fleet.own_cpu_s(), _lsn(writer), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - began
    # What a child that ends has used before would count as less than nothing.
    used = {
        f"{name}_cpu_%": 100 * sum(s - before[name].get(pid, 0.0) for pid, s in now.items()) / took
        for name, now in fleet.own_cpu_s().items()
    }
    row = writer.execute(
        "SELECT pg_wal_lsn_diff(%s, %s), count(*) FROM pg_stat_activity "
        "WHERE backend_type IN ('client backend', 'walsender') AND pid <> pg_backend_pid()",
        [_lsn(writer), place],
    ).fetchone()
    wal, sessions = row or (0, 0)
    memory = [
        sum(p.memory_full_info().uss for p in [psutil.Process(w.process.pid), *w.children()]) / 1e6
        for w in fleet.workers
        if w.process is not None
    ]
    return {
        **used,
        "mb_a_worker": median(memory),
        "wal_bytes_a_minute": float(wal) * 60 / took,
        "sessions_on_the_master": float(sessions),
    }


def _rest(fleet: _Fleet) -> None:
    """Wait until the workers have done what is left to do after their first build."""
    until_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until_s:
        before = fleet.own_cpu_s()["workers"]
        time.sleep(_REST_S)
        now = fleet.own_cpu_s()["workers"]
        used = sum(seconds - before.get(pid, 0.0) for pid, seconds in now.items())
        if used < _REST_S * _REST_USE:
            return
    raise FailedError("the workers never came to rest")


def _lsn(writer: psycopg.Connection) -> str:
    row = writer.execute("SELECT pg_current_wal_lsn()::text").fetchone()
    return str(row[0]) if row else ""


def _blocks(fleet: _Fleet, writer: psycopg.Connection, count: int) -> dict[str, float]:
    """Medians over edits of one page: when it is live on each node, and the fleet's CPU."""
    times: list[list[float]] = []
    before = fleet.cpu_s()
    for version in range(1, count + 1):
        version += 1_000 * (time.time_ns() % 1_000_000)
        edit(writer, "play", version)
        times.append(_seen(fleet, partial(_shows, version)))
    return {**_places(times), **_used(fleet, before, count)}


def _shows(version: int, worker: Worker) -> bool:
    return shown(worker.settings.site_root, worker.node, "play") == version


def _stampede(fleet: _Fleet, writer: psycopg.Connection, edition: str) -> dict[str, float]:
    """One edit of a component that all pages show; how many blocks the fleet rendered for it."""
    before = fleet.cpu_s()
    rendered = sum(sum(_rendered(each)) for each in fleet.workers)
    runs = [len(worker.logged("run.finished")) for worker in fleet.workers]
    with writer.transaction():
        writer.execute(_COMPONENT, [_CODE.format(edition=edition)])
    times = [_seen(fleet, partial(_has, _EDITION.format(edition=edition)))]
    for worker, count in zip(fleet.workers, runs, strict=True):
        worker.wait_for("run.finished", count=count + 1)
    used = _used(fleet, before, 1)
    rendered = sum(sum(_rendered(each)) for each in fleet.workers) - rendered
    return {**_places(times), **used, "blocks_rendered": rendered}


def _has(text: str, worker: Worker) -> bool:
    pages = worker.settings.site_root / worker.node / "play" / "current" / "play"
    with suppress(OSError):
        return text in (pages / "index.html").read_text()
    return False


def _rendered(worker: Worker) -> Iterator[int]:
    for line in worker.logged("run.finished"):
        yield line["blocks_rendered"]


def _seen(fleet: _Fleet, is_there: Callable[[Worker], bool]) -> list[float]:
    """Milliseconds until each node shows it, in order."""
    began, waiting = time.perf_counter(), list(fleet.workers)
    found: list[float] = []
    while waiting:
        for worker in list(waiting):
            if is_there(worker):
                found.append((time.perf_counter() - began) * 1000)
                waiting.remove(worker)
        if time.perf_counter() - began > _PATIENCE_S:
            raise FailedError(f"{', '.join(w.node for w in waiting)} never showed it")
        time.sleep(0.002)
    return found


def _places(times: list[list[float]]) -> dict[str, float]:
    return {
        "first_ms": median(each[0] for each in times),
        "median_ms": median(median(each) for each in times),
        "last_ms": median(each[-1] for each in times),
    }


def _used(fleet: _Fleet, before: dict[str, float], count: int) -> dict[str, float]:
    return {
        f"{name}_cpu_ms": 1000 * (seconds - before[name]) / count
        for name, seconds in fleet.cpu_s().items()
    }


def _cpu_s(found: list[psutil.Process], *, with_ended: bool) -> dict[int, float]:
    """CPU so far by process; with that of the children of each that have ended, where asked for."""
    used: dict[int, float] = {}
    for each in found:
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            used[each.pid] = times.user + times.system
            used[each.pid] += (times.children_user + times.children_system) * with_ended
    return used
