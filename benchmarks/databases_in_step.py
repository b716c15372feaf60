"""The sync: how long an edit takes to another database and to a page, and what it costs a write."""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg

from benchmarks.processes import FailedError
from benchmarks.scenarios import Bench
from robbieblocks.settings import Settings
from tests import sync_sites
from tests.sync_sites import Place, Sync
from tests.workers import Worker, edit, running, shown, until, until_shown

_ROUNDS: Final = 30
_CAUGHT_UP: Final = 100_000
_WRITE: Final = (
    "UPDATE robbieblocks_page_blocks SET props = props || "
    "jsonb_build_object('count', (random() * 1e9)::int) WHERE block_order = 1"
)
_EDITS_A_TRANSACTION: Final = 50
_EDIT: Final = (
    "UPDATE robbieblocks_page_blocks SET props = jsonb_build_object('version', %s::text) "
    "WHERE id = %s"
)
_PATIENCE_S: Final = 1_800.0


def databases_in_step(bench: Bench) -> list[dict[str, Any]]:
    """Milliseconds from a commit to where it has to be, of a master and two nodes.

    All three servers, both workers and this program share the machine.
    """
    rows: list[dict[str, Any]] = []

    def add(what: str, milliseconds: float) -> None:
        rows.append({"what": what, "ms": milliseconds})
        bench.say(f"  {what}: {milliseconds:.2f} ms")

    with _servers() as (found, cache):
        first, second = found.nodes
        with sync_sites.syncing(first, second, interval_s=300) as syncs:
            for each in syncs:
                each.wait_for("sync.state", state="active")
            add("commit on the master to notification on a node", _heard(found.master, first))
            add("commit on a node to notification on another", _heard(first, second))
            for number, place in enumerate((found.master, first)):
                add(f"a write on {'a node' if number else 'the master'}", _write(place, True))
                add(
                    f"a write on {'a node' if number else 'the master'}, not synced",
                    _write(place, False),
                )
            count = 2_000 if bench.quick else _CAUGHT_UP
            add(f"catching up on {count:,} edits of the master", _catch_up(found, count))
        with _workers(found, cache) as workers:
            add("commit on the master to a live page of a node", _live(found.master, workers[0]))
            add("commit on a node to a live page of another", _live(first, workers[1]))
    return rows


@contextmanager
def _servers() -> Generator[tuple[Sync, Path]]:
    with tempfile.TemporaryDirectory(prefix="in-step-") as name:
        folder = Path(name)
        # Postgres runs as an account of its own where this program is root.
        folder.chmod(0o711)

        def settings(database_url: str) -> Settings:
            made = Settings.from_environment(database_url=database_url)
            home = folder / "homes" / "installation"
            return replace(made, home=home, site_root=home / "site", cache=folder / "cache")

        with (
            # Tests do without it; 100,000 edits leave as many dead rows, as on a server of a site.
            sync_sites.started(folder, autovacuum="on") as servers,
            sync_sites.synced(servers, settings) as found,
        ):
            yield found, folder / "cache"


@contextmanager
def _workers(found: Sync, cache: Path) -> Generator[list[Worker]]:
    workers = [
        Worker(
            replace(place.settings, cache=cache / place.name),
            place.name,
            ("--with-sync",),
            environment={"ROBBIEBLOCKS_SYNC_MASTER_URL": place.settings.sync.master or ""},
        )
        for place in found.nodes
    ]
    with running(*workers):
        for worker in workers:
            worker.wait_until_ready()
            worker.wait_for("sync.state", state="active")
        yield workers


def _heard(from_: Place, to: Place) -> float:
    """The median from an edit's commit at one place to the notification at another."""
    times: list[float] = []
    with from_.connect() as writer, to.connect() as listener:
        listener.execute("LISTEN robbieblocks_change")
        for number in range(_ROUNDS):
            edit(writer, "play", number)
            began = time.perf_counter()
            if list(listener.notifies(timeout=10, stop_after=1)):
                times.append((time.perf_counter() - began) * 1000)
            # What else this edit brings is not taken for the next one's.
            for _ in listener.notifies(timeout=0.05):
                pass
    return median(times)


def _write(place: Place, captured: bool) -> float:
    """The median of one statement, taken back each time."""
    times: list[float] = []
    with psycopg.connect(place.settings.database_url or "") as connection:
        if not captured:
            connection.execute("ALTER TABLE robbieblocks_page_blocks DISABLE TRIGGER sync_capture")
        for _ in range(_ROUNDS):
            with connection.transaction(force_rollback=True):
                began = time.perf_counter()
                connection.execute(_WRITE)
                times.append((time.perf_counter() - began) * 1000)
        connection.rollback()
    return median(times)


def _catch_up(found: Sync, count: int) -> float:
    """From a line that is mended to a node that has all of the master's edits."""
    node = found.nodes[0]
    line = node.line
    if line is None:
        raise FailedError("the node has no line that could be cut")
    line.cut()
    logged = "SELECT count(*) FROM sync_log WHERE table_name = 'robbieblocks_page_blocks'"
    before = found.master.value(logged)
    with found.master.connect() as connection:
        blocks = connection.execute("SELECT id FROM robbieblocks_page_blocks").fetchall()
        # Each is another one than before: what changes nothing is no edit.
        edits = ((f"v{n // len(blocks)}", *blocks[n % len(blocks)]) for n in range(count))
        while some := list(itertools.islice(edits, _EDITS_A_TRANSACTION)):
            with connection.transaction(), connection.cursor() as cursor:
                cursor.executemany(_EDIT, some)
    if found.master.value(logged) != int(str(before)) + count:
        raise FailedError("not every edit is in the master's log")
    line.mend()
    began = time.perf_counter()
    found.until_equal("robbieblocks_page_blocks", patience=_PATIENCE_S)
    return (time.perf_counter() - began) * 1000


def _live(from_: Place, worker: Worker) -> float:
    """The median from an edit's commit to the page that shows it."""
    times: list[float] = []
    root = worker.settings.site_root
    with from_.connect() as connection:
        for number in range(1_000, 1_000 + _ROUNDS // 3):
            edit(connection, "play", number)
            began = time.perf_counter()
            until(_shows(root, worker.node, number), f"version {number}")
            times.append((time.perf_counter() - began) * 1000)
            until_shown(root, worker.node, number)
    return median(times)


def _shows(root: Path, node: str, version: int) -> Callable[[], bool]:
    return lambda: shown(root, node, "play") == version
