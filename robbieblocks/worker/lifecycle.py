"""Starting a worker, running it, and ending it in order.

The threads of a worker's process:

    main         `Loop`: reads the queue, builds what is due, waits for `wake`; owns the
                 connection "work"
    listener     `Listener`: receives notifications and sets `wake`, sends pings and heartbeats;
                 owns the connections "listener" and "ping"
    supervisor   `supervised`: ends hanging queries of all three connections, reports progress to
                 systemd
    health       `HealthServer`: accepts requests, and answers each in a thread of its own
    events       `telling`: sends events, where settings say to whom
    freezes      `freezes_told`, with events or windows: notes which begin and end by themselves
    shutdown     `Shutdown`: sets `stopped` and `wake` after a signal, ends the process if it hangs
    serving      `watched`, where the node has an address: asks there now and then
    maintenance  the pipeline's: prepares standby trees and compresses assets while no build runs
    search       the pipeline's, where an app has an index: makes it once builds rest
    cards        the pipeline's, while social cards are missing: draws them once builds rest
    bucket       `BucketThread`, where the settings name a bucket: publishes to it what is live

The main thread reads `Liveness`, which the listener writes; the supervisor, the health server, and
the threads freezes and bucket read `Health`, which the main thread writes. Nothing else is shared.
"""

from __future__ import annotations

import contextlib
import random
import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from psycopg import Connection

from robbieblocks import database, record, snapshot
from robbieblocks.errors import SiteUnavailable, UsageError
from robbieblocks.pipeline import Site
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.agenda import Agenda
from robbieblocks.worker.builder import PipelineBuilder
from robbieblocks.worker.connections import (
    LeaderLock,
    Listener,
    Liveness,
    QueryWatchdog,
    WorkerDatabase,
)
from robbieblocks.worker.drift import Drifts, watched
from robbieblocks.worker.freeze_telling import freezes_told
from robbieblocks.worker.health import Health, HealthServer
from robbieblocks.worker.log import Log, records_logged
from robbieblocks.worker.loop import Loop
from robbieblocks.worker.shutdown import ForcedStop, Shutdown
from robbieblocks.worker.supervisor import supervised
from robbieblocks.worker.systemd import Notifier
from robbieblocks.worker.telling import telling
from robbieblocks.worker.timing import Timing

if TYPE_CHECKING:
    from robbieblocks.worker.bucket_thread import BucketThread

_JOIN_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What an operator chooses.

    `health` is where health requests are answered (HOST:PORT). None means 127.0.0.1 and the default
    port, or any free one where that is taken; an empty string means nowhere. `create_root` and
    `adopt` hold for the start: the site root may be made where it is missing, or taken over from
    another database.
    """

    node: str
    health: str | None = None
    create_root: bool = False
    adopt: bool = False
    timing: Timing = field(default_factory=Timing)


def run(settings: Settings, options: Options, log: Log) -> None:
    """Work until SIGTERM or SIGINT.

    Raises DatabaseUnavailable if the database can't be reached at the start, and UsageError if the
    node is not known then, or the site root is another database's. After that nothing but a signal
    ends it.
    """
    log = log.bind(node=options.node)
    wake, stopped = threading.Event(), threading.Event()
    notifier = Notifier.from_environment()
    with ExitStack() as stack:
        stack.enter_context(records_logged(log))
        stack.enter_context(Shutdown(stopped, wake, options.timing.grace_s).signals())
        worker = _assemble(settings, options, log, wake, stopped)
        stack.callback(worker.close)
        try:
            worker.start(options.health)
            stack.enter_context(telling(settings, options.node, worker.loop.health.events, log))
            root = worker.database.site_root
            stack.enter_context(freezes_told(settings, root, worker.loop.health, log))
            stack.enter_context(supervised(worker.watchdog, worker.loop.health, notifier))
            interval_s = options.timing.reconcile_interval_s
            stack.enter_context(watched(worker.drifts, root, interval_s))
            notifier.send("READY=1", f"STATUS=worker for {options.node}")
            worker.loop.run()
        except ForcedStop:
            log.warning("worker.cut_short", why="the grace time was over before the build was")
        finally:
            stopped.set()
            notifier.send("STOPPING=1")
        log.info("worker.stopped")


def check_node(connection: Connection, node: str) -> None:
    """Raise UsageError for a node that the database does not have."""
    known = sorted(each.id for each in snapshot.nodes(connection))
    if node not in known:
        raise UsageError(
            f"there is no node {node!r} in robbieblocks_node_branding "
            f"(known: {', '.join(known) or 'none yet'}): insert its row, or name another"
        )


@dataclass(slots=True)
class _Worker:
    """The parts of a worker that are started and closed."""

    watchdog: QueryWatchdog
    listener: Listener
    database: WorkerDatabase
    builder: PipelineBuilder
    loop: Loop
    drifts: Drifts
    bucket: BucketThread | None = None
    _health_server: HealthServer | None = None

    def start(self, health_address: str | None) -> None:
        """Connect, listen, answer health requests. Raises DatabaseUnavailable and UsageError."""
        check_node(self.database.connect(), self.database.node)
        with contextlib.suppress(SiteUnavailable):
            self.database.claim_site_root()
        self.listener.start()
        if health_address != "":
            self._health_server = HealthServer.open(self.loop.health, health_address)
        if self.bucket is not None:
            self.bucket.start()
        address = self._health_server.address if self._health_server else "off"
        root = str(self.database.site_root.path)
        self.loop.log.info("worker.started", health=address, site_root=root)

    def close(self) -> None:
        """Close every part; child processes first. `stopped` must be set."""
        self.builder.close()
        self.listener.join(_JOIN_S)
        if self.bucket is not None:
            self.bucket.join(_JOIN_S)
        self.database.close()
        if self._health_server:
            self._health_server.close()


def _assemble(
    settings: Settings,
    options: Options,
    log: Log,
    wake: threading.Event,
    stopped: threading.Event,
) -> _Worker:
    """All parts of a worker; nothing is opened or started yet."""
    node, timing = options.node, options.timing
    health = Health(node=node, timing=timing, liveness=Liveness())
    watchdog = QueryWatchdog(timing.query_timeout_s, log)
    site_root = SiteRoot.of(settings)
    open_connection = partial(_open_connection, settings, node, watchdog)
    work = WorkerDatabase(
        node=node,
        site_root=site_root,
        open_connection=open_connection,
        leader_lock=LeaderLock(site_root, node),
        log=log,
        create_root=options.create_root,
        adopt=options.adopt,
    )
    listener = Listener(
        open_connection=open_connection,
        liveness=health.liveness,
        wake=wake,
        stopped=stopped,
        timing=timing,
        log=log,
    )
    drifts = Drifts(node=node, settings=settings, health=health, log=log)
    builder = PipelineBuilder(
        node=node,
        settings=settings,
        site=Site(
            root=site_root,
            addresses=settings.addresses,
            freeze_windows=settings.freeze_windows,
        ),
        connect=work.connect,
        on_phase=health.begin_phase,
        log=log,
        drifts=drifts,
        on_shared_cache=health.count_shared_cache,
        on_ready=wake.set,
        stopped=stopped,
    )
    loop = Loop(
        database=work,
        builder=builder,
        agenda=Agenda(timing=timing, jitter=random.SystemRandom().random),
        health=health,
        log=log,
        wake=wake,
        stopped=stopped,
        ready_apps=builder.ready_apps,
    )
    bucket = None
    if settings.bucket is not None and settings.bucket.has(node):
        # Imported only where there is a bucket: its packages take time and memory.
        from robbieblocks.worker.bucket_thread import open_bucket_thread

        bucket = open_bucket_thread(
            settings, node, work.leader_lock, site_root, health=health, log=log, stopped=stopped
        )
        loop.on_built = bucket.built
    return _Worker(watchdog, listener, work, builder, loop, drifts, bucket)


def _open_connection(
    settings: Settings, node: str, watchdog: QueryWatchdog, name: str
) -> Connection:
    """A watched connection, whose purpose, process and node pg_stat_activity shows."""
    connection = database.connect(settings, application_name=record.session_name(name, node))
    watchdog.watch(name, connection)
    return connection
