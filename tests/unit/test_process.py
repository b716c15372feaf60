"""Children: what they say comes back, and none outlives us."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest

from robbieblocks import process
from robbieblocks.errors import ProcessFailed
from robbieblocks.process.deadline import Deadline
from robbieblocks.process.running import setpriv_prefix

ECHO = """
import sys, time
from robbieblocks.process import answer
def handle(payload):
    {body}
    return payload[::-1]
answer(handle)
"""


def echo(body: str = "pass") -> list[str]:
    """argv of a child that answers with the reverse, after running `body`."""
    return [sys.executable, "-c", ECHO.format(body=body)]


@pytest.fixture
def child() -> Iterator[process.Child]:
    """A child that answers with the reverse."""
    with process.Child(echo()) as started:
        yield started


def wait_for_end(pid: int) -> None:
    """Block until a process that may not be ours has ended, without polling."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([descriptor], [], [], 20)[0], f"{pid} still runs"
    finally:
        os.close(descriptor)


def open_descriptors() -> int:
    """How many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


linux = pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="watches processes by Linux's pidfd"
)


def test_run_returns_what_the_program_said() -> None:
    """Status, stdout and stderr come back, and stdin is at its end."""
    script = "import sys; print(sys.stdin.read() + 'a'); print('x', file=sys.stderr); sys.exit(3)"
    done = process.run([sys.executable, "-c", script], timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"a\n", b"x\n")


def test_run_uses_the_given_folder_and_environment(tmp_path: Path) -> None:
    """The child sees only the environment that it was given."""
    script = "import os; print(os.getcwd(), os.environ.get('A'), os.environ.get('HOME'))"
    done = process.run([sys.executable, "-c", script], cwd=tmp_path, env={"A": "1"}, timeout=20)
    assert done.stdout.decode().split() == [str(tmp_path.resolve()), "1", "None"]


def test_a_missing_program_is_named() -> None:
    """What can't be started is a ProcessFailed that says which program."""
    with pytest.raises(ProcessFailed, match=r"no-such-program-here"):
        process.run(["no-such-program-here"], timeout=5)
    with pytest.raises(ProcessFailed, match=r"no-such-program-here"):
        process.Child(["no-such-program-here"])


def test_a_missing_folder_is_a_process_failure(tmp_path: Path) -> None:
    """A working folder that isn't there is translated too."""
    with pytest.raises(ProcessFailed, match="could not start"):
        process.run([sys.executable, "-c", ""], cwd=tmp_path / "none", timeout=5)


@linux
def test_a_timeout_kills_the_whole_group(tmp_path: Path) -> None:
    """A grandchild does not survive the timeout of the child, and its last words are told."""
    script = "sleep 600 & echo $! > pid; echo working >&2; wait"
    with pytest.raises(process.TimedOut, match=r"took longer than 1\.5 s"):
        process.run(["sh", "-c", script], timeout=1.5, cwd=tmp_path)
    wait_for_end(int((tmp_path / "pid").read_text()))


def test_a_call_is_answered(child: process.Child) -> None:
    """Frames of any size come back whole, again and again, and in order."""
    for size in (0, 1, 4, 70_000, 5_000_000):
        payload = os.urandom(size)
        assert child.call(payload, 20) == payload[::-1]


def test_a_chatty_child_does_not_block() -> None:
    """Megabytes on stderr, and prints, neither block the child nor pass for answers."""
    body = "sys.stderr.write('e' * 3_000_000); print('o' * 1_000_000, flush=True)"
    with process.Child(echo(body)) as child:
        for _ in range(3):
            assert child.call(b"abc", 20) == b"cba"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.stderr.write('bad luck'); sys.exit(7)", "exited with status 7"),
        ("import os; os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("1 / 0", "ZeroDivisionError"),
        ("import os; os.close(0); os.closerange(3, 64); import time; time.sleep(600)", "it ended"),
    ],
)
def test_a_death_is_told_with_its_cause(body: str, said: str) -> None:
    """Exit status, signal and last words reach the error, and the next call says it is gone."""
    with process.Child(echo(body)) as child:
        with pytest.raises(ProcessFailed, match=said):
            child.call(b"abc", 20)
        assert not child.alive
        with pytest.raises(ProcessFailed, match="not running any more"):
            child.call(b"abc", 20)


def test_a_child_that_never_answers_is_killed() -> None:
    """A call that takes too long ends the child, so that no late answer is taken for another."""
    with process.Child(echo("while True: pass")) as child:
        with pytest.raises(process.TimedOut, match=r"no answer within 0\.3 s"):
            child.call(b"abc", 0.3)
        assert not child.alive


@linux
def test_a_child_has_no_more_memory_than_it_was_given() -> None:
    """The kernel refuses what is beyond the bound, and that is no other child's."""
    body = "payload = bytes(200 << 20)"
    with process.Child(echo(body), memory_bytes=150 << 20) as child:
        assert Path(f"/proc/{child.pid}/oom_score_adj").read_text().strip() == "1000"
        with pytest.raises(ProcessFailed, match="MemoryError"):
            child.call(b"abc", 20)
    with process.Child(echo(body)) as child:
        assert len(child.call(b"abc", 20)) == 200 << 20


def test_garbage_instead_of_a_frame_is_a_failure() -> None:
    """A program that is no answering child is found out."""
    script = "import sys; sys.stdout.write('hello world'); sys.stdout.flush(); sys.stdin.read()"
    with (
        process.Child([sys.executable, "-c", script]) as child,
        pytest.raises(ProcessFailed, match="not a frame"),
    ):
        child.call(b"abc", 20)


@linux
@pytest.mark.parametrize("start", ["call", "run"])
def test_a_child_that_waits_for_a_processor_is_given_time(start: str) -> None:
    """Four processes on one processor: a child that needs half of its time has an answer."""
    work = "import time\nwhile time.process_time() < 0.5: pass"
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    loop = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(loop) for _ in range(3)]
    try:
        if start == "run":
            process.run([sys.executable, "-c", work], timeout=1)
        else:
            with process.Child(echo(work.replace("\n", "\n    "))) as child:
                assert child.call(b"abc", 1) == b"cba"
    finally:
        os.sched_setaffinity(0, processors)
        for other in busy:
            other.kill()
            other.wait()


def test_a_thread_that_has_ended_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Threads of a child come and go: the time that another has waited counts all the same."""
    there, clock = tmp_path / "there", iter([0.0, 0.1, 1.0])
    monkeypatch.setattr(Path, "glob", lambda *_: [there, tmp_path / "gone"])
    monkeypatch.setattr(
        "robbieblocks.process.deadline.time", SimpleNamespace(monotonic=clock.__next__)
    )
    deadline = Deadline(1, 1.0)
    there.write_text("1000 5000000000 3\n")
    deadline.left_s()
    there.write_text("1000 9000000000 3\n")
    assert deadline.left_s() == pytest.approx(4.0)


def test_a_child_that_stops_reading_meets_the_timeout() -> None:
    """A request larger than the pipe can't hang the caller."""
    script = "import time; time.sleep(600)"
    with (
        process.Child([sys.executable, "-c", script]) as child,
        pytest.raises(process.TimedOut),
    ):
        child.call(bytes(8_000_000), 0.3)


@linux
@pytest.mark.parametrize("then", ["pass", "while True: pass"])
def test_the_child_dies_with_its_parent(tmp_path: Path, then: str) -> None:
    """A SIGKILL of the parent ends the child, idle or busy."""
    note = tmp_path / "pid"
    os.mkfifo(note)
    body = f"import os; open({str(note)!r}, 'w').write(str(os.getpid()))\n    {then}"
    script = (
        "import sys\nfrom robbieblocks import process\n"
        f"process.Child({echo(body)!r}).call(b'a', 600)\nsys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as parent:
        pid = int(note.read_text())
        parent.kill()
    wait_for_end(pid)


@linux
def test_a_child_that_starts_after_its_parent_died_does_no_work() -> None:
    """A request that waits in the pipe is not begun when nobody is left to hear the answer."""
    script = (
        "import os, signal\nfrom robbieblocks import process\n"
        f"child = process.Child({echo('while True: pass')!r})\n"
        "print(child.pid, flush=True)\n"
        "os.kill(child.pid, signal.SIGSTOP)\n"
        "os.write(child._process.stdin.fileno(), b'\\0\\0\\0\\1a')\n"
        "os.kill(child.pid, signal.SIGCONT)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
    wait_for_end(pid)


@linux
def test_a_run_dies_with_its_parent(tmp_path: Path) -> None:
    """A SIGKILL of the parent ends a program that never looks at its stdin."""
    if not setpriv_prefix():
        pytest.skip("no setpriv(1) that can set the parent-death signal")
    note = tmp_path / "pid"
    os.mkfifo(note)
    program = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    script = (
        "import sys\nfrom robbieblocks import process\n"
        f"process.run([sys.executable, '-c', {program!r}], timeout=600)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as parent:
        pid = int(note.read_text())
        parent.kill()
    wait_for_end(pid)


def test_nothing_leaks_descriptors() -> None:
    """Twenty runs and six children, dead or closed, leave as many descriptors as before."""
    process.run(["true"], timeout=5)
    before = open_descriptors()
    for _ in range(20):
        process.run(["true"], timeout=5)
    for body in ["pass", "sys.exit(1)", "time.sleep(600)"] * 2:
        child = process.Child(echo(body))
        with contextlib.suppress(ProcessFailed):
            child.call(b"abc", 0.5)
        child.close()
    assert open_descriptors() == before


def test_kill_and_close_can_be_repeated(child: process.Child) -> None:
    """Ending a child twice, in any way, is no error."""
    child.kill()
    child.close()
    child.kill()
    assert not child.alive


def test_a_child_is_ended_once_whoever_finds_it_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """A timer ends it while a build asks whether it lives: its pipes are closed by one of them."""
    inside, most = 0, 0
    end = process.running.kill_group

    def counted(running: subprocess.Popen[bytes]) -> bytes:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        # So long that another one, were it let in, would be counted as well.
        time.sleep(0.01)
        try:
            return end(running)
        finally:
            inside -= 1

    monkeypatch.setattr(process.running, "kill_group", counted)
    dying = process.Child([sys.executable, "-c", ""])
    with ThreadPoolExecutor(4) as threads:
        for ended in [threads.submit(dying.kill) for _ in range(4)]:
            ended.result()
    assert most == 1
    assert not dying.alive


def test_the_signal_of_a_run_is_in_its_status() -> None:
    """A program that a signal ended has the negative signal as status."""
    script = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"
    done = process.run([sys.executable, "-c", script], timeout=20)
    assert done.returncode == -signal.SIGTERM
