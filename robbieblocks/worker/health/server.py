"""/healthz, /readyz and /metrics, answered by a thread of their own.

Health means progress: a loop that hangs makes /healthz 503, however well the process feels.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from robbieblocks.errors import UsageError
from robbieblocks.worker.health.state import Health

DEFAULT_PORT: Final = 9464
_BUCKETS: Final = (0.02, 0.04, 0.06, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300)
_REQUEST_TIMEOUT: Final = 5.0


class Metrics(Collector):
    """The health as Prometheus sees them; read at each scrape."""

    def __init__(self, health: Health) -> None:
        self.health = health
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(self)
        self.build_seconds = Histogram(
            "robbieblocks_build_seconds",
            "Duration of builds",
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.change_seconds = Histogram(
            "robbieblocks_change_to_live_seconds",
            "From the start of an editor's transaction to its pages being live",
            buckets=_BUCKETS,
            registry=self.registry,
        )

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)

    def collect(self) -> Iterator[Metric]:
        """One family a fact."""
        facts = self.health.as_json()
        for name, help_, value in (
            ("up", "1 while changes go out", not self.health.unready),
            ("stuck", "1 while the worker makes no progress", bool(self.health.stuck)),
            ("hearing", "1 while notifications come through", facts["hearing"]),
            ("waiting_changes", "Queue rows that wait for this node", self.health.waiting),
            (
                "oldest_waiting_seconds",
                "Age of the oldest of them",
                facts["oldest_waiting_seconds"],
            ),
            ("loop_age_seconds", "Since the loop last went round", facts["loop_age_seconds"]),
            ("canary_age_seconds", "Since a canary last came back", facts["canary_age_seconds"]),
            ("phase_age_seconds", "Age of the running phase", facts["phase_age_seconds"]),
            ("retrying_apps", "Apps that wait for another try", len(self.health.troubled)),
        ):
            family = GaugeMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            family.add_metric([self.health.node], float(value or 0))
            yield family
        builds = CounterMetricFamily(
            "robbieblocks_builds", "Builds by app and outcome", labels=["node", "app", "outcome"]
        )
        for (app, outcome), count in sorted(self.health.builds.copy().items()):
            builds.add_metric([self.health.node, app, outcome], count)
        yield builds
        for name, help_, count in (
            (
                "reconnects",
                "Times that the work connection was opened again",
                self.health.reconnects,
            ),
            ("looks", "Looks at the queue", self.health.looks),
        ):
            counter = CounterMetricFamily(f"robbieblocks_{name}", help_, labels=["node"])
            counter.add_metric([self.health.node], count)
            yield counter


class HealthServer:
    """Answers on a port until closed."""

    def __init__(self, health: Health, metrics: Metrics, host: str, port: int) -> None:
        class Handler(_Handler):
            pass

        Handler.health, Handler.metrics = health, metrics
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
            kwargs={"poll_interval": 0.2},
            name="health",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # server_close must not wait for a client that does not hang up.
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    health: Health
    metrics: Metrics
    timeout = _REQUEST_TIMEOUT
    server_version = "robbieblocks"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, self.metrics.text(), CONTENT_TYPE_LATEST)
        elif path in ("/healthz", "/readyz"):
            trouble = self.health.stuck if path == "/healthz" else self.health.unready
            body = json.dumps(self.health.as_json(), indent=2).encode() + b"\n"
            self._answer(503 if trouble else 200, body, "application/json")
        else:
            self._answer(404, b"/healthz, /readyz or /metrics\n", "text/plain")

    do_HEAD = do_GET  # noqa: N815 - the base class's name

    def _answer(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: a probe every few seconds is no news."""
