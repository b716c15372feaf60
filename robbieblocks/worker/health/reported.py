"""What a health server and a supervisor ask of the process that they look after."""

from __future__ import annotations

from typing import Protocol

from prometheus_client.registry import Collector


class Reported(Protocol):
    """The state of a long-running process. Any thread may read it."""

    @property
    def node(self) -> str:
        """The node that it works for."""
        ...

    @property
    def stuck(self) -> str:
        """Why it makes no progress; empty while it does. A restart would help."""
        ...

    @property
    def unready(self) -> str:
        """Why its work does not get done now; empty while it does. A restart would not help."""
        ...

    def as_json(self) -> dict[str, object]:
        """The body of /healthz and /readyz."""
        ...

    def metrics(self) -> Collector:
        """What /metrics answers."""
        ...
