"""Health, readiness and metrics of a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from robbieblocks.changes import Waiting
from robbieblocks.errors import UsageError
from robbieblocks.worker.agenda import Job
from robbieblocks.worker.connections import Liveness
from robbieblocks.worker.health import Health, HealthServer, State
from robbieblocks.worker.ports import BuildResult
from robbieblocks.worker.timing import Timing
from tests import loopback

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
    made = Health(node="n", timing=TIMING, liveness=Liveness(), monotonic=clock)
    made.state, made.reconciled = "active", True
    return made


@pytest.fixture
def server(health: Health) -> Iterator[HealthServer]:
    made = HealthServer(health, "127.0.0.1", 0)
    yield made
    made.close()


def get(server: HealthServer, path: str) -> httpx.Response:
    return loopback.get(f"http://{server.address}{path}", timeout=10)


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
    health.begin_phase("build play")
    clock.now += TIMING.build_timeout_s - 1
    assert health.stuck == ""
    clock.now += 2
    assert "build play" in health.stuck
    health.end_phase()
    assert health.stuck == ""


@pytest.mark.parametrize("state", ["starting", "standby", "unreachable", "unknown node"])
def test_readiness_means_that_changes_go_out(
    health: Health, server: HealthServer, state: State
) -> None:
    """A worker that can't work is alive, not ready, and says why."""
    assert get(server, "/readyz").status_code == 200
    health.state = state
    answer = get(server, "/readyz")
    assert answer.status_code == 503
    assert answer.json()["unready"] == state
    assert get(server, "/healthz").status_code == 200


def test_an_app_that_waits_for_infrastructure_is_not_ready(health: Health) -> None:
    """Readiness names the apps that are tried again."""
    health.retrying = ("play",)
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
        HealthServer(health, "127.0.0.1", port)


def test_a_slow_client_holds_up_no_other(server: HealthServer) -> None:
    """A probe that never finishes its request does not stop the next one."""
    host, _, port = server.address.rpartition(":")
    with socket.create_connection((host, int(port))):
        assert get(server, "/healthz").status_code == 200


def test_findings_while_the_main_thread_notes_a_failure(health: Health) -> None:
    """An app that fails while they are gathered is in these or in the next."""

    class Errors(dict[str, str]):
        def copy(self) -> dict[str, str]:
            found = super().copy()
            health.retrying = ("play",)
            return found

    health.errors = Errors()
    assert list(health.findings) == []
    assert [each.app for each in health.findings] == ["play"]


def test_an_app_that_is_gone_is_no_reason(health: Health) -> None:
    """What its last build failed with goes with the app: with its last page, or from the node."""
    job = Job(apps=("play",), reason="change")
    health.errors, health.held_back = {"play": "broken"}, {"play": (1, "broken")}
    health.build_finished(job, BuildResult(runs=()), 0.1)
    assert list(health.findings) == []
    health.errors = {"play": "broken", "work": "broken", "old": "broken"}
    health.held_back = {"play": (1, "broken")}
    health.queue_read(Waiting(apps=("work",), disabled_apps=("old",)))
    assert set(health.errors) == {"work", "old"}
    assert health.held_back == {}
