"""Running programs: each in a process group of its own, which ends as a whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from robbieblocks.errors import ProcessFailed
from robbieblocks.process.parent_death import setpriv_prefix

CHUNK_BYTES: Final = 1 << 20
STDERR_TAIL_BYTES: Final = 8192
_MESSAGE_LINES: Final = 12


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
    """Run a program to its end and return its output, whatever its exit status.

    `timeout` is in seconds. Raises ProcessFailed when it can't be started and TimedOut when it
    takes too long. Unless it ends by itself, its whole process group is killed.
    """
    with_stdin = input is not None
    process = start(argv, cwd=cwd, env=env, with_stdin=with_stdin, prefix=setpriv_prefix())
    try:
        stdout, stderr = process.communicate(input, timeout)
    except subprocess.TimeoutExpired:
        stderr = kill_group(process)
        raise TimedOut(failure(argv, f"took longer than {timeout:g} s", stderr)) from None
    except BaseException:
        kill_group(process)
        raise
    return Completed(process.returncode, stdout, stderr)


def start(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None,
    env: Mapping[str, str] | None,
    with_stdin: bool,
    prefix: Sequence[str] = (),
) -> subprocess.Popen[bytes]:
    """Start a program with pipes; `prefix` is put before its command. Raises ProcessFailed."""
    command = [*prefix, *resolve_program(argv, env)]
    try:
        return subprocess.Popen(  # noqa: S603 - argv is a list; no shell reads it
            command,
            stdin=subprocess.PIPE if with_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=cwd,
            env=env,
            process_group=0,
        )
    except (OSError, ValueError) as error:
        raise ProcessFailed(f"could not start {argv[0]}: {error}") from error


def resolve_program(argv: Sequence[str | Path], env: Mapping[str, str] | None) -> list[str]:
    """argv with the path of its program. Raises ProcessFailed if there is none.

    It is looked up before the start: behind a prefix, a missing program would look like one that
    fails.
    """
    program = shutil.which(argv[0], path=None if env is None else env.get("PATH", os.defpath))
    if program is None:
        raise ProcessFailed(
            f"could not start {argv[0]}: no such program, or it may not be executed"
        )
    return [program, *map(str, argv[1:])]


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
