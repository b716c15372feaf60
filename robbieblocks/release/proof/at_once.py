"""Does a few things at once, in threads for which no process waits when it ends."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

AT_ONCE: Final = 4

T = TypeVar("T")
R = TypeVar("R")


def at_once(function: Callable[[T], R], items: Sequence[T], *, until: float = math.inf) -> list[R]:
    """What a function makes of each item, in their order; four are worked on at a time.

    From `until` (of the monotonic clock) on none is begun but the first four: the last
    items have no result then. An error of the function is raised once the others are done.
    """
    waiting = iter(enumerate(items))
    lock = threading.Lock()
    results: dict[int, R] = {}
    errors: list[BaseException] = []

    def work() -> None:
        while True:
            with lock:
                found = next(waiting, None)
                if found is None or (found[0] >= AT_ONCE and time.monotonic() >= until):
                    return
            try:
                results[found[0]] = function(found[1])
            except BaseException as error:  # noqa: BLE001 - raised again below
                errors.append(error)

    # An executor's threads are waited for when the process ends, and a server may be silent.
    threads = [
        threading.Thread(target=work, name="proof", daemon=True)
        for _ in range(min(AT_ONCE, len(items)))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return [results[number] for number in sorted(results)]
