"""Whole programs: run and measured from outside, or started and stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
OURS: Final = (sys.executable, "-c", "from robbieblocks.cli import main; main()")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class FailedError(Exception):
    """A program that was measured did not do its work."""


@dataclass(frozen=True, slots=True)
class Run:
    """A finished program: wall and CPU time in ms, its and its children's; peak memory in MB.

    The peak is that of the largest single process.
    """

    wall: float
    cpu: float
    peak: float
    said: str


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str],
    cwd: Path,
    timeout: float = 300,
) -> Run:
    """Run a program to its end. Raises FailedError where that is not a good one."""
    with tempfile.TemporaryFile() as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(word) for word in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        watchdog = _Watchdog(process.pid, timeout)
        with watchdog:
            _, status, used = os.wait4(process.pid, 0)
        wall = (time.perf_counter() - began) * 1000
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode(errors="replace")
    if process.returncode != 0:
        raise FailedError(f"{' '.join(map(str, argv))}: exit {process.returncode}\n{text[-2000:]}")
    return Run(wall, (used.ru_utime + used.ru_stime) * 1000, used.ru_maxrss / 1024, text)


class _Watchdog:
    """Ends a program's process group when its time is over."""

    def __init__(self, pid: int, seconds: float) -> None:
        self._pid, self._seconds = pid, seconds

    def __enter__(self) -> None:
        self._before = signal.signal(signal.SIGALRM, self._late)
        signal.setitimer(signal.ITIMER_REAL, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)

    def _late(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)


@contextmanager
def running(
    argv: Sequence[str | Path], *, env: Mapping[str, str], cwd: Path, log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs while the block does; it is told to stop, then made to."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [str(word) for word in argv],
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                # The name in brackets may hold anything; the parent is the second word after it.
                words = (entry / "stat").read_text().rpartition(")")[2].split()
                parents.setdefault(int(words[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop()
        found.append(one)
        waiting += parents.get(one, [])
    return found


def memory(pid: int) -> float:
    """A process family's share of memory in MB (PSS: what is shared counts by parts)."""
    total = 0
    for one in family(pid):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total / 1024


def cpu(pid: int) -> dict[int, float]:
    """CPU time that each process of a family has used so far, in ms, by process id."""
    used = {}
    for one in family(pid):
        with contextlib.suppress(OSError, IndexError):
            words = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            used[one] = (int(words[11]) + int(words[12])) * 1000 / _TICKS
    return used
