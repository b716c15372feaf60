"""Threads of a worker that look at something now and then, until the worker ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final

_JOIN_S: Final = 5.0


@contextmanager
def looking(name: str, look: Callable[[threading.Event], None]) -> Generator[None]:
    """Within the block, a thread calls `look`, which returns once the event is set.

    It is a daemon: whatever it still waits for then, the worker ends within five seconds.
    """
    ended = threading.Event()
    thread = threading.Thread(target=look, args=(ended,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(_JOIN_S)
