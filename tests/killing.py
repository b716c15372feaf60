"""Kills children of builds from outside, as the kernel does where memory is short."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from robbieblocks.process import Child

Kill = Callable[[str, int], list[int]]


@pytest.fixture
def kill(monkeypatch: pytest.MonkeyPatch) -> Kill:
    """Has the next so many children of a program killed when they are asked something.

    A program is named by the beginning of its file's name. Gives a list that gets their pids.
    """

    def begin(program: str, times: int) -> list[int]:
        real, killed = Child.converse, list[int]()

        def converse(self: Child, *given: Any, **named: Any) -> bytes:
            words = [Path(word).name for word in self._argv]
            if len(killed) < times and any(word.startswith(program) for word in words):
                killed.append(self.pid)
                os.kill(self.pid, signal.SIGKILL)
            return real(self, *given, **named)

        monkeypatch.setattr(Child, "converse", converse)
        return killed

    return begin
