"""The main loop: clear the flag, read the queue, build what is due, wait.

It keeps nothing that could not be lost: what is due follows from the queue, the calendar and what
is live. A lost notification, a crash or a restart costs time and never a change.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from robbieblocks.errors import DatabaseUnavailable, RobbieBlocksError, SchemaIncomplete, Transient
from robbieblocks.worker.agenda import Agenda, Job
from robbieblocks.worker.connections import connect_with_retry
from robbieblocks.worker.health import Health, State
from robbieblocks.worker.log import Log
from robbieblocks.worker.ports import Builder, BuildResult, Database


@dataclass(slots=True, kw_only=True)
class Loop:
    """The loop of one worker. `wake` ends its wait; `stopped` ends the loop.

    `ready_apps` are to be built without a change: of each an index for search was made since.
    """

    database: Database
    builder: Builder
    agenda: Agenda
    health: Health
    log: Log
    wake: threading.Event
    stopped: threading.Event
    monotonic: Callable[[], float] = time.monotonic
    on_built: Callable[[BuildResult], None] = lambda _result: None
    ready_apps: Callable[[], Iterable[str]] = frozenset[str]
    today: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    _polls: bool = False

    def run(self) -> None:
        """Work until `stopped` is set. Every error is logged, and the work tried again."""
        while not self.stopped.is_set():
            self.run_once()
        self.health.state = "stopping"

    def run_once(self) -> None:
        """One round: at most one build, or a wait if nothing is due."""
        # Cleared before the queue is read: what is committed afterwards sets it again.
        self.wake.clear()
        self.health.tick()
        try:
            worked = self._work()
        except DatabaseUnavailable as error:
            self.database.disconnect()
            self._set_state("unreachable", str(error))
            self._reconnect()
            return
        except (RobbieBlocksError, OSError) as error:
            # Whatever the system refuses, wherever it was asked: it is asked again.
            self._set_state("unreachable", str(error))
            worked = False
        if not worked:
            self._polls = not self.wake.wait(self._wait_s())

    def _work(self) -> bool:
        """Read the queue and build what is due; whether there was anything to build."""
        self.database.connect()
        if not self.database.is_leader():
            self._set_state("standby", "another worker has this node")
            return False
        if self.health.state != "active":
            # Not with each edit: a build that reads all rows looks, too.
            self.database.check_schema()
        waiting = self.database.read_queue(self.agenda.partial.keys())
        self.health.queue_read(waiting)
        if waiting.apps is None:
            self._set_state("unknown node", "robbieblocks_node_branding has no row for this node")
        else:
            if self.health.state != "active":
                # Examining every app finds whatever happened while this worker could not work.
                self.agenda.reconcile_now()
            self._set_state("active", "")
        self.agenda.update(waiting, self.monotonic())
        self.agenda.build_now(self.ready_apps(), self.today())
        job = self.agenda.next_job(self.monotonic(), self.today())
        if job is None:
            if self._polls:
                # Not with each notification: only a node that was deleted leaves such rows.
                self.database.mark_processed()
            return False
        self._build(job)
        return True

    def _build(self, job: Job) -> None:
        began = self.monotonic()
        self.health.begin_phase(f"build {', '.join(job.apps)}")
        try:
            result = self.builder.build(job, self.agenda.partial)
        except (DatabaseUnavailable, SchemaIncomplete):
            # No app has failed: the job stays due until the database is whole and answers again.
            raise
        except RobbieBlocksError as error:
            log = self.log.warning if isinstance(error, Transient) else self.log.error
            log("build.failed", apps=job.apps, reason=job.reason, error=str(error))
            self.health.errors |= dict.fromkeys(job.apps, str(error))
            self.agenda.job_ended(job, self.monotonic(), failed=job.apps)
        except Exception:
            # A bug that one app runs into must not stop the others.
            self.log.exception("build.broken", apps=job.apps)
            self.health.errors |= dict.fromkeys(job.apps, "a fault of the program: see its log")
            self.agenda.job_ended(job, self.monotonic(), failed=job.apps)
        else:
            self._built(job, result, self.monotonic() - began)
        finally:
            self.health.end_phase()
            self.health.retrying = self.agenda.retrying
            if self.agenda.reconciled_once and not self.health.reconciled:
                # Whoever reads of it in the log finds it ready.
                self.health.reconciled = True
                self.log.info("worker.reconciled")

    def _built(self, job: Job, result: BuildResult, seconds: float) -> None:
        failed = {run.app for run in result.runs if run.transient}
        self.agenda.job_ended(job, self.monotonic(), failed=failed, boundaries=result.boundaries)
        waiting = {run.app for run in result.runs if run.waits}
        built = set(job.apps) - failed - waiting
        self.agenda.rows_handled(result.unacknowledged, built, waiting, result.behind)
        self.health.build_finished(job, result, seconds)
        self.on_built(result)

    def _reconnect(self) -> None:
        try:
            connect_with_retry(
                self.database.connect,
                max_pause_s=self.agenda.timing.reconnect_max_s,
                pause=self._pause,
                stopped=self.stopped.is_set,
                on_failure=self._connect_failed,
            )
        except RobbieBlocksError as error:
            if not self.stopped.is_set():
                self._set_state("unreachable", str(error))
                self.wake.wait(self.agenda.timing.poll_interval_s)
            return
        self.health.reconnects += 1
        self.agenda.retry_now()
        self.log.info("database.connected")

    def _pause(self, seconds: float) -> None:
        self.wake.wait(seconds)
        self.wake.clear()
        self.health.tick()

    def _connect_failed(self, error: Transient, _attempt: int) -> None:
        self.database.disconnect()
        self._set_state("unreachable", str(error))

    def _wait_s(self) -> float:
        """How long to wait for a notification: until the next job is due, or the next poll."""
        timing = self.agenda.timing
        poll_s = (
            timing.poll_interval_s if self.health.liveness.live else timing.poll_without_listener_s
        )
        poll_s *= 0.8 + 0.4 * self.agenda.jitter()
        if self.health.state != "active":
            return min(poll_s, timing.poll_without_listener_s)
        return min(poll_s, self.agenda.seconds_until_due(self.monotonic(), self.today()))

    def _set_state(self, state: State, reason: str) -> None:
        """Change the state; logged only if the state or its reason is a new one."""
        before, why = self.health.state, self.health.why
        self.health.state, self.health.why = state, reason
        if state != before or reason != why:
            log = self.log.info if state in ("active", "standby") else self.log.warning
            log("worker.state", state=state, before=before, why=reason)
