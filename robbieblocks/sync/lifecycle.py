"""Starting a sync, running it, and ending it in order.

The threads of its process:

    main        `Loop` on a node, `MasterLoop` on the master: owns every connection
    supervisor  `supervised`: ends hanging queries, reports progress to systemd
    health      `HealthServer`, where an address is wanted
    shutdown    `Shutdown`: sets `stopped` after a signal

Beside a worker (`beside`), the loop is a thread of the worker's process.
"""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Final

from robbieblocks.errors import DatabaseUnavailable, RobbieBlocksError
from robbieblocks.settings import Settings
from robbieblocks.sync import master_watch
from robbieblocks.sync.health import SyncHealth
from robbieblocks.sync.loop import Loop
from robbieblocks.sync.sharing import Sharing
from robbieblocks.sync.timing import SyncTiming, timing_of
from robbieblocks.worker import (
    ForcedStop,
    HealthServer,
    Log,
    Notifier,
    QueryWatchdog,
    Shutdown,
    supervised,
)

DEFAULT_PORT: Final = 9465
_JOIN_S: Final = 5.0
# Rounds of a comparison report progress; a single query may take the query timeout.
_STUCK_AFTER_QUERIES: Final = 3
_CALM_ROUNDS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncOptions:
    """What an operator chooses. `health` is HOST:PORT, None for the usual port, "" for nowhere."""

    node: str
    health: str | None = None


class MasterLoop(Loop):
    """The loop on the master: tends what is kept there, and says which nodes are missing."""

    def _work(self) -> float:
        self._woken.clear()
        own = self._connected()
        if not own.lead(self.node):
            return self._set_state("standby", "another sync has this node", self.timing.poll_s)
        master_watch.tend(own, self.timing.interval_s)
        sharing = Sharing.of(self.settings)
        sharing.tend(own)
        found = master_watch.findings(master_watch.nodes(own))
        advised = master_watch.advice(own)
        if advised:
            found["settings"] = "; ".join(advised)
        if sharing.why:
            found["cache"] = sharing.why
        for topic, what in found.items():
            if self.health.findings_now.get(topic) != what:
                self.log.warning("sync.finding", topic=topic, what=what)
        self.health.findings_now = found
        self.health.reconciled()
        return self._set_state("active", "", min(self.timing.interval_s, self.timing.poll_s * 6))


def run(settings: Settings, options: SyncOptions, log: Log) -> None:
    """Sync until SIGTERM or SIGINT.

    Raises DatabaseUnavailable where the node's own database can't be reached at the start, and
    UsageError where it takes no part in a sync. After that nothing but a signal ends it: the master
    may be away for days.
    """
    log = log.bind(node=options.node)
    wake, stopped = threading.Event(), threading.Event()
    notifier = Notifier.from_environment()
    timing = timing_of(settings)
    with ExitStack() as stack:
        stack.enter_context(Shutdown(stopped, wake, timing.grace_s).signals())
        watchdog = _watchdog(timing, log)
        loop = _loop(settings, options.node, log, stopped, timing, watchdog)
        stack.callback(loop.close)
        address = _answering(stack, loop.health, options.health)
        stack.enter_context(supervised(watchdog, loop.health, notifier))
        log.info("sync.started", health=address)
        notifier.send("READY=1", f"STATUS=sync for {options.node}")
        try:
            loop.run()
        except ForcedStop:
            log.warning("sync.cut_short", why="the grace time was over before the round was")
        finally:
            stopped.set()
            notifier.send("STOPPING=1")
        log.info("sync.stopped")


@contextmanager
def beside(
    settings: Settings,
    node: str,
    log: Log,
    *,
    timing: SyncTiming | None = None,
    health: str | None = "",
) -> Generator[SyncHealth]:
    """Within the block, a thread of this process syncs the node. Raises as `run`.

    `health` is that of `SyncOptions`: the sync has an address of its own, where it has one.
    """
    log = log.bind(node=node)
    stopped = threading.Event()
    timing = timing or timing_of(settings)
    watchdog = _watchdog(timing, log)
    loop = _loop(settings, node, log, stopped, timing, watchdog)
    with ExitStack() as stack:
        stack.callback(loop.close)
        address = _answering(stack, loop.health, health)
        stack.enter_context(supervised(watchdog, loop.health, Notifier("", None)))
        thread = threading.Thread(target=loop.run, name="sync", daemon=True)
        thread.start()
        log.info("sync.started", health=address)
        try:
            yield loop.health
        finally:
            stopped.set()
            thread.join(_JOIN_S)


def _answering(stack: ExitStack, health: SyncHealth, wanted: str | None) -> str:
    """Answer health requests until the stack is closed; where, or `off`. Raises UsageError."""
    if wanted == "":
        return "off"
    server = HealthServer.open(health, wanted, default_port=DEFAULT_PORT)
    stack.callback(server.close)
    return server.address


def _watchdog(timing: SyncTiming, log: Log) -> QueryWatchdog:
    return QueryWatchdog(
        timing.query_timeout_s,
        log,
        longest_s=timing.query_longest_s,
        # What takes long may be asked once in several rounds: each compares some of the tables.
        calm_s=max(timing.query_longest_s, _CALM_ROUNDS * timing.interval_s),
    )


def _loop(
    settings: Settings,
    node: str,
    log: Log,
    stopped: threading.Event,
    timing: SyncTiming,
    watchdog: QueryWatchdog,
) -> Loop:
    """The loop for what the database is, connected to it. Raises as `run`."""
    health = SyncHealth(node=node, progress_timeout_s=_STUCK_AFTER_QUERIES * timing.query_timeout_s)
    watchdog.moved = health.tick

    def made(kind: type[Loop]) -> Loop:
        return kind(
            settings=settings,
            node=node,
            health=health,
            log=log,
            stopped=stopped,
            timing=timing,
            watch=watchdog.watch,
        )

    loop = made(Loop)
    try:
        found = loop.start()
    except (RobbieBlocksError, DatabaseUnavailable):
        loop.close()
        raise
    if not found.is_master:
        return loop
    loop.close()
    return made(MasterLoop)
