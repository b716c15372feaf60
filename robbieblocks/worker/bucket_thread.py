"""The thread of a worker that publishes to a bucket what is live.

It compares: what is live with what it published last, after each build and every few seconds, so a
rollback by a command is noticed, too. Builds never wait for it, and what fails is tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from psycopg import Connection

from robbieblocks import bucket, database, record
from robbieblocks.bucket import Publisher
from robbieblocks.database.sessions import Session
from robbieblocks.errors import RobbieBlocksError, UsageError
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings
from robbieblocks.worker.connections import LeaderLock
from robbieblocks.worker.health import Health
from robbieblocks.worker.log import Log
from robbieblocks.worker.ports import BuildResult

_POLL_S: Final = 5.0
_FIRST_RETRY_S: Final = 1.0
_LONGEST_RETRY_S: Final = 300.0
# Every object is looked for, and what nobody names is removed.
_VERIFY_EVERY_S: Final = 3600.0
_GOOD: Final = ("published", "unchanged")


@dataclass(slots=True, kw_only=True)
class BucketThread:
    """Publishes one node while its worker is active. `connect` opens a connection of its own.

    `_settled` are the apps that a build of this term brought up to date, and the session of that
    term: a worker whose site root is older than the bucket takes over only once it has built.
    """

    publisher: Publisher
    leader_lock: LeaderLock
    connect: Callable[[], Connection]
    health: Health
    log: Log
    stopped: threading.Event
    monotonic: Callable[[], float] = time.monotonic
    _wake: threading.Event = field(default_factory=threading.Event)
    _settled: tuple[Session | None, frozenset[str]] = (None, frozenset())
    _published: Mapping[str, str] | None = None
    _verified_at: float = 0.0
    _retry_at: float = 0.0
    _retry_s: float = 0.0
    _error: str = ""
    _thread: threading.Thread | None = None

    def __post_init__(self) -> None:
        self.publisher.may_take_over = self._may_take_over
        self.publisher.go_on = lambda: not self.stopped.is_set()
        self._verified_at = self.monotonic()

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name="bucket", daemon=True)
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for it to end, once `stopped` is set."""
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def built(self, result: BuildResult) -> None:
        """Note that a build ended. Called by the main thread."""
        session = self.leader_lock.session
        good = {run.app for run in result.runs if run.outcome in _GOOD and not run.waits}
        before, apps = self._settled
        self._settled = (session, frozenset(good | apps if session == before else good))
        self._wake.set()

    def publish_what_is_due(self) -> None:
        """Publish, if what is live was not published yet and no pause is to be made."""
        now = self.monotonic()
        if self.health.state != "active" or now < self._retry_at:
            return
        verify = now - self._verified_at >= _VERIFY_EVERY_S
        try:
            builds = bucket.live_builds(self.publisher.site_root, self.publisher.node)
            if not builds or (builds == self._published and not verify):
                return
            self._publish(verify=verify)
        except RobbieBlocksError as error:
            self._failed(error)
        except Exception:
            # A bug in it must not end the thread: it would never publish again.
            self.log.exception("bucket.broken")
            self._pause()

    def _run(self) -> None:
        while not self.stopped.is_set():
            self.publish_what_is_due()
            until_retry_s = self._retry_at - self.monotonic()
            self._wake.wait(until_retry_s if 0 < until_retry_s < _POLL_S else _POLL_S)
            self._wake.clear()

    def _publish(self, *, verify: bool) -> None:
        began = self.monotonic()
        done = self.publisher.push(verify=verify)
        removed = 0
        if verify:
            removed = self.publisher.prune()
            self._verified_at = began
        if done.swapped or done.objects or removed or self._error:
            self.log.info(
                "bucket.published",
                bucket=str(self.publisher.bucket.address),
                builds=dict(done.builds),
                objects=done.objects,
                bytes=done.size_bytes,
                removed=removed,
                taken_over=done.taken_over,
                ms=round(1000 * (self.monotonic() - began)),
            )
        self._published = done.builds
        self._error, self._retry_s, self._retry_at = "", 0.0, 0.0

    def _failed(self, error: RobbieBlocksError) -> None:
        self._published = None
        self._pause()
        if self.stopped.is_set() or str(error) == self._error:
            return
        self._error = str(error)
        write = self.log.error if isinstance(error, UsageError) else self.log.warning
        write("bucket.failed", error=str(error), retry_s=self._retry_s)

    def _pause(self) -> None:
        self._retry_s = min(max(2 * self._retry_s, _FIRST_RETRY_S), _LONGEST_RETRY_S)
        self._retry_at = self.monotonic() + self._retry_s

    def _may_take_over(self) -> bool:
        """Whether this worker has the node, by the server's word, and has built all that is live.

        Through a pooler nobody can tell: then a person decides.
        """
        session, apps = self._settled
        live = bucket.live_builds(self.publisher.site_root, self.publisher.node)
        if session is None or self.health.state != "active" or not set(live) <= apps:
            return False
        with self.connect() as connection:
            return self.leader_lock.is_held(connection, session)


def open_bucket_thread(
    settings: Settings,
    node: str,
    leader_lock: LeaderLock,
    site_root: SiteRoot,
    *,
    health: Health,
    log: Log,
    stopped: threading.Event,
) -> BucketThread:
    """The thread for a node, not started yet. Raises UsageError for a bucket that can't be."""
    if settings.bucket is None:
        raise UsageError(f"no bucket is named for {node}: set bucket.url")
    return BucketThread(
        publisher=bucket.open_publisher(
            settings.bucket, site_root, node, bucket.Telling(settings, site_root, node).tell
        ),
        leader_lock=leader_lock,
        connect=partial(
            database.connect, settings, application_name=record.session_name("bucket", node)
        ),
        health=health,
        log=log,
        stopped=stopped,
    )
