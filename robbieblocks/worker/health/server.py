"""The health server: /healthz, /readyz and /metrics, answered in threads of their own.

/healthz is 503 when the main thread makes no progress, even though this server still answers.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from robbieblocks import record
from robbieblocks.errors import UsageError
from robbieblocks.worker.health.state import Health

DEFAULT_PORT: Final = 9464
_LOCALHOST: Final = "127.0.0.1"
_REQUEST_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.2


class HealthServer:
    """Answers requests from its creation until it is closed. `address` is HOST:PORT."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        class Handler(_Handler):
            reported = health

        try:
            self._server = _Server((host, port), Handler)
        except OSError as error:
            raise UsageError(
                f"can't answer health requests on {host}:{port}: {error.strerror}: name another "
                "with --health HOST:PORT, or --health off"
            ) from error
        self.address = f"{host}:{self._server.server_port}"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _POLL_S},
            name="health",
            daemon=True,
        )
        self._thread.start()

    @classmethod
    def open(cls, health: Health, address: str | None) -> Self:
        """A server on `address` (HOST:PORT, or a port of 127.0.0.1).

        None stands for the default port, and any free one where that is taken. Raises UsageError
        where the named address can't be had.
        """
        if address is not None:
            host, _, port = address.rpartition(":")
            return cls(health, host or _LOCALHOST, int(port))
        try:
            return cls(health, _LOCALHOST, DEFAULT_PORT)
        except UsageError:
            # Nobody asked for this port, and another worker of the machine may have it.
            return cls(health, _LOCALHOST, 0)

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # server_close must not wait for a client that does not hang up.
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    reported: Health
    timeout = _REQUEST_TIMEOUT_S
    server_version = "robbieblocks"
    sys_version = ""

    def do_GET(self) -> None:
        health, path = self.reported, self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, generate_latest(Metrics(health)), CONTENT_TYPE_LATEST)
        elif path in ("/healthz", "/readyz"):
            problem = health.stuck if path == "/healthz" else health.unready
            body = json.dumps(health.as_json(), indent=2).encode() + b"\n"
            self._answer(503 if problem else 200, body, "application/json")
        else:
            self._answer(404, b"/healthz, /readyz or /metrics\n", "text/plain")

    def do_HEAD(self) -> None:
        self.do_GET()

    def _answer(self, status: int, body: bytes, content_type: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Log nothing: probes come every few seconds."""


class Metrics(Collector):
    """What `Health` says at the moment of each scrape, for Prometheus. The names are stable."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Every metric of the worker."""
        yield from self._gauges()
        yield from self._drifts()
        yield from self._counters()
        yield from self._health.build_seconds.collect()
        yield from self._health.change_seconds.collect()

    def _gauges(self) -> Iterator[Metric]:
        health = self._health
        for name, help_, value in (
            ("up", "1 while changes go out", not health.unready),
            ("stuck", "1 while the worker makes no progress", bool(health.stuck)),
            ("hearing", "1 while notifications come through", health.liveness.live),
            ("waiting_changes", "Queue rows that wait for this node", health.waiting),
            ("oldest_waiting_seconds", "Age of the oldest of them", health.oldest_waiting_age_s),
            ("loop_age_seconds", "Since the loop last went round", health.loop_age_s),
            ("canary_age_seconds", "Since a ping last came back", health.ping_age_s),
            ("phase_age_seconds", "Age of the running phase", health.phase_age_s),
            ("retrying_apps", "Apps that wait for another try", len(health.retrying)),
            ("held_apps", "Apps whose plan waits for a person's approval", len(health.held)),
            ("held_back_pages", "Pages kept as they were for an error", health.held_back_pages),
            ("frozen_apps", "Apps whose changes wait for a freeze's end", len(health.frozen)),
            ("findings", "Things that are not as they should be", len(health.findings)),
        ):
            family = GaugeMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            family.add_metric([health.node], float(value or 0))
            yield family

    def _drifts(self) -> Iterator[Metric]:
        health = self._health
        now = GaugeMetricFamily(
            "robbieblocks_drift", "Apps with a drift of this kind", labels=["node", "kind"]
        )
        found = [each.kind for each in health.findings]
        for kind in record.DRIFTS:
            now.add_metric([health.node, kind], float(found.count(kind)))
        yield now
        counter = CounterMetricFamily(
            "robbieblocks_drifts", "Drifts found by app and kind", labels=["node", "app", "kind"]
        )
        # A copy: another thread may add a key meanwhile.
        for (app, drift), count in sorted(health.drifts.copy().items()):
            counter.add_metric([health.node, app, drift], count)
        yield counter

    def _counters(self) -> Iterator[Metric]:
        health = self._health
        builds = CounterMetricFamily(
            "robbieblocks_builds", "Builds by app and outcome", labels=["node", "app", "outcome"]
        )
        # A copy: the main thread may add a key meanwhile.
        for (app, outcome), count in sorted(health.builds.copy().items()):
            builds.add_metric([health.node, app, outcome], count)
        yield builds
        events = CounterMetricFamily(
            "robbieblocks_events",
            "Attempts to tell a receiver of an event, by outcome",
            labels=["node", "receiver", "outcome"],
        )
        for (receiver, outcome), count in sorted(health.events.so_far().items()):
            events.add_metric([health.node, receiver, outcome], count)
        yield events
        for name, help_, count in (
            ("reconnects", "Times that the work connection was opened again", health.reconnects),
            ("looks", "Reads of the queue", health.queue_reads),
        ):
            counter = CounterMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            counter.add_metric([health.node], count)
            yield counter
