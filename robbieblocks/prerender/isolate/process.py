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
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, Self

from py_mini_racer import JSEvalException, JSOOMException, MiniRacer, mini_racer
from py_mini_racer._dll import init_mini_racer  # the only way to pass V8 flags

from robbieblocks.errors import Problem
from robbieblocks.prerender.isolate import harness
from robbieblocks.prerender.isolate.html_check import html_problem
from robbieblocks.prerender.isolate.protocol import (
    PROVEN,
    Definition,
    Failure,
    Job,
    OpenRequest,
    RenderRequest,
    Result,
)
from robbieblocks.process import answer
from robbieblocks.row_faults import blame

_POLL_S: Final = 0.05
# As long as the harness renders in one call, in seconds of CPU time; see SLICE_MS in js/render.js.
_SLICE_S: Final = 0.25
_REPLY_AFTER_S: Final = 1.0
_STOP_TIMEOUT_S: Final = 1.0
_MIB: Final = 1 << 20
_PAGE_BYTES: Final = resource.getpagesize()


class _Results(NamedTuple):
    """So many results, as the JSON that the isolate wrote: most need not be parsed here."""

    number: int
    text: str

    @classmethod
    def of(cls, results: list[Result]) -> Self:
        """Results that were parsed, as JSON again."""
        return cls(len(results), json.dumps(results, ensure_ascii=False, separators=(",", ":")))


class _StoppedError(Exception):
    """A block was stopped; the text is the bound that it passed."""


class V8Isolate:
    """One V8 isolate that has run React and the harness."""

    def __init__(self, racer: MiniRacer, react_script: str, heap_bytes: int) -> None:
        racer.set_hard_memory_limit(heap_bytes)
        racer.eval(react_script)
        self._racer = racer
        functions: Any = racer.eval(harness.script())
        self._expect = functions["expect"]
        self._render = functions["render"].cancelable()
        self._settle = functions["settle"].cancelable()
        self._partial = functions["partial"].cancelable()

    def define(self, modules: Sequence[Definition]) -> dict[str, str]:
        """Compile modules; returns those that do not parse, each with V8's message."""
        refused: dict[str, str] = {}
        self._expect(True)
        for specifier, name, script, is_package in modules:
            # One call each, since a call switches between two threads. The brackets around the
            # function make V8 compile it now.
            try:
                self._racer.eval(
                    f"__rbDefine({json.dumps(specifier)},{json.dumps(is_package)},"
                    f'(function(require,module,exports,globalThis){{"use strict";\n{script}\n}}))'
                    f"\n//# sourceURL=rb:{name}"
                )
            except JSEvalException as error:
                refused[specifier] = str(error)
        self._expect(False)
        return refused

    async def render(self, jobs: str, stop_reason: Callable[[], str]) -> _Results:
        """Render one time slice of the jobs, given as JSON.

        `stop_reason` is called again and again; a text that is not empty stops the rendering.
        Raises _StoppedError with that text, JSOOMException and JSEvalException.
        """
        reply = str(await self._bounded(self._render(jobs), stop_reason))
        count, proven, text = reply.split(" ", 2)
        if proven == "1":
            return _Results(int(count), text)
        return _Results.of([_checked(result) for result in json.loads(text)])

    async def settle(self, stop_reason: Callable[[], str]) -> None:
        """Run the promise reactions that are left, which may be endless. Raises as `render`."""
        for _ in range(2):
            await self._bounded(self._settle(), stop_reason)
        # V8 ends promise reactions that take all memory, and the next call does not raise.
        if self._racer.was_hard_memory_limit_reached():
            raise _StoppedError("memory")

    async def partial(self) -> list[Result]:
        """The results that a render had finished when it was stopped."""
        try:
            with _exit_if_stuck():
                text = await self._partial()
        except JSEvalException:
            return []
        return [_checked(result) for result in json.loads(str(text))]

    async def _bounded(self, call: Awaitable[object], stop_reason: Callable[[], str]) -> object:
        task = asyncio.ensure_future(call)
        while True:
            finished, _ = await asyncio.wait({task}, timeout=_POLL_S)
            if finished:
                return task.result()
            reason = stop_reason()
            if reason:
                task.cancel()
                with _exit_if_stuck(), contextlib.suppress(asyncio.CancelledError, JSEvalException):
                    await task
                raise _StoppedError(reason)


@contextlib.contextmanager
def _exit_if_stuck() -> Generator[None]:
    """End this process if V8 does not stop soon: some built-in functions never check for it."""
    timer = threading.Timer(_STOP_TIMEOUT_S, os._exit, (os.EX_SOFTWARE,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class RequestHandler:
    """Answers requests with one isolate, which it replaces when a block has ruined it."""

    def __init__(self) -> None:
        self._modules: dict[str, Definition] = {}
        self._react_script = ""
        self._cpu_s = 2.0
        self._heap_bytes = 256 * _MIB
        self._open = contextlib.ExitStack()
        self._isolate: V8Isolate | None = None

    async def handle(self, request: OpenRequest | RenderRequest) -> str:
        """Answer one request, in JSON."""
        if "open" in request:
            self._react_script = request["open"]
            self._cpu_s, self._heap_bytes = request["cpu"], request["heap"]
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
        self._isolate = isolate = V8Isolate(racer, self._react_script, self._heap_bytes)
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

    async def _render(self, jobs: list[Job]) -> list[_Results]:
        """Time slices, until all jobs are done or a second has passed."""
        slices: list[_Results] = []
        done = 0
        until = time.monotonic() + _REPLY_AFTER_S
        while done < len(jobs) and (not slices or time.monotonic() < until):
            slices.append(await self._slice(jobs[done:]))
            done += slices[-1].number
        return slices

    async def _slice(self, jobs: list[Job]) -> _Results:
        """The results of one time slice, at least one."""
        isolate = self._isolate or self._new_isolate()
        began_s = time.process_time()
        max_bytes = self._heap_bytes + _resident_bytes()

        def stop_reason() -> str:
            if _resident_bytes() > max_bytes:
                return "memory"
            return "cpu" if time.process_time() - began_s > self._cpu_s + _SLICE_S else ""

        failure: Failure
        try:
            results = await isolate.render(json.dumps(jobs), stop_reason)
        except _StoppedError as stopped:
            failure = {"bound": str(stopped)}
        except JSOOMException:
            failure = {"bound": "memory"}
        except JSEvalException as error:
            failure = {"name": "Error", "message": str(error), "stack": ""}
        else:
            settled = await self._settled(isolate, stop_reason)
            return results if settled else await self._first_alone(jobs)
        self._isolate = None
        finished = await isolate.partial()
        # All jobs had finished, so what was stopped is the promise reactions of one of them.
        if len(finished) == len(jobs):
            return await self._first_alone(jobs)
        return _Results.of([*finished, (None, failure)])

    async def _settled(self, isolate: V8Isolate, stop_reason: Callable[[], str]) -> bool:
        """Whether the promise reactions came to an end; if not, the isolate is given up."""
        try:
            await isolate.settle(stop_reason)
        except (_StoppedError, JSEvalException):
            self._isolate = None
            return False
        return True

    async def _first_alone(self, jobs: list[Job]) -> _Results:
        """The first job by itself, where one of the jobs leaves endless promise reactions."""
        if len(jobs) == 1:
            return _Results.of([(None, Failure(bound="reactions"))])
        return await self._slice(jobs[:1])


def _checked(result: Result) -> Result:
    """The result, checked by an HTML parser where the harness could not prove the HTML."""
    if result[0] is None:
        return result
    html, flags = result
    faults: list[Problem] = []
    wrong: tuple[str, str] | None = None
    with blame(faults.append, "component", ""):
        wrong = None if flags & PROVEN else html_problem(html)
    if faults:
        wrong = faults[0].what, "write its HTML in another way"
    if wrong is None:
        return result
    return None, Failure(message=wrong[0], fix=wrong[1])


def _resident_bytes() -> int:
    """This process's resident memory; 0 where the system has no /proc."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - it is read every 50 ms
            return int(file.read().split()[1]) * _PAGE_BYTES
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
