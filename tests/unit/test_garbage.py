"""Garbage waits for the end of a build, and what stays is not walked through each time."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest

from robbieblocks.pipeline.garbage import Garbage


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Python's own, as it was before."""
    yield
    gc.unfreeze()
    gc.enable()


class Cycle:
    """Garbage that only a search finds, once nobody has it any more."""

    found = 0

    def __init__(self) -> None:
        self.self = self

    def __del__(self) -> None:
        Cycle.found += 1


def test_a_build_is_not_interrupted() -> None:
    """Nor is it searched for after one that was not thorough."""
    Cycle.found = 0
    for thorough, expected in ((False, 0), (True, 2)):
        with Garbage().waits(thorough=thorough):
            assert not gc.isenabled()
            Cycle()
        assert gc.isenabled()
        assert Cycle.found == expected


def test_it_stays_off_where_it_was() -> None:
    """As in a command that leaves garbage to the process' end."""
    gc.disable()
    with Garbage().waits(thorough=True):
        pass
    assert not gc.isenabled()


def test_what_stayed_is_looked_through_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle that became garbage after it was left out goes with the first search after that."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    garbage = Garbage()
    kept = Cycle()
    with garbage.waits(thorough=True):
        pass
    Cycle.found = 0
    del kept
    for minutes, expected in ((30, 0), (31, 1)):
        now += minutes * 60
        with garbage.waits(thorough=True):
            pass
        assert Cycle.found == expected
