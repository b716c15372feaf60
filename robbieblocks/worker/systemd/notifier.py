"""Notifications to systemd: sd_notify(3) and sd_watchdog_enabled(3)."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Self

_SEND_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends states to the service manager; does nothing where there is none.

    `watchdog_s` is the time within which systemd expects `WATCHDOG=1`, or None.
    """

    address: str
    watchdog_s: float | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        watchdog_s = None
        # Another pid: the watchdog is meant for a process that started this one.
        if environment.get("WATCHDOG_PID", "") in ("", str(os.getpid())):
            with suppress(ValueError):
                watchdog_s = int(environment.get("WATCHDOG_USEC", "")) / 1_000_000 or None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    def send(self, *states: str) -> None:
        """Send states such as `READY=1`. A manager that does not listen is no error."""
        if not self.address:
            return
        # A leading @ stands for the NUL of an abstract socket (unix(7)).
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            # The queue of a manager that does not read fills up, and must not hold up the worker.
            manager.settimeout(_SEND_TIMEOUT_S)
            manager.connect(address)
            manager.send("\n".join(states).encode())
