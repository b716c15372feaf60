"""A receiver of webhooks on a free port of this machine, which answers as a test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Received:
    """One request: its headers with lower-case names, and its body."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def payload(self) -> Any:
        return json.loads(self.body)

    @property
    def type(self) -> str:
        return str(self.payload["type"])


@dataclass(slots=True)
class Receiver:
    """What came, and what is answered: `answers` in turn, then 204."""

    url: str
    received: list[Received] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    receiver: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.receiver.received.append(Received(headers, body))
        answers = self.receiver.answers
        (answers.pop(0) if answers else status(204))(self)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    """An answer with a status; `_` in a header's name stands for `-`."""

    def answer(handler: Handler) -> None:
        handler.send_response(code)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        if code != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return answer


def hang(handler: Handler) -> None:
    """Answer nothing until the test is over."""
    handler.close_connection = True
    handler.receiver.released.wait(60)


def trickle(handler: Handler) -> None:
    """Begin an answer, and send a byte of a header now and then, without an end."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not handler.receiver.released.wait(0.05):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return


def flood(handler: Handler) -> None:
    """Answer 200 with a body without an end."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while not handler.receiver.released.is_set():
        try:
            handler.wfile.write(b"x" * 65_536)
        except OSError:
            return


def hang_up(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def nonsense(handler: Handler) -> None:
    """Answer what is no HTTP."""
    handler.close_connection = True
    handler.wfile.write(b"\x00\x01 lies \x1b[31m\r\n\r\n")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


@contextmanager
def receiving() -> Generator[Receiver]:
    """A receiver until the end of the block."""

    class Own(Handler):
        pass

    server = _Server(("127.0.0.1", 0), Own)
    Own.receiver = Receiver(f"http://127.0.0.1:{server.server_port}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Own.receiver
    finally:
        Own.receiver.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
