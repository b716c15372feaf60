"""When an event is tried again, and when it is given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

# The delays between attempts, as the Standard Webhooks specification 1.0.0 recommends them
# ("Deliverability and reliability"); in all three days.
DELAYS_S: Final = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
# Nobody acts on what is older.
AGE_MAX_S: Final = 4 * 86_400.0
_JITTER: Final = 0.2
_RETRY_AFTER_MAX_S: Final = 86_400.0
# A receiver that fails is left alone for so long, whatever else waits for it.
_PAUSE_MAX_S: Final = 300.0


def next_attempt(
    attempts: int, now: float, retry_after_s: float, jitter: Callable[[], float]
) -> float | None:
    """When to try again after so many attempts that failed, in seconds; None for no more.

    `jitter` gives numbers from 0 to 1: a fifth of the delay is added at most, so that what failed
    together does not come back together.
    """
    if attempts > len(DELAYS_S):
        return None
    delay_s = DELAYS_S[attempts - 1] * (1 + _JITTER * jitter())
    return now + max(delay_s, retry_after_s)


def pause_s(failures: int, retry_after_s: float) -> float:
    """How long a receiver is left alone after so many failures in a row, in seconds."""
    return max(min(_PAUSE_MAX_S, 5.0 * 2.0 ** min(failures - 1, 10)), retry_after_s)


def read_retry_after(value: str, now: float) -> float:
    """Seconds from now of a Retry-After header (RFC 9110, 10.2.3); 0 for none, at most a day."""
    text = value.strip()
    is_count = text.isascii() and text.isdigit()
    seconds = float(text[:10]) if is_count else _until(text, now)
    return max(0.0, min(seconds, _RETRY_AFTER_MAX_S))


def _until(text: str, now: float) -> float:
    try:
        moment: datetime = parsedate_to_datetime(text)
        return moment.timestamp() - now
    except (ValueError, OverflowError, TypeError):
        return 0.0
