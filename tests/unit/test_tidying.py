"""What is done behind a build: everything that was asked for, and none of it twice at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from robbieblocks import release
from robbieblocks.errors import ProcessFailed, SiteUnavailable
from robbieblocks.pipeline import Target
from robbieblocks.pipeline.tidying import Tidying

ROOT = Path("/site")
ONE, OTHER = Target(node="n", app="one"), Target(node="n", app="other")
ALL = ["add", "look", "make", "prune"]


class Done:
    """What was called; a call for an app that `waits` goes on when it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, str]] = []
        self.waits = ""
        self.begun = threading.Event()
        self.go_on = threading.Event()
        monkeypatch.setattr(release, "add_spare", self._called("add"))
        monkeypatch.setattr(release, "make_spare", self._called("make"))
        monkeypatch.setattr(release, "look_through", self._called("look"))
        monkeypatch.setattr(release, "prune", self._called("prune"))

    def _called(self, what: str) -> Callable[..., bool]:
        def call(_root: Path, _node: str, app: str, **_options: object) -> bool:
            self.calls.append((what, app))
            if app == self.waits:
                self.begun.set()
                assert self.go_on.wait(20)
            return False

        return call


def wait_for_the_rest(tidying: Tidying) -> None:
    """Until all that was asked for is done."""
    if (thread := tidying._thread) is not None:
        thread.join(20)


def waiting(tidying: Tidying, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set once the thread waits for its turn."""
    waits, wait = threading.Event(), tidying._news.wait

    def noted(seconds: float | None) -> bool:
        waits.set()
        return wait(seconds)

    monkeypatch.setattr(tidying._news, "wait", noted)
    return waits


def test_spares_are_made_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """First of all: a publish may come at once."""
    done = Done(monkeypatch)
    tidying = Tidying(rest=0)
    tidying.ask(ROOT, [ONE], spares=False)
    wait_for_the_rest(tidying)
    tidying.ask(ROOT, [OTHER], spares=True)
    wait_for_the_rest(tidying)
    assert done.calls == [("prune", "one"), *((what, "other") for what in ALL)]


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
    wait_for_the_rest(tidying)
    assert done.calls == [("prune", "one"), ("prune", "other"), ("prune", "one")]


def test_spares_wait_until_no_build_is_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would have to share the machine with them."""
    done = Done(monkeypatch)
    tidying = Tidying(rest=0.001)
    waits = waiting(tidying, monkeypatch)
    with tidying.put_off():
        tidying.ask(ROOT, [ONE], spares=True)
        assert waits.wait(20)
        assert done.calls == []
    wait_for_the_rest(tidying)
    assert done.calls == [(what, "one") for what in ALL]


def test_spares_wait_for_a_while_after_a_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next edit may come, and begins it anew."""
    done = Done(monkeypatch)
    tidying = Tidying(rest=1000)
    waits = waiting(tidying, monkeypatch)
    with tidying.put_off():
        pass
    tidying.ask(ROOT, [ONE], spares=True)
    assert waits.wait(20)
    assert done.calls == []
    tidying.close()


def test_spares_are_made_beside_a_build_where_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a worker starts: edits come soon after."""
    done = Done(monkeypatch)
    done.waits = "one"
    done.go_on.set()
    tidying = Tidying(rest=1000)
    with tidying.put_off():
        tidying.ask(ROOT, [ONE], spares=True, now=True)
        assert done.begun.wait(20)
    tidying.close()


def test_one_that_is_closed_makes_no_more_spares(monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not wait for the rest, and prunes."""
    done = Done(monkeypatch)
    tidying = Tidying(rest=1000)
    with tidying.put_off():
        tidying.ask(ROOT, [ONE], spares=True)
    tidying.close()
    assert [call for call in done.calls if call[0] in ("add", "make")] == []
    assert done.calls[-1] == ("prune", "one")


@pytest.mark.parametrize("error", [SiteUnavailable("the disk is full"), ProcessFailed("it died")])
def test_a_failure_ends_neither_the_rest_nor_the_next(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """What can't be done now is done after a later build."""
    done = Done(monkeypatch)

    def failing(*_args: object, **_options: object) -> bool:
        raise error

    monkeypatch.setattr(release, "add_spare", failing)
    tidying = Tidying(rest=0)
    tidying.ask(ROOT, [ONE, OTHER], spares=True)
    wait_for_the_rest(tidying)
    tidying.ask(ROOT, [ONE], spares=True)
    wait_for_the_rest(tidying)
    assert done.calls == [("prune", "one"), ("prune", "other"), ("prune", "one")]


def test_closing_waits_for_nothing_where_nothing_was_asked() -> None:
    """A workshop that built nothing is closed at once."""
    Tidying().close()
