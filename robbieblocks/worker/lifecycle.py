"""One life of a worker: everything is put together, started, and ended in order."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from psycopg import Connection

from robbieblocks import database, record, snapshot
from robbieblocks.errors import UsageError
from robbieblocks.pipeline import Site
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.agenda import Agenda, Job
from robbieblocks.worker.builder import PipelineBuilder
from robbieblocks.worker.connections.database import WorkerDatabase
from robbieblocks.worker.connections.listener import Listener
from robbieblocks.worker.connections.query_watchdog import QueryWatchdog
from robbieblocks.worker.health.server import DEFAULT_PORT, HealthServer, Metrics
from robbieblocks.worker.health.state import Health
from robbieblocks.worker.log import Log
from robbieblocks.worker.loop import Loop
from robbieblocks.worker.ports import BuildResult
from robbieblocks.worker.shutdown import ForcedStop, Shutdown
from robbieblocks.worker.systemd.unit import Notifier
from robbieblocks.worker.timing import Timing

_PULSE: Final = 1.0
_JOIN: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a person chooses: the node, where health is answered, where served pages are checked.

    `health` None means 127.0.0.1 and the usual port, or any free one where that is taken; an empty
    string means nowhere.
    """

    node: str
    health: str | None = None
    smoke_url: str | None = None
    timing: Timing = field(default_factory=Timing)


def run(settings: Settings, options: Options, log: Log) -> None:
    """Work until SIGTERM or SIGINT.

    Raises DatabaseUnavailable where the database can't be reached at the start, and UsageError
    where the node is not known then; after that nothing ends it but a signal.
    """
    log = log.bind(node=options.node)
    wake, stopped = threading.Event(), threading.Event()
    stopping = Shutdown(stopped, wake, options.timing.grace_s)
    notifier = Notifier.from_environment()
    with ExitStack() as stack:
        stack.enter_context(stopping.signals())
        worker = _Worker(settings, options, log, wake, stopped)
        stack.callback(worker.close)
        try:
            worker.start()
            stack.enter_context(_pulse(worker, notifier))
            notifier.send("READY=1", f"STATUS=worker for {options.node}")
            worker.loop.run()
        except ForcedStop:
            log.warning("worker.cut_short", why="the grace was over before the build was")
        finally:
            stopped.set()
            notifier.send("STOPPING=1")
        log.info("worker.stopped")


class _Worker:
    """The parts, wired."""

    def __init__(
        self,
        settings: Settings,
        options: Options,
        log: Log,
        wake: threading.Event,
        stopped: threading.Event,
    ) -> None:
        self.settings, self.options, self.log = settings, options, log
        timing = options.timing
        draw = random.SystemRandom().random
        site_root = SiteRoot(settings.site_root)
        self.guard = QueryWatchdog(longest=timing.query_timeout_s, shut=self._shut)
        self.ear = Listener(
            connect=self.connect,
            beat=self._beat,
            wake=wake,
            stopped=stopped,
            timing=timing,
            guard=self.guard,
            log=log,
        )
        self.health = Health(
            node=options.node,
            timing=timing,
            hearing=lambda: self.ear.hearing,
            heard_at=lambda: self.ear.heard_at,
        )
        self.metrics = Metrics(self.health)
        self.database = WorkerDatabase(
            node=options.node,
            site_root=site_root,
            open_=self.connect,
            guard=self.guard,
            log=log,
        )
        self.builder = PipelineBuilder(
            node=options.node,
            settings=settings,
            site=Site(root=site_root, smoke_url=options.smoke_url),
            connection=lambda: self.database.connection,
            phase=self.health.begin,
            log=log,
        )
        self.loop = Loop(
            database=self.database,
            builder=self.builder,
            agenda=Agenda(timing=timing, jitter=draw),
            timing=timing,
            health=self.health,
            log=log,
            wake=wake,
            stopped=stopped,
            jitter=draw,
            hearing=lambda: self.ear.hearing,
            built=self._built,
        )
        self.health_server: HealthServer | None = None

    def connect(self, name: str) -> Connection:
        """A connection, named so that pg_stat_activity tells whose it is and what for."""
        return database.connect(
            self.settings, application_name=f"robbieblocks {name} {self.options.node}"[:63]
        )

    def start(self) -> None:
        """Connect, listen, answer health requests."""
        self.database.connect()
        known = sorted(node.id for node in snapshot.nodes(self.database.connection))
        if self.options.node not in known:
            raise UsageError(
                f"there is no node {self.options.node!r} in robbieblocks_node_branding "
                f"(known: {', '.join(known) or 'none yet'}): insert its row, or name another"
            )
        self.ear.start()
        self.health_server = self._health_server()
        address = self.health_server.address if self.health_server else "off"
        self.log.info("worker.started", health=address, site_root=str(self.settings.site_root))

    def close(self) -> None:
        """End every part; children first."""
        self.builder.close()
        self.ear.join(_JOIN)
        self.database.close()
        if self.health_server:
            self.health_server.close()

    def _health_server(self) -> HealthServer | None:
        wanted = self.options.health
        if wanted == "":
            return None
        if wanted is not None:
            host, _, port = wanted.rpartition(":")
            return HealthServer(self.health, self.metrics, host or "127.0.0.1", int(port))
        try:
            return HealthServer(self.health, self.metrics, "127.0.0.1", DEFAULT_PORT)
        except UsageError:
            # Nobody asked for this port, and another worker of the machine may have it.
            return HealthServer(self.health, self.metrics, "127.0.0.1", 0)

    def _beat(self, connection: Connection) -> None:
        record.heartbeats(connection)
        if database.is_pooled(connection):
            return  # no leases to tell the dead by; each node's own worker closes its runs
        closed = record.close_abandoned(connection, self.options.timing.lease_s)
        if closed:
            self.log.warning("runs.closed", count=closed, why="no sign of life from their workers")

    def _shut(self, name: str) -> None:
        self.log.warning(
            "database.frozen",
            connection=name,
            why=f"no answer for {self.options.timing.query_timeout_s:g} s: connecting again",
        )

    def _built(self, job: Job, built: BuildResult, seconds: float) -> None:
        self.metrics.build_seconds.observe(seconds)
        if built.oldest is not None and job.reason == "change":
            waited = (datetime.now(UTC) - built.oldest).total_seconds()
            self.metrics.change_seconds.observe(max(0.0, waited))
        for outcome in built.runs:
            key = (outcome.app, outcome.outcome)
            self.health.builds[key] = self.health.builds.get(key, 0) + 1
        self.health.last_build = {
            "apps": list(job.apps),
            "reason": job.reason,
            "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(seconds, 3),
            "outcomes": {outcome.app: outcome.outcome for outcome in built.runs},
        }


@contextmanager
def _pulse(worker: _Worker, notifier: Notifier) -> Iterator[None]:
    """A thread that ticks the guard, and tells systemd that we live for as long as we progress."""
    over = threading.Event()

    def beat() -> None:
        every = notifier.watchdog and notifier.watchdog / 3
        told = 0.0
        status = ""
        while not over.wait(min(_PULSE, every or _PULSE)):
            worker.guard.tick()
            stuck = worker.health.stuck
            now = time.monotonic()
            if every and not stuck and now - told >= every:
                notifier.send("WATCHDOG=1")
                told = now
            news = stuck or worker.health.unready or "up to date"
            if news != status:
                notifier.send(f"STATUS={worker.options.node}: {news}")
                status = news

    thread = threading.Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(_JOIN)
