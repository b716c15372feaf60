"""Child processes: the one place that starts them, feeds them and makes sure that they end.

Each child leads its own process group, so that a timeout or an error ends it with whatever it
started. On Linux the kernel ends it too when the parent is killed: prctl(2), PR_SET_PDEATHSIG.
That signal is bound to the *thread* that started the child, so this thread must live as long.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from robbieblocks.errors import ProcessFailed

_PR_SET_PDEATHSIG: Final = 1
_HEADER: Final = struct.Struct(">I")
_PARENT: Final = "ROBBIEBLOCKS_PARENT_PID"
_LONGEST_FRAME: Final = 1 << 30
_CHUNK: Final = 1 << 20
_TAIL: Final = 8192
_LAST_LINES: Final = 12
_GRACE: Final = 5.0


class TimedOut(ProcessFailed):
    """A child process did not finish or answer in time; it has been killed."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a process ended. A negative `returncode` is the signal that killed it."""

    returncode: int
    stdout: bytes
    stderr: bytes


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    input: bytes | None = None,
    timeout: float,
) -> Completed:
    """Run a program to its end and return what it said, whatever its exit status.

    `timeout` is in seconds. Raises ProcessFailed when it can't be started and TimedOut when it
    takes too long; its whole process group is gone in every case but a normal end.
    """
    command = [*_parent_death_prefix(), *_resolved(argv, env)]
    process = _start(command, argv, cwd=cwd, env=env, feed=input is not None)
    try:
        stdout, stderr = process.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        words = _end(process)
        raise TimedOut(_failure(argv, f"took longer than {timeout:g} s", words)) from None
    except BaseException:
        _end(process)
        raise
    return Completed(process.returncode, stdout, stderr)


class Child:
    """A long-lived child that answers one frame with one frame over stdin and stdout.

    A frame is a 4-byte big-endian length and as many bytes; what they mean is the caller's. The
    other side is `answer(handle)`. One call at a time; whatever goes wrong in a call (timeout,
    death, garbage, KeyboardInterrupt) ends the child, so that no late answer is taken for another.
    A `foreign` program knows nothing of this module; `converse` speaks to it in its own way.
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
        told = {**(os.environ if env is None else env), _PARENT: str(os.getpid())}
        command = [*(_parent_death_prefix() if foreign else ()), *_resolved(argv, env)]
        self._process = _start(command, argv, cwd=cwd, env=told, feed=True)
        self._words = bytearray()
        stdin, stdout, stderr = self._pipes()
        for pipe in (stdin, stdout, stderr):
            os.set_blocking(pipe, False)
        for pipe in (stdin, stdout):
            _widen(pipe)

    def call(self, payload: bytes, timeout: float) -> bytes:
        """Send one frame and return the answer.

        Raises TimedOut after `timeout` seconds, else ProcessFailed with the exit status and the
        last lines of stderr when the child is gone or answers garbage.
        """
        if len(payload) > _LONGEST_FRAME:
            raise ProcessFailed(_failure(self._argv, "the request is longer than 1 GiB", b""))
        heard = self.converse(_HEADER.pack(len(payload)) + payload, _complete, timeout)
        return bytes(memoryview(heard)[_HEADER.size :])

    def converse(self, said: bytes, complete: Callable[[bytearray], bool], timeout: float) -> bytes:
        """Send bytes as they are, and return what comes back once that is `complete`.

        `complete` raises ValueError for what is no answer at all. Raises as `call` does.
        """
        if self._process.stdin is None or self._process.stdin.closed:
            raise ProcessFailed(_failure(self._argv, "it is not running any more", self._words))
        try:
            return self._exchange(said, complete, time.monotonic() + timeout)
        except TimeoutError:
            self.kill()
            why = f"gave no answer within {timeout:g} s"
            raise TimedOut(_failure(self._argv, why, self._words)) from None
        except (EOFError, ValueError) as error:
            raise ProcessFailed(self._post_mortem(str(error))) from None
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the child can take a call; one that has ended is cleared away."""
        if self._process.poll() is not None:
            self.kill()
        return self._process.returncode is None

    def interrupt(self) -> None:
        """End the child while another thread may be in a call, which then fails: it clears away."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """End the child and its process group now."""
        self._words += _end(self._process)
        del self._words[:-_TAIL]

    def close(self) -> None:
        """Let the child end by itself (end of input), and kill it if it does not within 5 s."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
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
        self, said: bytes, complete: Callable[[bytearray], bool], deadline: float
    ) -> bytes:
        stdin, stdout, stderr = self._pipes()
        outgoing = memoryview(said)
        answer = bytearray()
        poll = select.poll()
        poll.register(stdin, select.POLLOUT)
        poll.register(stdout, select.POLLIN)
        poll.register(stderr, select.POLLIN)
        while not complete(answer):
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            for ready, _event in poll.poll(left * 1000):
                if ready == stdin:
                    outgoing = outgoing[_write_some(stdin, outgoing) :]
                    if not outgoing:
                        poll.unregister(stdin)
                elif ready == stdout:
                    chunk = _read_some(stdout)
                    if chunk == b"":
                        raise EOFError("it ended")
                    answer += chunk or b""
                elif self._listen(stderr) == b"":
                    poll.unregister(stderr)
        return bytes(answer)

    def _listen(self, stderr: int) -> bytes | None:
        chunk = _read_some(stderr)
        self._words += chunk or b""
        del self._words[:-_TAIL]
        return chunk

    def _post_mortem(self, why: str) -> str:
        """How the child ended; one that closed its pipes gets a moment to leave a status."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(1)
            why = _ending(self._process.returncode)
        self.kill()
        return _failure(self._argv, why, self._words)


def answer(handle: Callable[[bytes], bytes]) -> None:
    """The child's side of Child: answer frames until the end of input, then return.

    What the program prints meanwhile goes to stderr, so that it can't pass for an answer.
    """
    die_with_parent()
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    with open(source, "rb", buffering=_CHUNK) as frames:  # noqa: PTH123 - a descriptor, not a path
        while header := frames.read(_HEADER.size):
            payload = frames.read(_HEADER.unpack(header)[0])
            reply = handle(payload)
            outgoing = memoryview(_HEADER.pack(len(reply)) + reply)
            while outgoing:
                outgoing = outgoing[os.write(sink, outgoing) :]
    os.close(sink)


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; where it can't, do nothing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # A parent that ended before that call sends nothing any more.
    parent = os.environ.pop(_PARENT, None)
    if parent is not None and int(parent) != os.getppid():
        os.kill(os.getpid(), signal.SIGKILL)


@functools.cache
def _parent_death_prefix() -> tuple[str, ...]:
    """setpriv(1) sets the signal in the child, between fork and exec, without Python code there.

    It is part of util-linux; BusyBox has one that lacks the option, hence the trial.
    """
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL", "--")
    trial = subprocess.run(  # noqa: S603 - a fixed command
        [*prefix, setpriv, "--version"], capture_output=True, check=False, timeout=10
    )
    return prefix if trial.returncode == 0 else ()


def _resolved(argv: Sequence[str | Path], env: Mapping[str, str] | None) -> list[str]:
    """argv with its program found now, so that a missing one is told from one that fails."""
    program = shutil.which(argv[0], path=None if env is None else env.get("PATH", os.defpath))
    if program is None:
        raise ProcessFailed(
            f"could not start {argv[0]}: no such program, or it may not be executed"
        )
    return [program, *map(str, argv[1:])]


def _start(
    command: Sequence[str],
    argv: Sequence[str | Path],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    feed: bool,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(  # noqa: S603 - argv is a list; no shell reads it
            command,
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=env,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise ProcessFailed(f"could not start {argv[0]}: {error}") from error


def _end(process: subprocess.Popen[bytes]) -> bytes:
    """Kill the group, reap the leader, close the pipes; return what stderr still held."""
    if process.stderr is None or process.stderr.closed:
        return b""
    # The id of a group is not reused as long as a member is alive or its leader unreaped.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    os.set_blocking(process.stderr.fileno(), False)
    words = _read_some(process.stderr.fileno()) or b""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    return words


def _complete(answer: bytearray) -> bool:
    if len(answer) < _HEADER.size:
        return False
    length: int = _HEADER.size + _HEADER.unpack_from(answer)[0]
    if length > _LONGEST_FRAME or len(answer) > length:
        raise ValueError("it wrote something that is not a frame to stdout")
    return len(answer) == length


def _write_some(pipe: int, data: memoryview) -> int:
    try:
        return os.write(pipe, data)
    except BlockingIOError:
        return 0
    except BrokenPipeError:
        return len(data)  # it is gone: the end of its stdout says so


def _read_some(pipe: int) -> bytes | None:
    """What is there, b"" at the end, None when there is nothing yet."""
    try:
        return os.read(pipe, _CHUNK)
    except BlockingIOError:
        return None


def _widen(pipe: int) -> None:
    """A megabyte in the pipe saves context switches on large frames; Linux only, within limits."""
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with contextlib.suppress(OSError):
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)


def _ending(returncode: int) -> str:
    if returncode >= 0:
        return f"exited with status {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    hint = " (out of memory?)" if -returncode == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"


def _failure(argv: Sequence[str | Path], why: str, words: bytes | bytearray) -> str:
    lines = bytes(words[-_TAIL:]).decode(errors="replace").strip().splitlines()[-_LAST_LINES:]
    said = "".join(f"\n  {line}" for line in lines)
    return f"{Path(argv[0]).name} (process) {why}" + (f"; its last words:{said}" if said else "")
