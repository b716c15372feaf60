"""Running a worker under systemd: its notifications (sd_notify(3)), and a unit file."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final, Self

from robbieblocks.messages import visible_line

_SEND_TIMEOUT_S: Final = 1.0
# On SIGTERM a worker needs its grace time, and a little more to end.
_STOP_MARGIN_S: Final = 10


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends states to the service manager (sd_notify(3)); does nothing where there is none.

    `watchdog_s` is the time within which systemd expects `WATCHDOG=1`, or None.
    """

    address: str
    watchdog_s: float | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID (sd_watchdog_enabled(3))."""
        watchdog_s = None
        # Another pid: the watchdog is meant for a process that started this one.
        if environment.get("WATCHDOG_PID", "") in ("", str(os.getpid())):
            with suppress(ValueError):
                watchdog_s = int(environment.get("WATCHDOG_USEC", "")) / 1_000_000 or None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog_s)

    def send(self, *states: str) -> None:
        """Send states such as `READY=1`, each on one line. That nobody listens is no error."""
        if not self.address:
            return
        # A leading @ stands for the NUL of an abstract socket (unix(7)).
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            # The queue of a manager that does not read fills up, and must not hold up the worker.
            manager.settimeout(_SEND_TIMEOUT_S)
            manager.connect(address)
            manager.send("\n".join(map(visible_line, states)).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitSettings:
    """What differs between units. `writable` are the only folders that the worker may write."""

    node: str
    program: Path
    command: tuple[str, ...] = ("worker",)
    options: tuple[str, ...] = ()
    site_root: Path
    folder: Path
    writable: tuple[Path, ...]
    user: str
    environment: Mapping[str, str]
    private_tmp: bool
    grace_s: float


def render_unit(settings: UnitSettings) -> str:
    """`worker.service` with its `$names` filled in.

    It runs a node's worker, or what `command` names, with access to as little as its work allows.
    It does not set MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.
    """
    command = (str(settings.program), *settings.command, "--node", settings.node, *settings.options)
    template = resources.files("robbieblocks.worker").joinpath("worker.service").read_text("utf-8")
    return Template(template).substitute(
        node=_escaped(settings.node),
        what=settings.command[0],
        command=" ".join(_word(word, dollar="$$") for word in command),
        site_root=_word(str(settings.site_root)),
        folder=_escaped(str(settings.folder)),
        user=settings.user,
        environment="\n".join(
            f'Environment="{name}={_escaped(value)}"'
            for name, value in sorted(settings.environment.items())
        ),
        stop_timeout=f"{settings.grace_s + _STOP_MARGIN_S:.0f}",
        writable=" ".join(_word(str(path)) for path in settings.writable),
        make_folders=" ".join(_word(str(path), dollar="$$") for path in settings.writable),
        private_tmp="yes" if settings.private_tmp else "no",
    )


def _escaped(text: str) -> str:
    """A value without what systemd would expand, or end the line at (systemd.syntax(7))."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped.replace("\n", "\\n")


def _word(value: str, *, dollar: str = "$") -> str:
    """A word of a list, quoted where needed. In a command line `$` must be doubled."""
    text = _escaped(value).replace("$", dollar)
    plain = text == value and not any(c.isspace() or c == "'" for c in text)
    return text if plain else f'"{text}"'
