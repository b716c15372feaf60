"""The loop: clear the flag, look, build what is due, wait.

It holds no truth: what is due follows from the queue, the calendar and what is live, so that a
lost notification, a crash or a restart costs time and never a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from robbieblocks.errors import DatabaseUnavailable, RobbieBlocksError, Transient
from robbieblocks.worker.agenda import Agenda, Job
from robbieblocks.worker.connections.retry import connect_with_retry
from robbieblocks.worker.health.state import Health, State
from robbieblocks.worker.log import Log
from robbieblocks.worker.ports import Builder, BuildResult, Database
from robbieblocks.worker.timing import Timing


@dataclass(slots=True, kw_only=True)
class Loop:
    """One worker's loop. `wake` is set by whoever has news; `stopped` ends it."""

    database: Database
    builder: Builder
    agenda: Agenda
    timing: Timing
    health: Health
    log: Log
    wake: threading.Event
    stopped: threading.Event
    jitter: Callable[[], float]
    hearing: Callable[[], bool] = lambda: True
    monotonic: Callable[[], float] = time.monotonic
    today: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    built: Callable[[Job, BuildResult, float], None] = lambda _job, _built, _seconds: None
    _connected: bool = False
    _said: str = ""

    def run(self) -> None:
        """Work until `stopped`. Whatever goes wrong is logged and tried again."""
        while not self.stopped.is_set():
            self.turn()
        self.health.state = "stopping"

    def turn(self) -> None:
        """Once round: at most one build, then a wait if nothing is due."""
        # Cleared before the look: what is committed after it sets the flag again.
        self.wake.clear()
        self.health.tick()
        try:
            worked = self._work()
        except DatabaseUnavailable as error:
            self._lost(error)
            self._reconnect()
            return
        except RobbieBlocksError as error:
            self._state("unreachable", str(error))
            worked = False
        if not worked:
            self.wake.wait(self._patience())

    def _work(self) -> bool:
        self.database.connect()
        self._connected = True
        if not self.database.may_work():
            self._state("standby", "another worker has this node")
            return False
        waiting = self.database.look(self.agenda.partial)
        self.health.looks += 1
        self.health.waiting = waiting.count
        self.health.oldest_waiting = waiting.oldest
        if waiting.apps is None:
            self._state("unknown node", "robbieblocks_node_branding has no row for this node")
        else:
            if self.health.state != "active":
                # Whatever happened while this worker could not work is found by looking at it all.
                self.agenda.reconcile_now()
            self._state("active", "")
        self.agenda.saw(waiting, self.monotonic())
        job = self.agenda.next(self.monotonic(), self.today())
        if job is None:
            return False
        self._build(job)
        return True

    def _build(self, job: Job) -> None:
        began = self.monotonic()
        self.health.begin(f"build {', '.join(job.apps)}")
        try:
            built = self.builder.build(job, self.agenda.partial)
        except DatabaseUnavailable:
            # No app is at fault: the job stays due, for when the database answers again.
            raise
        except RobbieBlocksError as error:
            self._failed(job, error)
            self.agenda.done(job, self.monotonic(), failed=job.apps)
        except Exception:
            # A fault of ours in one app must not stop the others.
            self.log.exception("build.broken", apps=job.apps)
            self.agenda.done(job, self.monotonic(), failed=job.apps)
        else:
            failed = {run.app for run in built.runs if run.transient}
            now = self.monotonic()
            self.agenda.done(job, now, failed=failed, boundaries=built.boundaries)
            self.agenda.remember(built.unanswered, set(job.apps) - failed)
            self.built(job, built, now - began)
        finally:
            self.health.end()
            self.health.troubled = self.agenda.troubled
            if self.agenda.started and not self.health.reconciled:
                self.log.info("worker.reconciled")
            self.health.reconciled = self.agenda.started

    def _failed(self, job: Job, error: RobbieBlocksError) -> None:
        say = self.log.warning if isinstance(error, Transient) else self.log.error
        say("build.failed", apps=job.apps, reason=job.reason, error=str(error))

    def _lost(self, error: DatabaseUnavailable) -> None:
        self.database.drop()
        self._connected = False
        self._state("unreachable", str(error))

    def _reconnect(self) -> None:
        def pause(seconds: float) -> None:
            self.wake.wait(seconds)
            self.wake.clear()
            self.health.tick()

        def failed(error: Transient, attempt: int) -> None:
            self.database.drop()
            self._state("unreachable", str(error))
            self.log.debug("database.unreachable", attempt=attempt, error=str(error))

        try:
            connect_with_retry(
                self.database.connect,
                longest=self.timing.reconnect_max_s,
                pause=pause,
                stopped=self.stopped.is_set,
                failed=failed,
            )
        except RobbieBlocksError as error:
            if not self.stopped.is_set():
                self._state("unreachable", str(error))
                self.wake.wait(self.timing.poll_interval_s)
            return
        self.health.reconnects += 1
        self.agenda.hurry()
        self.log.info("database.connected")

    def _patience(self) -> float:
        """How long to wait when nothing calls: to the next thing planned, or the poll floor."""
        floor = (
            self.timing.poll_interval_s if self.hearing() else self.timing.poll_without_listener_s
        )
        floor *= 0.8 + 0.4 * self.jitter()
        if self.health.state != "active":
            return min(floor, self.timing.poll_without_listener_s)
        return min(floor, self.agenda.idle_for(self.monotonic(), self.today()))

    def _state(self, state: State, why: str) -> None:
        """Change state, and say so once."""
        if state != self.health.state or why != self._said:
            say = self.log.info if state in ("active", "standby") else self.log.warning
            say("worker.state", state=state, before=self.health.state, why=why)
        self.health.state, self._said = state, why
