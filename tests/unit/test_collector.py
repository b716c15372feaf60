"""The garbage collector is switched in one place, and does not walk through what stays."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator

import pytest

from robbieblocks import collector


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Python's own, as it was before."""
    gc.collect()
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


def test_nothing_is_collected_inside_the_block() -> None:
    """A paused collector runs neither inside the block nor at its end."""
    Cycle.found = 0
    with collector.paused():
        assert not gc.isenabled()
        Cycle()
    assert gc.isenabled()
    assert Cycle.found == 0


def test_it_stays_off_where_it_was() -> None:
    """A command that has switched the collector off finds it off after a build."""
    collector.disable_for_command()
    with collector.paused():
        pass
    assert not gc.isenabled()


def test_a_service_collects() -> None:
    """A process that runs for long has the collector on, whatever the command did before."""
    collector.disable_for_command()
    collector.enable_for_service()
    assert gc.isenabled()


def test_a_collection_collects() -> None:
    """Cycles that builds left are gone after it."""
    Cycle.found = 0
    Cycle()
    collector.CollectionAfterChecks().collect()
    assert Cycle.found == 1


def test_what_survived_is_collected_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cycle that became garbage after it was left out goes when all is collected again."""
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    collection = collector.CollectionAfterChecks()
    kept = Cycle()
    collection.collect()
    Cycle.found = 0
    del kept
    for minutes, expected in ((30, 0), (31, 1)):
        now += minutes * 60
        collection.collect()
        assert Cycle.found == expected
