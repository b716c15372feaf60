"""How often, how long and how patiently: the worker's times, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """All times of a worker, in seconds.

    An edit that comes while nothing else happens goes out at once. Edits that come while a build
    runs, or within `quiet` of its end, are gathered until none has come for `quiet`, at most for
    `max_wait`.
    """

    quiet: float = 0.05
    max_wait: float = 0.5
    poll: float = 5.0
    poll_deaf: float = 1.0
    reconcile: float = 300.0
    canary: float = 10.0
    canary_patience: float = 5.0
    heartbeat: float = 10.0
    lease: float = 60.0
    retry_first: float = 0.5
    retry_longest: float = 60.0
    reconnect_longest: float = 5.0
    query_longest: float = 15.0
    build_longest: float = 600.0
    grace: float = 20.0
