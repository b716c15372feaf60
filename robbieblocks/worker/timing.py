"""The worker's intervals, pauses and timeouts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All times of a worker, in seconds.

    A change that arrives after a quiet period is built at once. Changes that arrive during a build,
    or within `quiet_s` of its end, are collected: the next build starts when none has arrived for
    `quiet_s`, and at the latest `max_wait_s` after the first of them.
    """

    quiet_s: float = 0.05
    max_wait_s: float = 0.5
    # The queue is read at least this often: seldom while notifications arrive, often otherwise.
    poll_interval_s: float = 5.0
    poll_without_listener_s: float = 1.0
    reconcile_interval_s: float = 300.0
    ping_interval_s: float = 10.0
    # A ping that does not come back within this time means that notifications don't arrive.
    ping_timeout_s: float = 5.0
    heartbeat_interval_s: float = 10.0
    # An unfinished run without a heartbeat for this long is closed by any worker.
    lease_s: float = 60.0
    retry_first_s: float = 0.5
    retry_max_s: float = 60.0
    reconnect_max_s: float = 5.0
    query_timeout_s: float = 15.0
    # A build that takes longer counts as stuck (/healthz, systemd's watchdog).
    build_timeout_s: float = 600.0
    # How long a running build may go on after SIGTERM.
    grace_s: float = 20.0
