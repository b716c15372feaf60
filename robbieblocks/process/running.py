"""Runs programs: each in a process group of its own, which ends as a whole.

A child also ends when its parent is killed: prctl(2), PR_SET_PDEATHSIG, on Linux only. The signal
is bound to the *thread* that started the child, so this thread must live as long as the child.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from robbieblocks.errors import ProcessFailed
from robbieblocks.process.deadline import Deadline

CHUNK_BYTES: Final = 1 << 20
STDERR_TAIL_BYTES: Final = 8192
# What a child may take that works on texts of rows.
ROWS_MEMORY_BYTES: Final = 1 << 30
PARENT_PID: Final = "ROBBIEBLOCKS_PARENT_PID"
_MESSAGE_LINES: Final = 12
_PR_SET_PDEATHSIG: Final = 1
_TRIAL_TIMEOUT_S: Final = 10.0
_ASK_S: Final = 0.1


# Signals that others send: the kernel where memory is short, a person, a machine that stops. Over
# its own work a process ends by other ones (SIGSEGV, SIGABRT), or with a status.
_OF_OTHERS: Final = frozenset(
    {signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT}
)


class TimedOut(ProcessFailed):
    """A child process did not finish or answer in time; it has been killed."""


class NotStarted(ProcessFailed):
    """A program could not be started, so nothing that it was to work on is at fault."""


class Killed(ProcessFailed):
    """Somebody else ended a child process: what it worked on need not be at fault."""


def was_killed(returncode: int | None) -> bool:
    """Whether a process was ended by a signal that others send; `returncode` is as Popen has it."""
    return returncode is not None and -returncode in _OF_OTHERS


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float,
    memory_bytes: int | None = None,
    go_on: Callable[[], bool] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program without input to its end, and return its output, whatever its exit status.

    `timeout` is in seconds (`Deadline`). Raises ProcessFailed when it can't be started and TimedOut
    when it takes too long. With `go_on` it is asked ten times a second whether the program may go
    on; if not, ProcessFailed. Unless it ends by itself, its whole process group is killed. On Linux
    the kernel refuses it more than `memory_bytes` of memory.
    """
    process = start(argv, subprocess.DEVNULL, cwd=cwd, env=env, prefix=setpriv_prefix())
    if memory_bytes is not None:
        limit_memory(process.pid, memory_bytes)
    try:
        stdout, stderr = _output(process, Deadline(process.pid, timeout), go_on)
    except _Stopped:
        raise ProcessFailed(failure(argv, "was told to stop", kill_group(process))) from None
    except TimeoutError:
        stderr = kill_group(process)
        raise TimedOut(failure(argv, f"took longer than {timeout:g} s", stderr)) from None
    except BaseException:
        kill_group(process)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


class _Stopped(Exception):
    """The program may not go on."""


def _output(
    process: subprocess.Popen[bytes], deadline: Deadline, go_on: Callable[[], bool] | None
) -> tuple[bytes, bytes]:
    while (left_s := deadline.left_s()) > 0:
        if go_on is not None and not go_on():
            raise _Stopped
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=left_s if go_on is None else min(left_s, _ASK_S))
    raise TimeoutError


def start(
    argv: Sequence[str | Path],
    stdin: int,
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None,
    prefix: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start a program with pipes; `prefix` is put before its command. Raises NotStarted."""
    # Behind a prefix, a program that is missing would look like one that fails.
    program = shutil.which(argv[0], path=None if env is None else env.get("PATH", os.defpath))
    if program is None:
        raise NotStarted(f"could not start {argv[0]}: no such program, or it may not be executed")
    try:
        return subprocess.Popen(  # noqa: S603 - argv is a list; no shell reads it
            [*prefix, program, *map(str, argv[1:])],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=env,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise NotStarted(f"could not start {argv[0]}: {error}") from error


def kill_group(process: subprocess.Popen[bytes]) -> bytes:
    """Kill the process group, reap its leader, close the pipes; return the rest of stderr."""
    if process.stderr is None or process.stderr.closed:
        return b""
    # The id of a group is not reused as long as a member is alive or its leader unreaped.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    os.set_blocking(process.stderr.fileno(), False)
    stderr = read_some(process.stderr.fileno()) or b""
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    return stderr


def failure(argv: Sequence[str | Path], why: str, stderr: bytes | bytearray) -> str:
    """An error message: the program's name, what happened, and the last lines of its stderr."""
    text = bytes(stderr[-STDERR_TAIL_BYTES:]).decode(errors="replace").strip()
    lines = "".join(f"\n  {line}" for line in text.splitlines()[-_MESSAGE_LINES:])
    return f"{Path(argv[0]).name} (process) {why}" + (f"; its last words:{lines}" if lines else "")


def exit_reason(returncode: int) -> str:
    """How a process ended; a negative `returncode` is the signal that killed it."""
    if returncode >= 0:
        return f"exited with status {returncode}"
    try:
        name = signal.Signals(-returncode).name
    except ValueError:
        name = f"signal {-returncode}"
    hint = " (out of memory?)" if -returncode == signal.SIGKILL else ""
    return f"was killed by {name}{hint}"


def read_some(pipe: int) -> bytes | None:
    """Read what is there now: b"" at the end, None when there is nothing yet."""
    try:
        return os.read(pipe, CHUNK_BYTES)
    except BlockingIOError:
        return None


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; elsewhere than on Linux do nothing.

    For children that run our own Python code; `setpriv_prefix` is for other programs.
    """
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    # No signal comes from a parent that ended before that call.
    parent = os.environ.pop(PARENT_PID, None)
    if parent is not None and int(parent) != os.getppid():
        os.kill(os.getpid(), signal.SIGKILL)


def limit_memory(pid: int, most_bytes: int) -> None:
    """Bound the memory of a child that has done no work yet; elsewhere than on Linux do nothing.

    RLIMIT_DATA counts what is writable and private, not the address space that Go and V8 reserve.
    Where the machine's memory runs out first, the kernel ends this child before any other process.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_DATA)
            most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))
            Path(f"/proc/{pid}/oom_score_adj").write_text("1000", encoding="ascii")


@functools.cache
def setpriv_prefix() -> tuple[str, ...]:
    """The start of a command that has the kernel kill a program when its parent ends.

    setpriv(1) of util-linux sets the signal between fork and exec, without Python code there. The
    one of BusyBox lacks the option, so it is tried out. Empty where there is none.
    """
    setpriv = shutil.which("setpriv") if sys.platform.startswith("linux") else None
    if setpriv is None:
        return ()
    prefix = (setpriv, "--pdeathsig", "KILL", "--")
    trial = subprocess.run(  # noqa: S603 - a fixed command
        [*prefix, setpriv, "--version"], capture_output=True, check=False, timeout=_TRIAL_TIMEOUT_S
    )
    return prefix if trial.returncode == 0 else ()
