"""esbuild's packets, and what becomes of an esbuild that is not what it should be."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from robbieblocks.bundle.compile.packets import decoded, packet
from robbieblocks.bundle.compile.service import EsbuildService, EsbuildServices
from robbieblocks.bundle.processes import KeepAlive
from robbieblocks.errors import ProcessFailed
from robbieblocks.toolchain import Toolchain
from tests.workers import until

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2**32 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(), VALUES))
def test_packets_come_back_as_they_went(value: dict[str, Any]) -> None:
    """Every value that a packet can hold is read as it was written."""
    body = packet(6, value)
    assert int.from_bytes(body[:4], "little") == len(body) - 4
    assert int.from_bytes(body[4:8], "little") == 6
    assert decoded(body, 8) == (value, len(body))


def test_an_unknown_kind_of_value_is_told() -> None:
    """A packet of another protocol is refused."""
    with pytest.raises(ValueError, match="kind 9"):
        decoded(b"\x09\0\0\0\0", 0)


def program(folder: Path, code: str) -> Toolchain:
    folder.mkdir(exist_ok=True)
    path, inner = folder / "esbuild", folder / "esbuild.py"
    inner.write_text(f"import os, struct, sys\n{code}\n")
    # Not `#!{python}`: its path may hold a space.
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{inner}" "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    stand_in = SimpleNamespace(esbuild=path, tools={"esbuild": "1.2.3"}, id=str(folder))
    return cast("Toolchain", stand_in)


ANSWERS = """
def say(body):
    os.write(1, struct.pack("<I", len(body)) + body)
say(b"1.2.3")
asked = 0
while head := os.read(0, 4):
    body = os.read(0, struct.unpack("<I", head)[0])
    number = struct.unpack_from("<I", body)[0]
    asked += 1
    say(struct.pack("<I", number | 1) + bytes([6]) + struct.pack("<II", 1, 1) + b"n" + bytes([2])
        + struct.pack("<I", asked))
"""


def test_answers_belong_to_their_requests(tmp_path: Path) -> None:
    """A service that runs on answers call after call, each in its order."""
    running = EsbuildService(program(tmp_path, ANSWERS), one_build=True)
    assert running.ask([{"a": 1}, {"b": 2}], 10) == [{"n": 1}, {"n": 2}]
    assert running.ask([{"c": 3}], 10) == [{"n": 3}]
    running.close()
    assert not running.alive


@pytest.mark.parametrize(
    "code",
    ["sys.exit('of another version')", "os.write(1, b'\\x00\\x00\\x00\\x00' * 9)", "os.abort()"],
)
def test_a_program_that_is_no_esbuild(tmp_path: Path, code: str) -> None:
    """What ends, or says something else, is a failure of the process that names it."""
    running = EsbuildService(program(tmp_path, code), one_build=True)
    with pytest.raises(ProcessFailed):
        running.ask([{"a": 1}], 10)
    running.close()


def test_a_hanging_esbuild_is_ended(tmp_path: Path) -> None:
    """An esbuild that never answers is killed when its time is over."""
    running = EsbuildService(
        program(tmp_path, "os.read(0, 1); import time; time.sleep(60)"), one_build=True
    )
    with pytest.raises(ProcessFailed, match="no answer"):
        running.ask([{"a": 1}], 0.05)
    assert not running.alive


@pytest.fixture
def shared() -> Iterator[KeepAlive[EsbuildService]]:
    own = KeepAlive[EsbuildService](60)
    yield own
    own.stop()


def answered(
    toolchain: Toolchain, shared: KeepAlive[EsbuildService], inputs: int = 1
) -> list[dict[str, Any]]:
    """The answers to one request over that many inputs."""
    with EsbuildServices(toolchain, shared).begun(inputs, [{}], 10) as answers:
        return answers()


def test_small_builds_share_one_process(tmp_path: Path, shared: KeepAlive[EsbuildService]) -> None:
    """It is kept between small builds, and ends when none comes."""
    toolchain = program(tmp_path, ANSWERS)
    assert answered(toolchain, shared) == [{"n": 1}]
    assert answered(toolchain, shared) == [{"n": 2}]
    running = shared._program
    assert running is not None
    shared.stop()
    assert not running.alive


def test_what_is_kept_ends_by_itself(tmp_path: Path) -> None:
    """Where nobody asks again within its time, a timer ends the process."""
    brief = KeepAlive[EsbuildService](0.01)
    with brief.borrow(
        "one", lambda: EsbuildService(program(tmp_path, ANSWERS), one_build=False)
    ) as running:
        assert running.ask([{}], 10) == [{"n": 1}]
    until(lambda: brief._program is None)
    until(lambda: not running.alive)


def test_a_kept_process_that_died_is_replaced(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """Whoever killed it while it waited: the build does not notice."""
    toolchain = program(tmp_path, ANSWERS)
    answered(toolchain, shared)
    running = shared._program
    assert running is not None
    os.kill(running._child.pid, signal.SIGKILL)
    assert answered(toolchain, shared) == [{"n": 1}]


def test_a_kept_process_that_dies_of_being_asked_is_replaced(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """A process that seemed to run and did not is no failure of the build."""
    toolchain = program(tmp_path, ANSWERS)
    dying = EsbuildService(program(tmp_path / "dying", "os.read(0, 1)"), one_build=False)
    with shared.borrow(toolchain.id, lambda: dying):
        pass
    assert answered(toolchain, shared) == [{"n": 1}]
    assert not dying.alive


def test_a_failure_ends_the_shared_process(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """What may be left half-said is never taken for the next build's answer."""
    toolchain = program(tmp_path, ANSWERS)

    def start() -> EsbuildService:
        return EsbuildService(toolchain, one_build=False)

    with pytest.raises(KeyboardInterrupt), shared.borrow(toolchain.id, start) as first:
        raise KeyboardInterrupt
    assert not first.alive
    assert answered(toolchain, shared) == [{"n": 1}]


def test_a_large_build_has_a_process_of_its_own(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """A large build's esbuild is not kept: nor is its memory."""
    assert answered(program(tmp_path, ANSWERS), shared, inputs=1000) == [{"n": 1}]
    assert shared._program is None


def test_a_large_build_is_worked_on_meanwhile(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """A large build's esbuild works before its answers are asked for, and ends with the block."""
    said = tmp_path / "said"
    toolchain = program(tmp_path, ANSWERS + f"    open({str(said)!r}, 'w').close()\n")
    before = set(psutil.Process().children())
    with EsbuildServices(toolchain, shared).begun(1000, [{"a": 1}, {"b": 2}], 10) as answers:
        until(said.exists)
        (working,) = set(psutil.Process().children()) - before
        assert answers() == [{"n": 1}, {"n": 2}]
    until(lambda: not working.is_running())


def test_a_build_that_is_given_up_ends_its_esbuild(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """An error in the block, as when a worker is stopped, ends an esbuild that still works."""
    hanging = program(tmp_path, "os.read(0, 1); import time; time.sleep(60)")
    before = set(psutil.Process().children())
    block = EsbuildServices(hanging, shared).begun(1000, [{}], 60)
    block.__enter__()
    (working,) = set(psutil.Process().children()) - before
    stopped = KeyboardInterrupt()
    assert not block.__exit__(KeyboardInterrupt, stopped, None)
    until(lambda: not working.is_running())


def test_a_failure_meanwhile_is_told_when_it_is_asked_for(
    tmp_path: Path, shared: KeepAlive[EsbuildService]
) -> None:
    """What goes wrong beside is raised where the answers are wanted, and nowhere else."""
    broken = program(tmp_path, "sys.exit('no memory')")
    with EsbuildServices(broken, shared).begun(1000, [{}], 10):
        pass
    with (
        EsbuildServices(broken, shared).begun(1000, [{}], 10) as answers,
        pytest.raises(ProcessFailed, match="no memory"),
    ):
        answers()
