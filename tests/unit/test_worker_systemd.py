"""Notifications to systemd, and the unit that runs a worker."""

from __future__ import annotations

import configparser
import io
import os
import socket
from contextlib import suppress
from pathlib import Path

from robbieblocks.worker.systemd import Notifier, UnitSettings, render_unit


class UnitParser(configparser.RawConfigParser):
    """Keeps the case of a unit's keys."""

    def optionxform(self, optionstr: str) -> str:
        return optionstr


def test_states_are_sent_to_the_service_manager(tmp_path: Path) -> None:
    """Over the socket that the environment names, plain or abstract; a text adds no state."""
    for address in (str(tmp_path / "notify"), f"@robbieblocks-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0" + address[1:] if address.startswith("@") else address)
            manager.settimeout(10)
            notifier = Notifier.from_environment(
                {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}
            )
            notifier.send("READY=1", "STATUS=here")
            assert manager.recv(1000) == b"READY=1\nSTATUS=here"
            assert notifier.watchdog_s == 30
            notifier.send("STATUS=held: a\nWATCHDOG=1")
            assert manager.recv(1000) == b"STATUS=held: a\\nWATCHDOG=1"


def test_without_a_service_manager_nothing_is_sent() -> None:
    """No socket, a dead one, or a watchdog meant for another process: all are fine."""
    Notifier.from_environment({}).send("READY=1")
    Notifier.from_environment({"NOTIFY_SOCKET": "/nowhere/at/all"}).send("READY=1")
    other = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}
    assert Notifier.from_environment(other).watchdog_s is None


def test_the_unit_is_one_that_systemd_reads() -> None:
    """The printed unit has a watchdog, a sandbox, and paths with spaces and percents quoted."""
    text = render_unit(
        UnitSettings(
            node="vengeance-local",
            program=Path("/opt/my apps/robbieblocks"),
            options=("--embedded",),
            site_root=Path("/srv/site"),
            folder=Path("/srv"),
            writable=(Path("/var/lib/100% mine"), Path("/srv/site")),
            user="robbie",
            environment={"ROBBIEBLOCKS_HOME": '/var/lib/"x"'},
            private_tmp=False,
            grace_s=20,
        )
    )
    parser = UnitParser(strict=False)
    parser.read_file(io.StringIO(text))
    service = parser["Service"]
    assert service["Type"] == "notify"
    assert (
        service["ExecStart"]
        == '"/opt/my apps/robbieblocks" worker --node vengeance-local --embedded'
    )
    assert parser["Unit"]["RequiresMountsFor"] == "/srv/site"
    assert service["ReadWritePaths"] == '"/var/lib/100%% mine" /srv/site'
    assert service["ExecStartPre"] == (
        '+runuser -u robbie -- mkdir -p "/var/lib/100%% mine" /srv/site'
    )
    assert service["PrivateTmp"] == "no"
    assert service["Environment"] == '"ROBBIEBLOCKS_HOME=/var/lib/\\"x\\""'
    assert int(service["TimeoutStopSec"]) > 20
    for name in ("WatchdogSec", "ProtectSystem", "NoNewPrivileges", "SystemCallFilter"):
        assert service[name]
    assert "MemoryDenyWriteExecute" not in service


def test_a_service_manager_that_does_not_read_holds_up_nobody(tmp_path: Path) -> None:
    """When its queue is full, a state is dropped after a second."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(address)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.setblocking(False)
            with suppress(BlockingIOError):
                while other.sendto(b"x", address):
                    pass
        Notifier(address, None).send("READY=1")
