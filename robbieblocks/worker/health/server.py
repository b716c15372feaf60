"""The health server: /healthz, /readyz and /metrics, answered in threads of their own.

/healthz is 503 when the main thread makes no progress, even though this server still answers.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from robbieblocks.errors import UsageError
from robbieblocks.worker.health.reported import Reported

DEFAULT_PORT: Final = 9464
_LOCALHOST: Final = "127.0.0.1"
_REQUEST_TIMEOUT_S: Final = 5.0
_POLL_S: Final = 0.2


class HealthServer:
    """Answers requests from its creation until it is closed. `address` is HOST:PORT."""

    def __init__(self, health: Reported, host: str, port: int) -> None:
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
    def open(
        cls, health: Reported, address: str | None, *, default_port: int = DEFAULT_PORT
    ) -> Self:
        """A server on `address` (HOST:PORT, or a port of 127.0.0.1).

        None stands for the default port, and any free one where that is taken. Raises UsageError
        where the named address can't be had.
        """
        if address is not None:
            host, _, port = address.rpartition(":")
            return cls(health, host or _LOCALHOST, int(port))
        try:
            return cls(health, _LOCALHOST, default_port)
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
    reported: Reported
    timeout = _REQUEST_TIMEOUT_S
    server_version = "robbieblocks"
    sys_version = ""

    def do_GET(self) -> None:
        health, path = self.reported, self.path.partition("?")[0]
        if path == "/metrics":
            self._answer(200, generate_latest(health.metrics()), CONTENT_TYPE_LATEST)
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
