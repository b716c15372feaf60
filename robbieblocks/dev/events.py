"""What browsers are told: the state of each node, as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

_STILL_HERE_S: Final = 15.0


@dataclass(slots=True)
class Events:
    """Wakes every open stream. `tell` may be called by any thread, the rest by the server's."""

    _loop: asyncio.AbstractEventLoop | None = None
    _streams: set[asyncio.Event] = field(default_factory=set[asyncio.Event])
    _closed: bool = False

    def tell(self) -> None:
        """Have each stream look at the state again."""
        if self._loop is not None:
            # A loop that has ended has no streams.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._wake)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    async def stream(self, state: Callable[[], str]) -> AsyncIterator[str]:
        """The state, which is one line, now and whenever it is another."""
        self._loop = asyncio.get_running_loop()
        woken = asyncio.Event()
        self._streams.add(woken)
        told = None
        try:
            while not self._closed:
                woken.clear()
                now = state()
                if now != told:
                    yield f"data: {now}\n\n"
                    told = now
                try:
                    await asyncio.wait_for(woken.wait(), _STILL_HERE_S)
                except TimeoutError:
                    # A connection that is gone is noticed only when something is sent.
                    yield ": still here\n\n"
        finally:
            self._streams.discard(woken)

    def _wake(self) -> None:
        for each in self._streams:
            each.set()
