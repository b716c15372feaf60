"""Talking to systemd (sd_notify(3)), and the unit to run a worker by."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends states to the service manager; says nothing where there is none.

    `watchdog` is the time in seconds within which systemd wants a sign of life, or None.
    """

    address: str
    watchdog: float | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """By NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID."""
        watchdog = None
        meant = environment.get("WATCHDOG_PID", "")
        if meant in ("", str(os.getpid())):
            with suppress(ValueError):
                watchdog = int(environment.get("WATCHDOG_USEC", "")) / 1_000_000 or None
        return cls(environment.get("NOTIFY_SOCKET", ""), watchdog)

    def send(self, *states: str) -> None:
        """Send states such as `READY=1`; a manager that does not listen is no error."""
        if not self.address:
            return
        # A leading @ stands for the NUL of an abstract socket (unix(7)).
        address = "\0" + self.address[1:] if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as to:
            to.connect(address)
            to.send("\n".join(states).encode())


def unit(
    *,
    node: str,
    program: Path,
    folder: Path,
    writable: tuple[Path, ...],
    user: str,
    environment: Mapping[str, str],
    grace: float,
) -> str:
    """A systemd unit that runs a node's worker, shut in as far as its work allows.

    No MemoryDenyWriteExecute: V8 compiles JavaScript to machine code.
    """
    settings = "\n".join(
        f'Environment="{name}={_escaped(value)}"' for name, value in sorted(environment.items())
    )
    paths = " ".join(_word(path) for path in writable)
    return f"""\
[Unit]
Description=RobbieBlocks worker for {_escaped(node)}
Documentation=https://www.freedesktop.org/software/systemd/man/systemd.service.html
After=network-online.target postgresql.service
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
ExecStart={_word(program, "$$")} worker --node {_word(node, "$$")}
WorkingDirectory={_escaped(str(folder))}
User={user}
{settings}
# Secrets (a database URL with a password) belong in this file, mode 0600; it may be absent.
EnvironmentFile=-/etc/robbieblocks/{_escaped(node)}.env
Restart=always
RestartSec=2
# A wrong command line does not get better by itself.
RestartPreventExitStatus=2
WatchdogSec=60
TimeoutStartSec=120
TimeoutStopSec={grace + 10:.0f}
KillMode=mixed
OOMPolicy=continue
MemoryMax=2G
TasksMax=256

NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={paths}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
AmbientCapabilities=
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM
UMask=0022

[Install]
WantedBy=multi-user.target
"""


def _escaped(text: str) -> str:
    """A value without what systemd would expand or end the line at (systemd.syntax(7))."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return escaped.replace("\n", "\\n")


def _word(value: Path | str, dollar: str = "$") -> str:
    """A word of a list, quoted where it has to be; in a command line `$` must be doubled."""
    text = _escaped(str(value)).replace("$", dollar)
    plain = text == str(value) and not any(c.isspace() or c == "'" for c in text)
    return text if plain else f'"{text}"'
