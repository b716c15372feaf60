"""The process that runs Tailwind and packages: a bare V8 isolate, bounded in time and memory.

Started as `python -P robbieblocks/bundle/child.py`. It answers JSON frames:

    {"run": [script, ...], "seconds": for each} -> {"gives": what the last one gives}
                                                 | {"failed": message}

What a script may do to the whole process is for the caller to see.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
from typing import Any, Final

from py_mini_racer import JSEvalException, MiniRacer

from robbieblocks.process import answer

_MEMORY: Final = 256 << 20


def main() -> None:
    """Serve frames until the end of input."""
    # V8 that runs out of memory is to leave nothing behind.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    racer = MiniRacer()
    racer.set_hard_memory_limit(_MEMORY)
    answer(lambda payload: json.dumps(_answered(racer, json.loads(payload))).encode())
    os._exit(0)  # V8's own teardown has nothing to save


def _answered(racer: MiniRacer, request: dict[str, Any]) -> dict[str, Any]:
    given: object = None
    try:
        for script in request["run"]:
            given = racer.eval(script, timeout_sec=request["seconds"])
    except JSEvalException as error:
        return {"failed": str(error)[:1000]}
    return {"gives": given if isinstance(given, str | int | float | None) else str(given)}


if __name__ == "__main__":
    main()
