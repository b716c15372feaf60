"""What is done behind a build: everything that was asked for, and none of it twice at a time."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from robbieblocks import release
from robbieblocks.errors import SiteUnavailable
from robbieblocks.pipeline import Target
from robbieblocks.pipeline.tidying import Tidying

ROOT = Path("/site")
ONE, OTHER = Target(node="n", app="one"), Target(node="n", app="other")


class Done:
    """What was called; a call for an app that `waits` goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self.waits = ""
        self.begun = threading.Event()
        self.go_on = threading.Event()
        monkeypatch.setattr(release, "make_spare", self._called("spare"))
        monkeypatch.setattr(release, "prune", self._called("prune"))

    def _called(self, what: str) -> object:
        def call(_root: Path, _node: str, app: str, **_slack: int) -> None:
            self.calls.append((what, app))
            if app == self.waits:
                self.begun.set()
                assert self.go_on.wait(20)

        return call


def test_spares_are_made_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """First of all: a publish may come at once."""
    done = Done(monkeypatch)
    tidying = Tidying()
    tidying.ask(ROOT, [ONE], spares=False)
    tidying.join()
    tidying.ask(ROOT, [OTHER], spares=True)
    tidying.join()
    assert done.calls == [("prune", "one"), ("spare", "other"), ("prune", "other")]


def test_what_is_asked_for_meanwhile_is_done_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is asked for."""
    done = Done(monkeypatch)
    done.waits = "one"
    tidying = Tidying()
    tidying.ask(ROOT, [ONE], spares=False)
    assert done.begun.wait(20)
    for _ in range(5):
        tidying.ask(ROOT, [OTHER, ONE], spares=False)
    done.go_on.set()
    tidying.join()
    assert done.calls == [("prune", "one"), ("prune", "other"), ("prune", "one")]


def test_a_failure_ends_neither_the_rest_nor_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can't be done now is done after a later build."""
    done = Done(monkeypatch)

    def full(*_args: object) -> None:
        raise SiteUnavailable("the disk is full")

    monkeypatch.setattr(release, "make_spare", full)
    tidying = Tidying()
    tidying.ask(ROOT, [ONE, OTHER], spares=True)
    tidying.join()
    tidying.ask(ROOT, [ONE], spares=True)
    tidying.join()
    assert done.calls == [("prune", "one"), ("prune", "other"), ("prune", "one")]


def test_joining_waits_for_nothing_where_nothing_was_asked() -> None:
    """A workshop that built nothing is closed at once."""
    Tidying().join()
