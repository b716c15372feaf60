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
# A program of a shell that has the command run by the server whose socket it has inherited.
_CLIENT = """
import json, os, socket, sys
server = socket.socket(fileno=int(sys.argv[1]))
reply, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
asked = {"arguments": sys.argv[2:], "cwd": os.getcwd(), "environment": dict(os.environ), "code": ""}
socket.send_fds(server, [json.dumps(asked).encode()], [1, 2, its.fileno()])
its.close()
reply.recv(100)
code = int(reply.recv(100))
sys.exit(code if code >= 0 else 128 - code)
"""
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


class Fork:
    """A command in a fork, with what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, reply: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._reply = reply
        self._lock = Lock()

    def poll(self) -> int | None:
        """How it ended, if it has."""
        return self._ended(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """How it ended, once it has. Raises TimeoutExpired."""
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired([f"fork {self.pid}"], timeout or 0.0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it is over."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it by SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout_s: float | None) -> int | None:
        with self._lock:
            if self.returncode is None:
                self._reply.settimeout(timeout_s)
                try:
                    told = self._reply.recv(_CHUNK_BYTES)
                except (BlockingIOError, TimeoutError):
                    return None
                self.returncode = int(told)
                self._reply.close()
        return self.returncode


def start(
    arguments: Sequence[str],
    cwd: str,
    environment: Mapping[str, str],
    code: str,
    err: int,
) -> Fork:
    """Start a command after some Python; its errors go to a descriptor, its output nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        child, reply = _asked(arguments, cwd, environment, nowhere, err, code)
    finally:
        os.close(nowhere)
    return Fork(child, reply)


def run(
    arguments: Sequence[str], cwd: str, environment: Mapping[str, str], timeout_s: float
) -> tuple[int, bytes, bytes]:
    """The exit code of a command, what it printed, and its errors. Raises TimeoutExpired.

    It has ended, and nobody holds its output any more.
    """
    with ExitStack() as opened:
        pipes = [os.pipe(), os.pipe()]
        readers = [opened.enter_context(os.fdopen(reader, "rb", 0)) for reader, _ in pipes]
        writers = [writer for _, writer in pipes]
        try:
            child, reply = _asked(arguments, cwd, environment, writers[0], writers[1])
        finally:
            for writer in writers:
                os.close(writer)
        opened.enter_context(reply)
        heard = _heard([reply.fileno(), *(each.fileno() for each in readers)], timeout_s)
        if heard is None:
            os.kill(child, signal.SIGKILL)
            raise subprocess.TimeoutExpired(["robbieblocks", *arguments], timeout_s)
    code, out, err = heard
    return int(code), out, err


def write_program(file: Path) -> int:
    """Make `file` a program that runs commands in forks, without their standard input.

    Whoever runs it has to inherit the descriptor that is returned.
    """
    with _STARTING:
        descriptor = _server().requests.fileno()
    client = file.with_suffix(".py")
    client.write_text(_CLIENT)
    file.write_text(f"#!/bin/sh\nexec '{sys.executable}' -I -S '{client}' {descriptor} \"$@\"\n")
    file.chmod(0o755)
    return descriptor


def _asked(
    arguments: Sequence[str],
    cwd: str,
    environment: Mapping[str, str],
    out: int,
    err: int,
    code: str = "",
) -> tuple[int, socket.socket]:
    """The process id of a command that was begun, and the socket on which its end is told."""
    asked = {
        "arguments": arguments,
        "cwd": cwd,
        "environment": dict(environment),
        "code": code,
    }
    message = json.dumps(asked).encode()
    assert len(message) < MAX_REQUEST_BYTES, "too long for a command of tests"
    reply, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with its, _STARTING:
            server = _server()
            socket.send_fds(server.requests, [message], [out, err, its.fileno()])
        return int(reply.recv(_CHUNK_BYTES)), reply
    except BaseException:
        reply.close()
        raise


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
