"""The child process of `ScriptIsolate`: one V8 isolate with a limit on time and memory.

`ScriptIsolate` starts it by its path. It answers JSON frames:

    {"scripts": [text, ...], "timeout_s": for each} -> {"result": of the last one}
                                                     | {"error": message}

Where a script ends the whole process, the parent sees that.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
from typing import Any, Final

from py_mini_racer import JSEvalException, MiniRacer

from robbieblocks.process import answer

_MEMORY_LIMIT_BYTES: Final = 256 << 20


def main() -> None:
    """Answer frames until the end of input."""
    # V8 aborts when it runs out of memory; that must not write a core file.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    racer = MiniRacer()
    racer.set_hard_memory_limit(_MEMORY_LIMIT_BYTES)
    answer(lambda payload: json.dumps(_reply(racer, json.loads(payload))).encode())
    os._exit(0)  # skips V8's teardown, which has nothing to save


def _reply(racer: MiniRacer, request: dict[str, Any]) -> dict[str, object]:
    result: object = None
    try:
        for script in request["scripts"]:
            result = racer.eval(script, timeout_sec=request["timeout_s"])
    except JSEvalException as error:
        return {"error": str(error)[:1000]}
    return {"result": result if isinstance(result, str | int | float | None) else str(result)}


if __name__ == "__main__":
    main()
