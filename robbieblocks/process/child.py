"""A long-lived child process that answers frames over its pipes.

A frame is a 4-byte big-endian length, and as many bytes. Their meaning is the caller's.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import struct
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.process import running
from robbieblocks.process.deadline import Deadline

_HEADER: Final = struct.Struct(">I")
_FRAME_MAX_BYTES: Final = 1 << 30
_CLOSE_TIMEOUT_S: Final = 5.0
_EXIT_TIMEOUT_S: Final = 1.0


class Child:
    """A child that answers one frame with one frame over stdin and stdout.

    The child's side is `answer(handle)`. One call at a time. Whatever goes wrong in a call
    (timeout, death, garbage, KeyboardInterrupt) ends the child, so that a late answer is never
    taken for the answer of a later call.

    A `foreign` program does not use this module; `converse` exchanges bytes of its own protocol.
    On Linux the kernel refuses the child more than `memory_bytes` of memory.
    """

    def __init__(
        self,
        argv: Sequence[str | Path],
        env: Mapping[str, str] | None = None,
        *,
        foreign: bool = False,
        memory_bytes: int | None = None,
    ) -> None:
        self._argv = tuple(argv)
        self._process = running.start(
            argv,
            subprocess.PIPE,
            env={**(os.environ if env is None else env), running.PARENT_PID: str(os.getpid())},
            prefix=running.setpriv_prefix() if foreign else (),
        )
        if memory_bytes is not None:
            running.limit_memory(self._process.pid, memory_bytes)
        self._stderr_tail = bytearray()
        self._ending = threading.Lock()
        stdin, stdout, stderr = self._pipes()
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe, False)
        for pipe in (stdin, stdout):
            _enlarge(pipe)

    def call(self, payload: bytes, timeout: float) -> bytes:
        """Send one frame and return the answer.

        Raises TimedOut after `timeout` seconds (`Deadline`), and Killed where others end the child
        meanwhile. Raises ProcessFailed, with the exit status and the last lines of stderr, when the
        child is gone or answers garbage.
        """
        if len(payload) > _FRAME_MAX_BYTES:
            raise ProcessFailed(self._failure("the request is longer than 1 GiB"))
        answer = self.converse(_frame(payload), _is_frame, timeout)
        return bytes(memoryview(answer)[_HEADER.size :])

    def converse(
        self, request: bytes, is_complete: Callable[[bytearray], bool], timeout: float
    ) -> bytes:
        """Send bytes as they are; return what comes back once `is_complete` says it is whole.

        `is_complete` raises ValueError for what is no answer at all. Raises as `call` does.
        """
        if self._process.stdin is None or self._process.stdin.closed:
            raise ProcessFailed(self._failure("it is not running any more"))
        try:
            return self._exchange(request, is_complete, Deadline(self.pid, timeout))
        except TimeoutError:
            self.kill()
            why = f"gave no answer within {timeout:g} s"
            raise running.TimedOut(self._failure(why)) from None
        except (EOFError, ValueError) as error:
            why = self._exit_reason() or str(error)
            kind = running.Killed if running.was_killed(self._process.returncode) else ProcessFailed
            self.kill()
            raise kind(self._failure(why)) from None
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
        """End the child and its process group now. Several threads may find it dead at once."""
        # The pipes of a child are closed once: a second close could meet a file opened since.
        with self._ending:
            self._keep_tail(running.kill_group(self._process))

    def close(self) -> None:
        """Let the child end by itself (end of input), and kill it if it does not within 5 s."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_CLOSE_TIMEOUT_S)
        self.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.kill()

    def _pipes(self) -> tuple[int, int, int]:
        process = self._process
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise AssertionError("the child was started with three pipes")
        return process.stdin.fileno(), process.stdout.fileno(), process.stderr.fileno()

    def _exchange(
        self, request: bytes, is_complete: Callable[[bytearray], bool], deadline: Deadline
    ) -> bytes:
        stdin, stdout, stderr = self._pipes()
        outgoing = memoryview(request)
        answer = bytearray()
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        poll.register(stdout, select.POLLIN)
        poll.register(stderr, select.POLLIN)
        while not is_complete(answer):
            left_s = deadline.left_s()
            if left_s <= 0:
                raise TimeoutError
            for ready, _event in poll.poll(left_s * 1000):
                if ready == stdin:
                    outgoing = outgoing[_write_some(stdin, outgoing) :]
                    if not outgoing:
                        poll.unregister(stdin)
                elif ready == stdout:
                    chunk = running.read_some(stdout)
                    if chunk == b"":
                        raise EOFError("it ended")
                    answer += chunk or b""
                else:
                    chunk = running.read_some(stderr)
                    self._keep_tail(chunk or b"")
                    if chunk == b"":
                        poll.unregister(stderr)
        return bytes(answer)

    def _keep_tail(self, stderr: bytes) -> None:
        self._stderr_tail += stderr
        del self._stderr_tail[: -running.STDERR_TAIL_BYTES]

    def _exit_reason(self) -> str | None:
        """How the child ended. One that closed its pipes gets a moment to exit with a status."""
        try:
            return running.exit_reason(self._process.wait(_EXIT_TIMEOUT_S))
        except subprocess.TimeoutExpired:
            return None

    def _failure(self, why: str) -> str:
        return running.failure(self._argv, why, self._stderr_tail)


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
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, running.CHUNK_BYTES)


def _frame(payload: bytes) -> bytes:
    return _HEADER.pack(len(payload)) + payload


def _is_frame(received: bytearray) -> bool:
    """Whether a whole frame was received. Raises ValueError for what is no frame."""
    if len(received) < _HEADER.size:
        return False
    length: int = _HEADER.size + _HEADER.unpack_from(received)[0]
    if length > _FRAME_MAX_BYTES or len(received) > length:
        raise ValueError("it wrote something that is not a frame to stdout")
    return len(received) == length


def answer(handle: Callable[[bytes], bytes]) -> None:
    """The child's side of `Child`: answer frames until the end of input, then return.

    What the program prints meanwhile goes to stderr, so that it is not taken for an answer.
    """
    running.die_with_parent()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    with os.fdopen(source, "rb", buffering=running.CHUNK_BYTES) as frames:
        while header := frames.read(_HEADER.size):
            payload = frames.read(_HEADER.unpack(header)[0])
            outgoing = memoryview(_frame(handle(payload)))
            while outgoing:
                outgoing = outgoing[os.write(sink, outgoing) :]
    os.close(sink)
