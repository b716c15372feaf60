"""How often, how long and how patiently: the worker's times, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """All times of a worker, in seconds.

    An edit that comes while nothing else happens goes out at once. Edits that come while a build
    runs, or within `quiet_s` of its end, are gathered until none has come for `quiet_s`, at most
    for `max_wait_s`.
    """

    quiet_s: float = 0.05
    max_wait_s: float = 0.5
    poll_interval_s: float = 5.0
    poll_without_listener_s: float = 1.0
    reconcile_interval_s: float = 300.0
    ping_interval_s: float = 10.0
    ping_timeout_s: float = 5.0
    heartbeat_interval_s: float = 10.0
    lease_s: float = 60.0
    retry_first_s: float = 0.5
    retry_max_s: float = 60.0
    reconnect_max_s: float = 5.0
    query_timeout_s: float = 15.0
    build_timeout_s: float = 600.0
    grace_s: float = 20.0
