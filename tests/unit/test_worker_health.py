"""What the worker says about itself: health, readiness, metrics, systemd, its unit."""

from __future__ import annotations

import configparser
import io
import json
import os
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from robbieblocks.errors import UsageError
from robbieblocks.worker import log
from robbieblocks.worker.health.server import HealthServer, Metrics
from robbieblocks.worker.health.state import Health
from robbieblocks.worker.systemd.unit import Notifier, unit
from robbieblocks.worker.timing import Timing

TIMING = Timing()


class Clock:
    """A monotonic clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    made = Health(node="n", timing=TIMING, monotonic=clock, ticked_at=clock.now)
    made.state, made.reconciled = "active", True
    return made


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    made = HealthServer(health, Metrics(health), "127.0.0.1", 0)
    yield made
    made.close()


def get(server: HealthServer, path: str) -> httpx.Response:
    return httpx.get(f"http://{server.address}{path}", timeout=10)


def test_health_means_progress(health: Health, server: HealthServer, clock: Clock) -> None:
    """A loop that has not gone round for long is unhealthy, whatever else is well."""
    assert get(server, "/healthz").status_code == 200
    clock.now += 3 * max(TIMING.poll_interval_s, TIMING.query_timeout_s) + 1
    answer = get(server, "/healthz")
    assert answer.status_code == 503
    assert "has not gone round" in answer.json()["stuck"]
    health.tick()
    assert get(server, "/healthz").status_code == 200


def test_a_phase_that_never_ends_is_no_progress(health: Health, clock: Clock) -> None:
    """A build may take its time, but not for ever."""
    health.begin("build play")
    clock.now += TIMING.build_timeout_s - 1
    assert health.stuck == ""
    clock.now += 2
    assert "build play" in health.stuck
    health.end()
    assert health.stuck == ""


@pytest.mark.parametrize("state", ["starting", "standby", "unreachable", "unknown node"])
def test_readiness_means_that_changes_go_out(
    health: Health, server: HealthServer, state: str
) -> None:
    """A worker that can't work is alive, not ready, and says why."""
    assert get(server, "/readyz").status_code == 200
    health.state = state  # type: ignore[assignment] # a literal of the parameters
    answer = get(server, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["unready"] == state
    assert get(server, "/healthz").status_code == 200


def test_an_app_that_waits_for_infrastructure_is_not_ready(health: Health) -> None:
    """Readiness names the apps that are tried again."""
    health.troubled = ("play",)
    assert "play" in health.unready


def test_metrics_are_what_prometheus_reads(health: Health, server: HealthServer) -> None:
    """Every fact is there, with its node."""
    health.waiting = 3
    health.oldest_waiting = datetime.now(UTC) - timedelta(seconds=90)
    health.builds = {("play", "published"): 7}
    answer = get(server, "/metrics")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    assert families["robbieblocks_waiting_changes"].samples[0].value == 3
    assert families["robbieblocks_oldest_waiting_seconds"].samples[0].value >= 90
    assert families["robbieblocks_builds"].samples[0].labels == {
        "node": "n",
        "app": "play",
        "outcome": "published",
    }
    assert families["robbieblocks_up"].samples[0].value == 1
    assert "robbieblocks_build_seconds" in families


def test_another_path_says_what_there_is(server: HealthServer) -> None:
    """A wrong path is 404 and names the right ones."""
    answer = get(server, "/")
    assert answer.status_code == 404
    assert "/readyz" in answer.text


def test_a_port_that_is_taken_is_a_usage_error(health: Health, server: HealthServer) -> None:
    """Two workers that were given one port don't fight over it."""
    port = int(server.address.rpartition(":")[2])
    with pytest.raises(UsageError, match="--health"):
        HealthServer(health, Metrics(health), "127.0.0.1", port)


def test_states_are_sent_to_the_service_manager(tmp_path: Path) -> None:
    """sd_notify speaks over the socket that the environment names, plain or abstract."""
    for address in (str(tmp_path / "notify"), f"@robbieblocks-test-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind("\0" + address[1:] if address.startswith("@") else address)
            manager.settimeout(10)
            notifier = Notifier.from_environment(
                {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000000"}
            )
            notifier.send("READY=1", "STATUS=here")
            assert manager.recv(1000) == b"READY=1\nSTATUS=here"
            assert notifier.watchdog == 30


def test_without_a_service_manager_nothing_is_sent() -> None:
    """No socket, a dead one, or a watchdog meant for another process: all are fine."""
    Notifier.from_environment({}).send("READY=1")
    Notifier.from_environment({"NOTIFY_SOCKET": "/nowhere/at/all"}).send("READY=1")
    other = {"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}
    assert Notifier.from_environment(other).watchdog is None


def test_the_unit_is_one_that_systemd_reads() -> None:
    """The printed unit has a watchdog, a sandbox, and paths with spaces and percents quoted."""
    text = unit(
        node="vengeance-local",
        program=Path("/opt/my apps/robbieblocks"),
        folder=Path("/srv"),
        writable=(Path("/var/lib/100% mine"), Path("/srv/site")),
        user="robbie",
        environment={"ROBBIEBLOCKS_HOME": '/var/lib/"x"'},
        grace=20,
    )
    parser = configparser.RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment, method-assign] # keep the case
    parser.read_file(io.StringIO(text))
    service = parser["Service"]
    assert service["Type"] == "notify"
    assert service["ExecStart"] == '"/opt/my apps/robbieblocks" worker --node vengeance-local'
    assert service["ReadWritePaths"] == '"/var/lib/100%% mine" /srv/site'
    assert service["Environment"] == '"ROBBIEBLOCKS_HOME=/var/lib/\\"x\\""'
    assert int(service["TimeoutStopSec"]) > 20
    for name in ("WatchdogSec", "ProtectSystem", "NoNewPrivileges", "SystemCallFilter"):
        assert service[name]
    assert "MemoryDenyWriteExecute" not in service


def test_the_log_is_json_for_machines_and_text_for_people() -> None:
    """Each JSON line has its event, level, time and what was bound."""
    stream = io.StringIO()
    log.make("json", stream).bind(node="n").warning("run.finished", app="play", count=2)
    line = json.loads(stream.getvalue())
    assert (line["event"], line["level"], line["node"], line["app"], line["count"]) == (
        "run.finished",
        "warning",
        "n",
        "play",
        2,
    )
    assert line["timestamp"].endswith("Z")
    stream = io.StringIO()
    log.make("text", stream).info("worker.started")
    assert "worker.started" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


def test_a_slow_client_holds_up_no_other(server: HealthServer) -> None:
    """A probe that never finishes its request does not stop the next one."""
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port))):
        assert get(server, "/healthz").status_code == 200
