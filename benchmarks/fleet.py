"""A fleet: what nodes cost their master, eight real ones and simulated ones beside them."""

from __future__ import annotations

import itertools
import resource
import select
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any, Final

import psutil
import psycopg
from psycopg import pq
from psycopg.types.json import Jsonb

from benchmarks.processes import FailedError
from benchmarks.scenarios import Bench
from robbieblocks import sync
from robbieblocks.database import schema
from robbieblocks.settings import Settings, SyncSettings
from robbieblocks.worker import open_log
from tests import clusters
from tests.clusters import Cluster
from tests.workers import edit, fill, until

REAL: Final = 8
_LISTENERS: Final = (0, 100, 1_000)
_SUBSCRIBERS: Final = (0, 16, 64, 128)
_EDITS: Final = 100
_PATIENCE_S: Final = 60.0
# An edit that changes nothing is told to nobody.
_VERSIONS: Final = itertools.count(1)
_MASTER: Final = "site"
SETTINGS: Final = {
    "max_connections": "1400",
    "max_replication_slots": "200",
    "max_wal_senders": "200",
    "max_logical_replication_workers": "24",
    "max_worker_processes": "40",
    "shared_buffers": "128MB",
    "wal_sender_timeout": "0",
    "autovacuum": "on",
}
# The first byte of a message of WAL, and of the change in it that ends a transaction.
_WAL: Final = ord("w")
_HEADER_BYTES: Final = 25
_COMMIT: Final = ord("C")


def fleet(bench: Bench) -> list[dict[str, Any]]:
    """Latency and the master's CPU for each edit, by how many listen and how many subscribe.

    The master, the nodes' databases and this program share the machine.
    """
    rows: list[dict[str, Any]] = []

    def add(what: str, **values: float) -> None:
        rows.append({"what": what, **values})
        said = ", ".join(f"{name} {value:.2f}" for name, value in values.items())
        bench.say(f"  {what}: {said}")

    _allow_files(2_000)
    with _servers() as (master, nodes), master.connect(_MASTER) as writer:
        with ExitStack() as stack:
            heard = [stack.enter_context(nodes.connect(f"node_{n}")) for n in range(REAL)]
            for each in heard:
                each.execute("LISTEN robbieblocks_change")
            add(f"{REAL} nodes with databases", **_edited(master, writer, heard, _notified))
        for count in (0, 100) if bench.quick else _LISTENERS:
            with ExitStack() as stack:
                heard = [stack.enter_context(master.connect(_MASTER)) for _ in range(count)]
                for each in heard:
                    each.execute("LISTEN sync_log")
                add(f"{count} sessions that listen", **_edited(master, writer, heard, _notified))
        for count in (0, 16) if bench.quick else _SUBSCRIBERS:
            until(lambda: _sessions(writer) <= REAL, "the sessions to end")
            with ExitStack() as stack:
                streams = [stack.enter_context(_subscribed(master)) for _ in range(count)]
                found = _edited(master, writer, streams, _committed)
                add(f"{count} more subscribers", **found, **_memory_mb(master))
        add("WAL", bytes_an_edit=_wal_bytes(writer))
        add("asking for changes", ms_a_call=_asked(writer))
        for count in (10_000,) if bench.quick else (100_000, 1_000_000):
            add(f"comparing {count:,} rows on the master", **_compared(writer, count))
    return rows


@contextmanager
def _servers() -> Iterator[tuple[Cluster, Cluster]]:
    with tempfile.TemporaryDirectory(prefix="fleet-") as name, two_servers(Path(name)) as made:
        master, nodes = made
        join_all(Path(name), master, nodes)
        yield master, nodes


@contextmanager
def two_servers(folder: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Lend a server for the master and one for the nodes, each with a database without rows."""
    # Postgres runs as an account of its own where this program is root.
    folder.chmod(0o711)
    with ExitStack() as stack:
        template = stack.enter_context(clusters.made(clusters.EMBEDDED, folder))
        made: list[Cluster] = []
        for place in ("master", "nodes"):
            (folder / place).mkdir()
            running = clusters.running(clusters.EMBEDDED, template, folder / place, **SETTINGS)
            made.append(stack.enter_context(running))
        for cluster in made:
            with cluster.connect() as connection:
                connection.execute(f"CREATE DATABASE {_MASTER}".encode())
            with cluster.connect(_MASTER) as connection:
                connection.execute("SET robbieblocks.demo = off")
                schema.apply(connection, sync=True)
        master, nodes = made
        yield master, nodes


def join_all(folder: Path, master: Cluster, nodes: Cluster, *, is_filled: bool = False) -> None:
    """Have the nodes' databases join the master's, which gets the small site unless it has one."""
    given = Settings.from_environment(database_url=master.conninfo(_MASTER))
    settings = replace(given, home=folder / "home")
    with master.connect(_MASTER) as connection:
        if not is_filled:
            fill(connection, ("play",))
        sync.init_master(settings, connection, "master")
    for number in range(REAL):
        with nodes.connect() as connection:
            connection.execute(f"CREATE DATABASE node_{number} TEMPLATE {_MASTER}".encode())
        with master.connect(_MASTER) as connection:
            role = sync.admit(connection, f"node-{number}").role
        address = SyncSettings(master=master.conninfo(_MASTER, role))
        with nodes.connect(f"node_{number}") as connection:
            sync.join(
                replace(settings, sync=address),
                connection,
                f"node-{number}",
                log=open_log("json", sys.stderr),
                progress=lambda _: None,
            )


@dataclass
class _Stream:
    """A connection that reads the log as a subscription does, and keeps nothing."""

    pgconn: pq.abc.PGconn

    def fileno(self) -> int:
        return self.pgconn.socket


@contextmanager
def _subscribed(master: Cluster) -> Iterator[_Stream]:
    address = f"{master.conninfo(_MASTER)} replication=database"
    pgconn = pq.PGconn.connect(address.encode())
    try:
        slot = f"simulated_{next(_VERSIONS)}"
        for statement in (
            f"CREATE_REPLICATION_SLOT {slot} TEMPORARY LOGICAL pgoutput (SNAPSHOT 'nothing')",
            f"START_REPLICATION SLOT {slot} LOGICAL 0/0 "
            "(proto_version '1', publication_names 'sync_publication')",
        ):
            result = pgconn.exec_(statement.encode())
            if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COPY_BOTH):
                raise FailedError(pgconn.error_message.decode(errors="replace"))
        pgconn.nonblocking = 1
        yield _Stream(pgconn)
    finally:
        pgconn.finish()


def _notified(connection: Any) -> int:
    """How many notifications have come since the last call."""
    connection.pgconn.consume_input()
    count = 0
    while connection.pgconn.notifies():
        count += 1
    return count


def _committed(stream: Any) -> int:
    """How many transactions have come since the last call."""
    stream.pgconn.consume_input()
    count = 0
    while True:
        size, data = stream.pgconn.get_copy_data(1)
        if size <= 0:
            return count
        if data[0] == _WAL and data[_HEADER_BYTES] == _COMMIT:
            count += 1


def _edited(
    master: Cluster,
    writer: psycopg.Connection,
    heard: Sequence[Any],
    came: Callable[[Any], int],
) -> dict[str, float]:
    """Medians: from an edit's commit to the first and the last who hears, and the master's CPU."""
    firsts: list[float] = []
    lasts: list[float] = []
    before = _cpu_s(master)
    for _ in range(_EDITS):
        poll, by_number = select.poll(), {each.fileno(): each for each in heard}
        for each in by_number:
            poll.register(each, select.POLLIN)
        edit(writer, "play", next(_VERSIONS))
        began = time.perf_counter()
        while by_number:
            for place, _ in poll.poll(1_000):
                if place in by_number and came(by_number[place]):
                    del by_number[place]
                    poll.unregister(place)
                    if len(by_number) == len(heard) - 1:
                        firsts.append((time.perf_counter() - began) * 1000)
            if time.perf_counter() - began > _PATIENCE_S:
                raise FailedError(f"{len(by_number)} of {len(heard)} heard nothing")
        lasts.append((time.perf_counter() - began) * 1000)
        for each in heard:
            came(each)
    used = (_cpu_s(master) - before) * 1000 / _EDITS
    found = {"first_ms": median(firsts), "last_ms": median(lasts)} if heard else {}
    return {**found, "cpu_ms_an_edit": used}


def _sessions(writer: psycopg.Connection) -> int:
    row = writer.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
        [_MASTER],
    ).fetchone()
    return int(row[0]) if row else 0


def _cpu_s(master: Cluster) -> float:
    total = 0.0
    for each in processes(master):
        # A session that has ended counts no more.
        with suppress(psutil.NoSuchProcess):
            times = each.cpu_times()
            total += times.user + times.system
    return total


def _memory_mb(master: Cluster) -> dict[str, float]:
    """What one process that sends WAL has for itself."""
    found = [
        each.memory_full_info().uss / 1e6
        for each in processes(master)
        if "walsender" in " ".join(each.cmdline())
    ]
    return {"mb_a_subscriber": median(found)} if found else {}


def processes(master: Cluster) -> list[psutil.Process]:
    """The processes of a server now."""
    here = str(master.data)
    parent = next(
        each
        for each in psutil.process_iter(["cmdline"])
        if here in (each.info["cmdline"] or ()) and each.info["cmdline"][0].endswith("postgres")
    )
    return [parent, *parent.children()]


def _wal_bytes(writer: psycopg.Connection) -> float:
    def place() -> str:
        row = writer.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        return str(row[0]) if row else ""

    before = place()
    for _ in range(1_000):
        edit(writer, "play", next(_VERSIONS))
    row = writer.execute("SELECT pg_wal_lsn_diff(%s, %s)", [place(), before]).fetchone()
    return float(row[0]) / 1_000 if row else 0.0


def _asked(writer: psycopg.Connection) -> float:
    """The median of one call that brings one edit, as a node that polls makes it."""
    times: list[float] = []
    asked = "SELECT sync_changes('node-0', %s)"
    for _ in range(_EDITS):
        row = writer.execute("SELECT sync_changes('node-0')").fetchone()
        edit(writer, "play", next(_VERSIONS))
        began = time.perf_counter()
        writer.execute(asked, [Jsonb(row[0]["after"] if row else None)])
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def _compared(writer: psycopg.Connection, count: int) -> dict[str, float]:
    """Seconds of hashes over a table of so many rows of some 200 bytes: for one node, for all."""
    writer.execute("DROP TABLE IF EXISTS compared_rows")
    writer.execute("CREATE TABLE compared_rows (id uuid PRIMARY KEY, body text)")
    writer.execute(
        "INSERT INTO compared_rows SELECT gen_random_uuid(), repeat(md5(n::text), 6) "
        "FROM generate_series(1, %s) AS n",
        [count],
    )
    writer.execute("ANALYZE compared_rows")
    writer.execute("SELECT sync_configure('compared_rows', 'down')")
    began, took = time.perf_counter(), list[float]()
    for number in range(REAL):
        query = "SELECT * FROM sync_hashes(%s, 'compared_rows')"
        writer.execute(query, [f"node-{number}"]).fetchall()
        took.append(time.perf_counter() - began)
    writer.execute("SELECT sync_configure('compared_rows', 'never')")
    return {"first_s": took[0], "all_s": took[-1]}


def _allow_files(count: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))
