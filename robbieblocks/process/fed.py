"""Runs a program that is given an input, and keeps the end of what it prints."""

from __future__ import annotations

import os
import selectors
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from robbieblocks.errors import ProcessFailed
from robbieblocks.process import running
from robbieblocks.process.deadline import Deadline

_OUTPUT_MAX_BYTES: Final = 4_096
_ASK_S: Final = 0.1


def run_fed(
    argv: Sequence[str], given: bytes, *, timeout_s: float, go_on: Callable[[], bool]
) -> tuple[str, str]:
    """Run a program with `given` on its standard input, and this process's environment.

    Returns why it failed, empty where it did not, and the last 4 KiB of its output. Its process
    group is killed in the end, after `timeout_s` (`Deadline`), and when `go_on`, which is asked ten
    times a second, says so. On Linux it ends with the thread that calls this.
    """
    try:
        child = running.start(argv, subprocess.PIPE, env=None, prefix=running.setpriv_prefix())
    except ProcessFailed as error:
        return str(error), ""
    tail = bytearray()
    try:
        why = _exchange(child, given, tail, go_on, Deadline(child.pid, timeout_s))
    finally:
        status = child.poll()
        running.kill_group(child)
    if not why and status != 0:
        why = running.exit_reason(child.returncode)
    return why, bytes(tail).decode("utf-8", "replace")


def _exchange(
    child: subprocess.Popen[bytes],
    given: bytes,
    tail: bytearray,
    go_on: Callable[[], bool],
    deadline: Deadline,
) -> str:
    """Write the input and keep the end of the output, until it ends; why it may not go on."""
    left = memoryview(given)
    with selectors.DefaultSelector() as selector:
        _register(selector, child)
        while True:
            if not go_on():
                return "was told to stop"
            if deadline.left_s() <= 0:
                return "took too long"
            # One that has ended may leave others behind that hold its output open.
            ended = child.poll() is not None
            ready = selector.select(0 if ended else _ASK_S)
            if ended and not ready:
                return ""
            for key, _ in ready:
                if key.fileobj is child.stdin:
                    left = _write(key.fd, left)
                    done = not left
                else:
                    done = _read(key.fd, tail)
                if done:
                    selector.unregister(key.fileobj)
                if done and child.stdin and key.fileobj is child.stdin:
                    child.stdin.close()


def _register(selector: selectors.BaseSelector, child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            os.set_blocking(pipe.fileno(), False)
            to_write = pipe is child.stdin
            selector.register(pipe, selectors.EVENT_WRITE if to_write else selectors.EVENT_READ)


def _write(pipe: int, left: memoryview) -> memoryview:
    try:
        return left[os.write(pipe, left) :]
    except BlockingIOError:
        return left
    except BrokenPipeError:
        # Whoever wants to know nothing need not read.
        return left[:0]


def _read(pipe: int, tail: bytearray) -> bool:
    chunk = running.read_some(pipe)
    tail += chunk or b""
    del tail[:-_OUTPUT_MAX_BYTES]
    return chunk == b""
