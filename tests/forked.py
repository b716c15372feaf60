"""Has `tests.command_server` run commands, and waits for what they say and how they end."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from tests.command_server import MAX_REQUEST_BYTES

_ROOT = Path(__file__).resolve().parent.parent
_PROGRAM = (
    f"import sys; sys.path[0] = {str(_ROOT)!r}; from tests.command_server import main; main()"
)
_CHUNK_BYTES = 1 << 16
_STARTING = Lock()


class _Server(NamedTuple):
    process: subprocess.Popen[bytes]
    requests: socket.socket


@cache
def _server() -> _Server:
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = subprocess.Popen([sys.executable, "-c", _PROGRAM], stdin=its.fileno())
    return _Server(process, ours)


def end() -> None:
    """End this process's server, if it has one."""
    if _server.cache_info().currsize:
        process, requests = _server()
        requests.close()
        process.wait()
        _server.cache_clear()


def run(
    arguments: Sequence[str], cwd: str, environment: Mapping[str, str], timeout_s: float
) -> tuple[int, bytes, bytes]:
    """The exit code of a command, what it printed, and its errors. Raises TimeoutExpired.

    It has ended, and nobody holds its output any more.
    """
    asked = {"arguments": arguments, "cwd": cwd, "environment": dict(environment)}
    message = json.dumps(asked).encode()
    assert len(message) < MAX_REQUEST_BYTES, "too long for a command of tests"
    with ExitStack() as opened:
        reply, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        opened.enter_context(reply)
        pipes = [os.pipe(), os.pipe()]
        readers = [opened.enter_context(os.fdopen(reader, "rb", 0)) for reader, _ in pipes]
        writers = [writer for _, writer in pipes]
        try:
            with _STARTING:
                server = _server()
            socket.send_fds(server.requests, [message], [*writers, its.fileno()])
        finally:
            its.close()
            for writer in writers:
                os.close(writer)
        child = int(reply.recv(_CHUNK_BYTES))
        heard = _heard([reply.fileno(), *(each.fileno() for each in readers)], timeout_s)
        if heard is None:
            os.kill(child, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["robbieblocks", *arguments], timeout_s)
    code, out, err = heard
    return int(code), out, err


def _heard(descriptors: Sequence[int], timeout_s: float) -> list[bytes] | None:
    """What each says until its end, the first of them in one message; None when time is over."""
    deadline = time.monotonic() + timeout_s
    heard = dict.fromkeys(descriptors, b"")
    with selectors.DefaultSelector() as waiting:
        for number in heard:
            waiting.register(number, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                return None
            for key, _ in ready:
                part = os.read(key.fd, _CHUNK_BYTES)
                heard[key.fd] += part
                # Other forks may hold the reply's other end, too: it has no end in time.
                if not part or key.fd == descriptors[0]:
                    waiting.unregister(key.fd)
    return list(heard.values())
