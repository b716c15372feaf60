"""Trying again until the database answers, ever more patiently."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from robbieblocks.errors import Transient

T = TypeVar("T")


def connect_with_retry(
    attempt: Callable[[], T],
    *,
    longest: float,
    pause: Callable[[float], None],
    stopped: Callable[[], bool],
    failed: Callable[[Transient, int], None],
) -> T:
    """What `attempt` returns, once it does; Transient errors are waited out, for ever.

    The pause grows to `longest` seconds and is drawn at random below that, so that workers who lost
    one server don't come back to it in step. Raises the last Transient once `stopped` says so, and
    any other error at once.
    """

    def told(state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, Transient):
            failed(error, state.attempt_number)

    return Retrying(
        retry=retry_if_exception_type(Transient),
        wait=wait_random_exponential(multiplier=0.1, max=longest),
        stop=lambda _: stopped(),
        sleep=pause,
        before_sleep=told,
        reraise=True,
    )(attempt)
