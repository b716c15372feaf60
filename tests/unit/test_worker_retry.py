"""Waiting for a database that is gone: for ever, ever more patiently, until told to stop."""

from __future__ import annotations

import pytest

from robbieblocks.errors import DatabaseUnavailable, SchemaOutdated
from robbieblocks.worker.connections.retry import connect_with_retry

MAX_PAUSE_S = 5.0


def pauses(failures: int) -> list[float]:
    """The pauses that so many failed attempts in a row bring about."""
    slept: list[float] = []
    left = iter(range(failures))

    def attempt() -> str:
        if next(left, None) is not None:
            raise DatabaseUnavailable("gone")
        return "there"

    found = connect_with_retry(
        attempt,
        max_pause_s=MAX_PAUSE_S,
        pause=slept.append,
        stopped=lambda: False,
        on_failure=lambda _error, _attempt: None,
    )
    assert found == "there"
    return slept


def test_a_thousand_failures_in_a_row_are_waited_out() -> None:
    """No number of attempts is the last, and no pause is longer than the longest."""
    slept = pauses(1000)
    assert len(slept) == 1000
    assert max(slept) <= MAX_PAUSE_S


def test_pauses_grow_and_differ() -> None:
    """The first attempts follow quickly; later ones are spread, so that workers don't march."""
    lives = [pauses(12) for _ in range(40)]
    first, last = ([life[number] for life in lives] for number in (0, -1))
    assert max(first) <= 0.2
    assert sum(last) > 5 * sum(first)
    assert len(set(last)) > 30


def test_each_failure_is_told_with_its_number() -> None:
    """Whoever waits can say so, once or each time."""
    told: list[int] = []
    left = [DatabaseUnavailable("gone")] * 3

    def attempt() -> None:
        if left:
            raise left.pop()

    connect_with_retry(
        attempt,
        max_pause_s=MAX_PAUSE_S,
        pause=lambda _: None,
        stopped=lambda: False,
        on_failure=lambda _error, number: told.append(number),
    )
    assert told == [1, 2, 3]


def test_stopping_ends_the_wait_with_the_last_error() -> None:
    """A worker that is told to stop while the database is gone stops."""
    tries: list[int] = []

    def attempt() -> None:
        tries.append(1)
        raise DatabaseUnavailable(f"gone {len(tries)}")

    with pytest.raises(DatabaseUnavailable, match="gone 3"):
        connect_with_retry(
            attempt,
            max_pause_s=MAX_PAUSE_S,
            pause=lambda _: None,
            stopped=lambda: len(tries) == 3,
            on_failure=lambda _error, _attempt: None,
        )


def test_what_waiting_does_not_mend_is_not_waited_for() -> None:
    """An error that would come again is raised at once."""

    def attempt() -> None:
        raise SchemaOutdated("too old")

    with pytest.raises(SchemaOutdated):
        connect_with_retry(
            attempt,
            max_pause_s=MAX_PAUSE_S,
            pause=lambda _: pytest.fail("it waited"),
            stopped=lambda: False,
            on_failure=lambda _error, _attempt: None,
        )
