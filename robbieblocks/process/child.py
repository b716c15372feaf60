"""A long-lived child process that answers requests over its pipes."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.process.frames import FRAME_MAX_BYTES, HEADER, frame, is_complete
from robbieblocks.process.parent_death import setpriv_prefix, with_parent_pid
from robbieblocks.process.running import (
    CHUNK_BYTES,
    STDERR_TAIL_BYTES,
    TimedOut,
    exit_reason,
    failure,
    kill_group,
    read_some,
    start,
)

_CLOSE_TIMEOUT_S: Final = 5.0
_EXIT_TIMEOUT_S: Final = 1.0


class Child:
    """A child that answers one frame with one frame over stdin and stdout.

    The child's side is `answer(handle)`. One call at a time. Whatever goes wrong in a call
    (timeout, death, garbage, KeyboardInterrupt) ends the child, so that a late answer is never
    taken for the answer of a later call.

    A `foreign` program does not use this module; `converse` exchanges bytes of its own protocol.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        *,
        cwd: Path | None = None,
        foreign: bool = False,
    ) -> None:
        self._argv = tuple(argv)
        self._process = start(
            argv,
            cwd=cwd,
            env=with_parent_pid(os.environ if env is None else env),
            with_stdin=True,
            prefix=setpriv_prefix() if foreign else (),
        )
        self._stderr_tail = bytearray()
        stdin, stdout, stderr = self._pipes()
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe, False)
        for pipe in (stdin, stdout):
            _enlarge(pipe)

    def call(self, payload: bytes, timeout: float) -> bytes:
        """Send one frame and return the answer.

        Raises TimedOut after `timeout` seconds. Raises ProcessFailed, with the exit status and the
        last lines of stderr, when the child is gone or answers garbage.
        """
        if len(payload) > FRAME_MAX_BYTES:
            raise ProcessFailed(failure(self._argv, "the request is longer than 1 GiB", b""))
        answer = self.converse(frame(payload), is_complete, timeout)
        return bytes(memoryview(answer)[HEADER.size :])

    def converse(
        self, request: bytes, is_complete: Callable[[bytearray], bool], timeout: float
    ) -> bytes:
        """Send bytes as they are; return what comes back once `is_complete` says it is whole.

        `is_complete` raises ValueError for what is no answer at all. Raises as `call` does.
        """
        if self._process.stdin is None or self._process.stdin.closed:
            raise ProcessFailed(
                failure(self._argv, "it is not running any more", self._stderr_tail)
            )
        try:
            return self._exchange(request, is_complete, time.monotonic() + timeout)
        except TimeoutError:
            self.kill()
            why = f"gave no answer within {timeout:g} s"
            raise TimedOut(failure(self._argv, why, self._stderr_tail)) from None
        except (EOFError, ValueError) as error:
            raise ProcessFailed(self._exit_message(str(error))) from None
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child can take a call. If it has ended, its pipes are closed."""
        if self._process.poll() is not None:
            self.kill()
        return self._process.returncode is None

    def interrupt(self) -> None:
        """Kill the child while another thread may be in a call; that call fails, and cleans up."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child and its process group now."""
        self._keep_tail(kill_group(self._process))

    def close(self) -> None:
        """Let the child end by itself (end of input), and kill it if it does not within 5 s."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_CLOSE_TIMEOUT_S)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.kill()

    def _pipes(self) -> tuple[int, int, int]:
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("the child was started with three pipes")
        return process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()

    def _exchange(
        self, request: bytes, is_complete: Callable[[bytearray], bool], deadline: float
    ) -> bytes:
        stdin, stdout, stderr = self._pipes()
        outgoing = memoryview(request)
        answer = bytearray()
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        poll.register(stdout, select.POLLIN)
        poll.register(stderr, select.POLLIN)
        while not is_complete(answer):
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            for ready, _event in poll.poll(left_s * 1000):
                if ready == stdin:
                    outgoing = outgoing[_write_some(stdin, outgoing) :]
                    if not outgoing:
                        poll.unregister(stdin)
                elif ready == stdout:
                    chunk = read_some(stdout)
                    if chunk == b"":
                        raise EOFError("it ended")
                    answer += chunk or b""
                else:
                    chunk = read_some(stderr)
                    self._keep_tail(chunk or b"")
                    if chunk == b"":
                        poll.unregister(stderr)
        return bytes(answer)

    def _keep_tail(self, stderr: bytes) -> None:
        self._stderr_tail += stderr
        del self._stderr_tail[:-STDERR_TAIL_BYTES]

    def _exit_message(self, why: str) -> str:
        """How the child ended. One that closed its pipes gets a moment to exit with a status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_EXIT_TIMEOUT_S)
            why = exit_reason(self._process.returncode)
        self.kill()
        return failure(self._argv, why, self._stderr_tail)


def _write_some(pipe: int, data: memoryview) -> int:
    """Write what the pipe takes now; return the number of bytes.

    Where the reader is gone, all of it counts as written: the end of its output tells the caller.
    """
    try:
        return os.write(pipe, data)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)


def _enlarge(pipe: int) -> None:
    """Let the pipe hold a megabyte, which saves context switches; Linux only, within its limits."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, CHUNK_BYTES)
