"""What could not be made, and when that is tried again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar

_T = TypeVar("_T")
_FIRST_PAUSE_S: Final = 10.0
_LONGEST_PAUSE_S: Final = 300.0
_KEPT: Final = 10_000


class _Failure(NamedTuple, Generic[_T]):
    """What is told of it, and when it is tried again: a monotonic time; never where it is None."""

    told: _T
    again_at: float | None
    pause_s: float


@dataclass(slots=True)
class Failures(Generic[_T]):
    """What could not be made, by key, until this process ends; the oldest of very many are dropped.

    What may go well the next time, since its process was killed, is tried again after ten seconds,
    then after twice as long each time, up to five minutes. `monotonic` is the clock, in seconds.
    """

    monotonic: Callable[[], float] = time.monotonic
    _known: dict[str, _Failure[_T]] = field(default_factory=dict[str, _Failure[_T]])

    def get(self, key: str) -> _T | None:
        """What was told of it; None where it did not fail, or is to be tried now."""
        known = self._known.get(key)
        if known is None or (known.again_at is not None and self.monotonic() >= known.again_at):
            return None
        return known.told

    def put(self, key: str, told: _T, *, passing: bool) -> None:
        """Note that it could not be made; `passing` where it is to be tried again."""
        before = self._known.pop(key, None)
        pause_s = min(2 * before.pause_s, _LONGEST_PAUSE_S) if before else _FIRST_PAUSE_S
        while len(self._known) >= _KEPT:
            del self._known[next(iter(self._known))]
        again_at = self.monotonic() + pause_s if passing else None
        self._known[key] = _Failure(told, again_at, pause_s)

    def made(self, key: str) -> None:
        """Note that it could be made."""
        self._known.pop(key, None)

    @property
    def again_in_s(self) -> float | None:
        """In how many seconds the first of them is tried again; None where none is."""
        due = [each.again_at for each in self._known.values() if each.again_at is not None]
        return max(0.0, min(due) - self.monotonic()) if due else None
