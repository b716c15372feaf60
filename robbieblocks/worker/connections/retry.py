"""Connecting again after a connection was lost, with growing random pauses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from robbieblocks.errors import Transient

T = TypeVar("T")

_FIRST_PAUSE_MAX_S = 0.1


def connect_with_retry(
    connect: Callable[[], T],
    *,
    max_pause_s: float,
    pause: Callable[[float], object],
    stopped: Callable[[], bool],
    on_failure: Callable[[Transient, int], None],
) -> T:
    """Call `connect` until it succeeds, and return its result.

    After each Transient error `on_failure` is called with the error and the number of the attempt,
    then `pause` with a random number of seconds. Its upper limit doubles up to `max_pause_s`;
    random, so that workers which lost one server don't all come back at the same moment.

    Raises the last Transient error once `stopped` returns True, and any other error at once.
    """

    def before_pause(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Transient):
            on_failure(error, state.attempt_number)

    def sleep(seconds: float) -> None:
        pause(seconds)

    return Retrying(
        retry=retry_if_exception_type(Transient),
        wait=wait_random_exponential(multiplier=_FIRST_PAUSE_MAX_S, max=max_pause_s),
        stop=lambda _: stopped(),
        sleep=sleep,
        before_sleep=before_pause,
        reraise=True,
    )(connect)
