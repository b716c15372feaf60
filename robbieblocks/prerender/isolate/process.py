"""The child process that runs components: a bare V8 isolate with React, bounded in CPU and memory.

Started as `python -P robbieblocks/prerender/isolate/process.py`; `protocol` says which frames it
answers. What a job does to the isolate (an endless loop, an endless allocation) is answered by a
Failure. What a job does to the whole process is handled by the parent.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from py_mini_racer import JSEvalException, JSOOMException, mini_racer
from py_mini_racer._dll import init_mini_racer  # the only way to pass V8 flags

from robbieblocks.prerender.isolate.protocol import (
    Definition,
    Failure,
    Job,
    OpenRequest,
    RenderRequest,
    Result,
)
from robbieblocks.prerender.isolate.v8_isolate import Results, StoppedError, V8Isolate
from robbieblocks.process import answer

# As long as the harness renders in one call, in seconds of CPU time; see SLICE_MS in js/render.js.
_SLICE_S: Final = 0.25
_REPLY_AFTER_S: Final = 1.0
_MIB: Final = 1 << 20
_MEMORY: Final = Path("/proc/self/statm")
_PAGE_BYTES: Final = resource.getpagesize()


class RequestHandler:
    """Answers requests with one isolate, which it replaces when a block has ruined it."""

    def __init__(self) -> None:
        self._modules: dict[str, Definition] = {}
        self._react_script = ""
        self._cpu_s = 2.0
        self._heap_bytes = 256 * _MIB
        self._elsewhere = False
        self._open = contextlib.ExitStack()
        self._isolate: V8Isolate | None = None

    async def handle(self, request: OpenRequest | RenderRequest) -> str:
        """Answer one request, in JSON."""
        if "open" in request:
            self._react_script = request["open"]
            self._cpu_s, self._heap_bytes = request["cpu"], request["heap"]
            self._elsewhere = request["elsewhere"]
            self._new_isolate()
            return "{}"
        refused = self._define(request["define"])
        if refused:
            return json.dumps({"refused": refused})
        slices = await self._render(request["render"])
        done = ",".join([results.text[1:-1] for results in slices])
        return f'{{"refused":{{}},"done":[{done}],"rss":{_resident_bytes()}}}'

    def _new_isolate(self) -> V8Isolate:
        """A fresh isolate with the modules that the last one had."""
        self._isolate = None
        self._open.close()
        racer = self._open.enter_context(mini_racer())
        self._isolate = isolate = V8Isolate(
            racer, self._react_script, self._heap_bytes, elsewhere=self._elsewhere
        )
        isolate.define(list(self._modules.values()))
        return isolate

    def _define(self, modules: list[Definition]) -> dict[str, str]:
        if not modules:
            return {}
        refused = (self._isolate or self._new_isolate()).define(modules)
        for module in modules:
            specifier = module[0]
            if specifier in refused:
                self._modules.pop(specifier, None)
            else:
                self._modules[specifier] = module
        return refused

    async def _render(self, jobs: list[Job]) -> list[Results]:
        """Time slices, until all jobs are done or a second has passed."""
        slices: list[Results] = []
        done = 0
        until = time.monotonic() + _REPLY_AFTER_S
        while done < len(jobs) and (not slices or time.monotonic() < until):
            slices.append(await self._slice(jobs[done:]))
            done += slices[-1].number
        return slices

    async def _slice(self, jobs: list[Job]) -> Results:
        """The results of one time slice, at least one."""
        isolate = self._isolate or self._new_isolate()
        was_fresh = isolate.is_fresh
        began_s = time.process_time()
        max_bytes = self._heap_bytes + _resident_bytes()

        def stop_reason() -> str:
            if _resident_bytes() > max_bytes:
                return "memory"
            return "cpu" if time.process_time() - began_s > self._cpu_s + _SLICE_S else ""

        failure: Failure
        try:
            results = await isolate.render(json.dumps(jobs), stop_reason)
        except StoppedError as stopped:
            failure = {"bound": str(stopped)}
        except JSOOMException:
            failure = {"bound": "memory"}
        except JSEvalException as error:
            failure = {"name": "Error", "message": str(error), "stack": ""}
            if isolate.out_of_memory:
                failure = {"bound": "memory"}
        else:
            settled = await self._settled(isolate, stop_reason)
            return results if settled else await self._first_half(jobs)
        self._isolate = None
        return await self._after_stop(jobs, failure, await isolate.partial(), was_fresh)

    async def _after_stop(
        self, jobs: list[Job], failure: Failure, finished: list[Result] | None, was_fresh: bool
    ) -> Results:
        """The results of a slice that was stopped, at least one; a new isolate renders the rest."""
        if finished is None and len(jobs) > 1:
            return await self._slice(jobs[: len(jobs) // 2])
        finished = finished or []
        # All jobs had finished, so what was stopped is the promise reactions of one of them.
        if len(finished) == len(jobs):
            return await self._first_half(jobs)
        if failure.get("bound") == "memory" and (finished or not was_fresh):
            # Other blocks may have left too little memory: this one is rendered again without them.
            return Results.of(finished) if finished else await self._slice(jobs)
        return Results.of([*finished, (None, failure)])

    async def _settled(self, isolate: V8Isolate, stop_reason: Callable[[], str]) -> bool:
        """Whether the promise reactions came to an end; if not, the isolate is given up."""
        try:
            await isolate.settle(stop_reason)
        except (StoppedError, JSEvalException):
            self._isolate = None
            return False
        return True

    async def _first_half(self, jobs: list[Job]) -> Results:
        """The results of some of the jobs, where one of them leaves endless promise reactions.

        Each try may use up the isolate's memory, so that one is found in few.
        """
        if len(jobs) == 1:
            return Results.of([(None, Failure(bound="reactions"))])
        return await self._slice(jobs[: len(jobs) // 2])


def _resident_bytes() -> int:
    """This process's resident memory; 0 where the system has no /proc."""
    try:
        return int(_MEMORY.read_bytes().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _limit_resources() -> None:
    """No core dump when V8 runs out of memory, and no file written."""
    for kind in (resource.RLIMIT_CORE, resource.RLIMIT_FSIZE):
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (0, 0))


def main() -> None:
    """Answer frames until the end of input."""
    _limit_resources()
    init_mini_racer(flags=("--single-threaded", "--disallow-code-generation-from-strings"))
    loop = asyncio.new_event_loop()
    handler = RequestHandler()

    async def reply(payload: bytes) -> bytes:
        return (await handler.handle(json.loads(payload))).encode()

    answer(lambda payload: loop.run_until_complete(reply(payload)))
    os._exit(0)  # V8's own teardown has nothing left to save and may wait for its threads


if __name__ == "__main__":
    main()
