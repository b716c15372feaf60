"""The loop of a node's sync: send what waits, compare now and then, wait for what comes.

It keeps nothing that could not be lost: what is to be done follows from both databases.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from psycopg import Connection, Notify

from robbieblocks.errors import (
    DatabaseUnavailable,
    MasterUnavailable,
    RightsMissing,
    RobbieBlocksError,
    SchemaOutdated,
    Transient,
    UsageError,
)
from robbieblocks.settings import Settings
from robbieblocks.sync import subscription
from robbieblocks.sync.address import master_address
from robbieblocks.sync.exchange import Exchange
from robbieblocks.sync.health import State, SyncHealth
from robbieblocks.sync.link import MasterLink
from robbieblocks.sync.node import KEYS_CHANNEL, NodeDatabase
from robbieblocks.sync.node_values import Self
from robbieblocks.sync.patience import open_own
from robbieblocks.sync.sharing import Sharing
from robbieblocks.sync.telling import Telling
from robbieblocks.sync.timing import Pauses, SyncTiming
from robbieblocks.worker import Log, connect_with_retry

# How long a wait for a notification takes at most: `stopped` is looked at after it.
_SLICE_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Loop:
    """The sync of one node. `stopped` ends it; `watch` is told of each connection."""

    settings: Settings
    node: str
    health: SyncHealth
    log: Log
    stopped: threading.Event
    timing: SyncTiming
    watch: Callable[[str, Connection], None] = lambda _name, _connection: None
    monotonic: Callable[[], float] = time.monotonic
    _telling: Telling = field(init=False)
    # Either database may answer, and fail each time at what is asked then: its disk is full.
    _pauses: Pauses = field(init=False)
    _own: NodeDatabase | None = None
    _exchange: Exchange | None = None
    _look_at: float = 0.0
    _woken: threading.Event = field(default_factory=threading.Event)
    _connects: int = 0
    _master_spoke: bool = False
    # Notices of nodes whose keys are other ones than before. Where these can't be asked for, the
    # line is lost, and with the next one all keys come.
    _new_keys: set[str] = field(default_factory=set[str])

    def __post_init__(self) -> None:
        self._telling = Telling(self.health, self.log)
        self._pauses = Pauses(self.timing.reconnect_max_s)

    def start(self) -> Self:
        """Connect to the node's database and see which it is.

        Raises DatabaseUnavailable, and UsageError where it takes no part in a sync, or as another.
        """
        own = self._own = self._open_own()
        found = own.self()
        if found is None:
            raise UsageError(
                "this database takes no part in a sync\n"
                f"  -> run `robbieblocks sync join --node {self.node}` first, or `sync "
                "init-master` on the master"
            )
        if found.node != self.node:
            raise UsageError(
                f"this database takes part in the sync as {found.node}, not as {self.node}\n"
                f"  -> name that node, or `robbieblocks sync leave` and join as {self.node}"
            )
        if not found.is_master:
            master_address(self.settings)
        return found

    def run(self) -> None:
        """Work until `stopped` is set. Every error is logged, and the work tried again."""
        while not self.stopped.is_set():
            self.run_once()
        self.health.state = "stopping"
        self.close()

    def run_once(self) -> None:
        """One round, then a wait."""
        self.health.tick()
        try:
            pause_s = self._work()
        except MasterUnavailable as error:
            self._lose_master()
            pause_s = self._set_state("cut off", str(error), self._pauses.next_s())
        except SchemaOutdated as error:
            pause_s = self._set_state("behind", str(error), self.timing.refused_s)
            self._hold_subscription()
            self._look_at = 0.0
        except DatabaseUnavailable as error:
            self.close()
            pause_s = self._set_state("unreachable", str(error), self._pauses.next_s())
        except RightsMissing as error:
            self._lose_master()
            pause_s = self._set_state("refused", str(error), self.timing.refused_s)
        except RobbieBlocksError as error:
            self.close()
            pause_s = self._set_state("unreachable", str(error), self.timing.refused_s)
        except Exception:
            # A bug must not end what everything else waits for.
            self.log.exception("sync.broken")
            self.close()
            pause_s = self._set_state(
                "unreachable", "a fault of the program: see its log", self.timing.refused_s
            )
        self._wait(pause_s)

    def close(self) -> None:
        """Close both connections."""
        self._lose_master()
        if self._own is not None:
            self._own.close()
            self._own = None

    def _work(self) -> float:
        """One round; how long to wait after it."""
        self._woken.clear()
        own = self._connected()
        found = own.self()
        if found is None:
            return self._set_state("refused", "the database has left the sync", self.timing.poll_s)
        if not own.lead(self.node):
            return self._set_state("standby", "another sync has this node", self.timing.poll_s)
        if found.paused_at is not None:
            self._lose_master()
            self._hold_subscription()
            self.health.outbox = own.outbox()
            self._look_at = 0.0
            since = f"{found.paused_at:%Y-%m-%d %H:%M}"
            return self._set_state(
                "paused", f"since {since}: `robbieblocks sync resume`", self.timing.poll_s
            )
        exchange = self._exchange or self._connect_master(own)
        if exchange is None:
            return 0.0
        if self._master_spoke:
            self._master_spoke = False
            exchange.link.heed()
        if self.monotonic() >= self._look_at:
            exchange.look()
            self._look_at = self.monotonic() + self.timing.interval_s
            self._set_state("active", "", 0.0)
        # Before what waits is sent: who is locked out is believed no more, whatever else there is.
        changed, self._new_keys = self._new_keys, set()
        exchange.sharing.renew(changed, exchange.link.keys_of)
        sent = exchange.push()
        more = False if exchange.way.streams else exchange.way.receive()
        self._pauses.begin_anew()
        if sent or more:
            return 0.0
        self.health.outbox = own.outbox()
        self._set_state("active", "", 0.0)
        return min(self.timing.poll_s, max(0.0, self._look_at - self.monotonic()))

    def _connected(self) -> NodeDatabase:
        if self._own is None or self._own.connection.closed:
            self._own = connect_with_retry(
                self._open_own,
                max_pause_s=self.timing.reconnect_max_s,
                pause=self.stopped.wait,
                stopped=self.stopped.is_set,
                on_failure=self._own_failed,
            )
        return self._own

    def _open_own(self) -> NodeDatabase:
        return open_own(
            self.settings, self.node, lambda made: self.watch("own", made), self._notified
        )

    def _notified(self, notice: Notify) -> None:
        if notice.channel == KEYS_CHANNEL:
            self._new_keys.add(notice.payload)
        self._woken.set()

    def _own_failed(self, error: Transient, _attempt: int) -> None:
        self.health.tick()
        self._set_state("unreachable", str(error), 0.0)

    def _connect_master(self, own: NodeDatabase) -> Exchange | None:
        """Connect, waiting longer after each failure; None where the sync is paused or stopped."""
        is_paused = False

        def failed(error: Transient, _attempt: int) -> None:
            nonlocal is_paused
            self.health.tick()
            own.cut_off()
            self.health.outbox = own.outbox()
            found = own.self()
            is_paused = found is None or found.paused_at is not None
            self._set_state("cut off", str(error), 0.0)

        try:
            link = connect_with_retry(
                lambda: MasterLink.open(self.settings, self.node, self.watch),
                max_pause_s=self.timing.reconnect_max_s,
                pause=self.stopped.wait,
                stopped=lambda: self.stopped.is_set() or is_paused,
                on_failure=failed,
            )
        except MasterUnavailable:
            if self.stopped.is_set() or is_paused:
                return None
            raise
        link.connection.add_notify_handler(lambda _notice: self._woken.set())
        self._exchange = Exchange(
            node=own,
            link=link,
            address=master_address(self.settings),
            settings=self.settings.sync,
            health=self.health,
            log=self.log,
            sharing=Sharing.of(self.settings),
        )
        if self._connects:
            self.health.reconnects += 1
            # What happened while it was cut off is found now, and not in five minutes.
            self._look_at = 0.0
        self._connects += 1
        return self._exchange

    def _lose_master(self) -> None:
        self._master_spoke = False
        if self._exchange is not None:
            self._exchange.link.close()
            self._exchange = None
            if self._own is not None:
                self._own.cut_off()

    def _hold_subscription(self) -> None:
        """Have nothing come down that this database must not merge now."""
        own = self._own
        if own is None:
            return
        # Where the node's own database is lost, the next round finds that out.
        with suppress(RobbieBlocksError):
            state = subscription.state(own)
            if state is not None and state.is_enabled:
                subscription.set_enabled(own, enabled=False)

    def _set_state(self, state: State, why: str, pause_s: float) -> float:
        self._telling.now(state, why, self._own)
        return pause_s

    def _wait(self, seconds: float) -> None:
        """Wait for a notification of either database, for `stopped`, or for the time to be over."""
        deadline = self.monotonic() + seconds
        while not self.stopped.is_set() and not self._woken.is_set():
            left = deadline - self.monotonic()
            if left <= 0 or self._arrived(min(left, _SLICE_S)):
                return
            self.health.tick()

    def _arrived(self, seconds: float) -> bool:
        connections = [self._own.connection] if self._own is not None else []
        if self._exchange is not None:
            connections.append(self._exchange.link.connection)
        sockets = {each.fileno(): each for each in connections if not each.closed}
        if not sockets:
            return self.stopped.wait(seconds)
        readable = select.select(sockets, [], [], seconds)[0]
        # The own database is asked in every round, the master only now and then: the end of its
        # line would be readable for ever.
        self._master_spoke = self._exchange is not None and any(
            sockets[each] is self._exchange.link.connection for each in readable
        )
        return bool(readable)
