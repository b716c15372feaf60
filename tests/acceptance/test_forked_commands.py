"""Commands of tests run in forks, which are what processes from scratch are."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests import forked
from tests.commands import COMMAND, Installation

# A version, a wrong option, files that are not there, a folder that is none, and Unicode.
WORDS = (
    ("--version",),
    ("build", "--nonsense"),
    ("content", "diff", "--content", "nowhere"),
    ("serve", "--port", "0"),
    ("new", "\u0101\U0001f600/<b>", "--app", "Shop!", "--node", "a"),
)


def test_a_fork_says_and_ends_as_a_process_from_scratch(tmp_path: Path) -> None:
    """Exit code, output and errors are equal, of many at once, each in its own environment."""
    homes = [Installation(home=tmp_path / f"home {number}") for number in range(len(WORDS))]
    with ThreadPoolExecutor(len(WORDS)) as pool:
        forks = list(pool.map(lambda home, words: home.run(*words), homes, WORDS))
    for home, words, ran in zip(homes, WORDS, forks, strict=True):
        done = subprocess.run(
            [*COMMAND, *words],
            cwd=tmp_path,
            env=home.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert (ran.code, ran.out, ran.err) == (
            *(done.returncode, done.stdout.decode(), done.stderr.decode()),
        )
    assert [ran.code for ran in forks][:2] == [0, 2]
    assert str(homes[3].home) in forks[3].err


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """It is killed, and the next one runs."""
    with pytest.raises(subprocess.TimeoutExpired, match="build"):
        forked.run(["build"], str(tmp_path), {"ROBBIEBLOCKS_HOME": str(tmp_path / "home")}, 0.0)
    assert forked.run(["--version"], str(tmp_path), os.environ, 60.0)[0] == 0
