"""Work in a thread beside the caller's: for what waits for another process most of its time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def aside(work: Callable[[], _T]) -> Future[_T]:
    """Begin the work.

    Nobody has to wait for it, nor does a process that ends: the child processes that the work
    started end with it.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - whoever asks for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, name="aside", daemon=True).start()
    return future
