"""Runs a function in a background thread, for work that mostly waits for another process."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def in_background(work: Callable[[], _T]) -> Future[_T]:
    """Start `work` in a daemon thread; the future gets its result or its exception.

    The thread does not keep the process alive. Child processes that `work` started end with the
    process.
    """
    future: Future[_T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - raised again where the result is read
            future.set_exception(error)

    threading.Thread(target=run, name="bundle background", daemon=True).start()
    return future
