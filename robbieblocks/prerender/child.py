"""The process that runs components: a bare V8 isolate with React, bounded in CPU and memory.

Started as `python -P robbieblocks/prerender/child.py`. It answers JSON frames:

    {"open": source, "cpu": seconds, "heap": bytes}     -> {}
    {"define": [[specifier, name in stack traces, script, is_vendor], ...],
     "render": [[component, props_json, prefix], ...]}
            -> {"refused": {specifier: message}, "done": [result, ...], "rss": bytes}

where a result is [html, flags] or [null, failure]; the flags say that a block is interactive (1)
and volatile (2). Where a module is refused nothing is rendered.

`render` may return fewer results than jobs; the caller sends the rest again. What a job does to the
isolate (an endless loop, an endless allocation) is answered by a failure; what it does to the whole
process is for the caller to see.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from py_mini_racer import JSEvalException, JSOOMException, MiniRacer, mini_racer
from py_mini_racer._dll import init_mini_racer  # the only way to pass V8 flags

from robbieblocks.prerender.guard import fault
from robbieblocks.process import answer

_HERE: Final = Path(__file__).resolve().parent
_PROVEN: Final = 4
_POLL: Final = 0.05
_SLICE: Final = 0.25
_ANSWER_WITHIN: Final = 1.0
_STOPS_WITHIN: Final = 1.0
_MIB: Final = 1 << 20
_PAGE: Final = resource.getpagesize()

_Definition = tuple[str, str, str, bool]


class _Results(NamedTuple):
    """So many results, in JSON as the isolate wrote them: nobody here needs to read them."""

    number: int
    text: str

    @classmethod
    def of(cls, results: list[Any]) -> Self:
        """From results that were read."""
        return cls(len(results), json.dumps(results, ensure_ascii=False, separators=(",", ":")))


class _Isolate:
    """One V8 isolate with the harness in it."""

    def __init__(self, racer: MiniRacer, source: str, heap: int) -> None:
        racer.set_hard_memory_limit(heap)
        for text in ((_HERE / "prelude.js").read_text("utf-8"), source):
            racer.eval(text)
        self._racer = racer
        harness: Any = racer.eval((_HERE / "isolate.js").read_text("utf-8"))
        self._expect = harness["expect"]
        self._render = harness["render"].cancelable()
        self._settle = harness["settle"].cancelable()
        self._partial = harness["partial"].cancelable()

    def define(self, modules: Sequence[_Definition]) -> dict[str, str]:
        """Compile modules' factories; those that do not parse, each with what is said of it."""
        refused = {}
        self._expect(True)
        for specifier, name, script, vendor in modules:
            # One call, since each takes two threads a moment; the brackets have V8 compile now.
            try:
                self._racer.eval(
                    f"__rbDefine({json.dumps(specifier)},{json.dumps(vendor)},"
                    f'(function(require,module,exports,globalThis){{"use strict";\n{script}\n}}))'
                    f"\n//# sourceURL=rb:{name}"
                )
            except JSEvalException as error:
                refused[specifier] = str(error)
        self._expect(False)
        return refused

    async def render(self, jobs: str, stop: Callable[[], str]) -> _Results:
        """Render; `stop` is asked again and again, and what it says, if anything, ends it."""
        said = str(await self._bounded(self._render(jobs), stop))
        count, proven, text = said.split(" ", 2)
        if proven == "1":
            return _Results(int(count), text)
        return _Results.of([_checked(result) for result in json.loads(text)])

    async def settle(self, stop: Callable[[], str]) -> None:
        """Run the promise reactions that are left: they may be endless."""
        for _ in range(2):
            await self._bounded(self._settle(), stop)
        # V8 ends reactions that take all memory without a word to the next call.
        if self._racer.was_hard_memory_limit_reached():
            raise _StoppedError("memory")

    async def _bounded(self, call: Awaitable[Any], stop: Callable[[], str]) -> Any:
        task = asyncio.ensure_future(call)
        while True:
            finished, _ = await asyncio.wait({task}, timeout=_POLL)
            if finished:
                return task.result()
            reason = stop()
            if reason:
                task.cancel()
                with _or_end(), contextlib.suppress(asyncio.CancelledError, JSEvalException):
                    await task
                raise _StoppedError(reason)

    async def partial(self) -> list[Any]:
        """What a render that was stopped had finished."""
        try:
            with _or_end():
                text = await self._partial()
        except JSEvalException:
            return []
        return [_checked(result) for result in json.loads(str(text))]


@contextlib.contextmanager
def _or_end() -> Iterator[None]:
    """End this process if V8 can't be stopped soon: it is in a built-in that never looks up."""
    last_resort = threading.Timer(_STOPS_WITHIN, os._exit, (os.EX_SOFTWARE,))
    last_resort.start()
    try:
        yield
    finally:
        last_resort.cancel()


class _StoppedError(Exception):
    """A block was stopped; the text says for what."""


class _Room:
    """The isolate of this process, what was defined in it, and its bounds."""

    def __init__(self) -> None:
        self._modules: dict[str, _Definition] = {}
        self._source = ""
        self._cpu = 2.0
        self._heap = 256 * _MIB
        self._closing = contextlib.ExitStack()
        self._isolate: _Isolate | None = None

    async def handle(self, request: dict[str, Any]) -> str:
        """Answer one request, in JSON."""
        if "open" in request:
            self._source, self._cpu, self._heap = request["open"], request["cpu"], request["heap"]
            self._renew()
            return "{}"
        refused = self._define(request["define"])
        if refused:
            return json.dumps({"refused": refused})
        done = ",".join([part.text[1:-1] for part in await self._render(request["render"])])
        return f'{{"refused":{{}},"done":[{done}],"rss":{_resident()}}}'

    def _renew(self) -> _Isolate:
        """A fresh isolate with the same modules."""
        self._isolate = None
        self._closing.close()
        racer = self._closing.enter_context(mini_racer())
        self._isolate = isolate = _Isolate(racer, self._source, self._heap)
        isolate.define(list(self._modules.values()))
        return isolate

    def _define(self, modules: list[_Definition]) -> dict[str, str]:
        if not modules:
            return {}
        refused = (self._isolate or self._renew()).define(modules)
        for module in modules:
            specifier = module[0]
            if specifier in refused:
                self._modules.pop(specifier, None)
            else:
                self._modules[specifier] = module
        return refused

    async def _render(self, jobs: list[list[str]]) -> list[_Results]:
        parts: list[_Results] = []
        done = 0
        until = time.monotonic() + _ANSWER_WITHIN
        while done < len(jobs) and (not parts or time.monotonic() < until):
            parts.append(await self._slice(jobs[done:]))
            done += parts[-1].number
        return parts

    async def _slice(self, jobs: list[list[str]]) -> _Results:
        """The results of one time slice, at least one."""
        isolate = self._isolate or self._renew()
        began = time.process_time()
        memory = self._heap + _resident()

        def stop() -> str:
            if _resident() > memory:
                return "memory"
            return "cpu" if time.process_time() - began > self._cpu + _SLICE else ""

        failure: dict[str, str]
        try:
            results = await isolate.render(json.dumps(jobs), stop)
        except _StoppedError as stopped:
            failure = {"bound": str(stopped)}
        except JSOOMException:
            failure = {"bound": "memory"}
        except JSEvalException as error:
            failure = {"name": "Error", "message": str(error), "stack": ""}
        else:
            return results if await self._settled(isolate, stop) else await self._alone(jobs)
        self._isolate = None
        finished = await isolate.partial()
        # All finished and stopped yet: it was the promise reactions of one of them.
        if len(finished) == len(jobs):
            return await self._alone(jobs)
        return _Results.of([*finished, [None, failure]])

    async def _settled(self, isolate: _Isolate, stop: Callable[[], str]) -> bool:
        """Whether what the blocks left for later came to an end; else the isolate is given up."""
        try:
            await isolate.settle(stop)
        except (_StoppedError, JSEvalException):
            self._isolate = None
            return False
        return True

    async def _alone(self, jobs: list[list[str]]) -> _Results:
        """The first job by itself, when one among them leaves something endless behind."""
        if len(jobs) == 1:
            return _Results.of([[None, {"bound": "reactions"}]])
        return await self._slice(jobs[:1])


def _checked(result: list[Any]) -> list[Any]:
    """The result, or what a real parser has to say where the isolate could not prove the HTML."""
    html, flags = result
    wrong = None if html is None or flags & _PROVEN else fault(html)
    if wrong is None:
        return result
    return [None, {"name": "", "message": wrong[0], "remedy": wrong[1], "stack": ""}]


def _resident() -> int:
    """This process's resident memory in bytes; 0 where the system doesn't tell."""
    try:
        with open("/proc/self/statm", "rb") as file:  # noqa: PTH123 - asked every 50 ms
            return int(file.read().split()[1]) * _PAGE
    except OSError:
        return 0


def _give_up_rights() -> None:
    """No core dump when V8 runs out of memory, no file written, no memory without end."""
    bounds = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0}
    if sys.platform.startswith("linux"):
        # Counts what is writable and private, so V8's reserved address space does not matter.
        bounds["RLIMIT_DATA"] = 1024 * _MIB
    for name, bound in bounds.items():
        kind = getattr(resource, name)
        _, most = resource.getrlimit(kind)
        value = bound if most == resource.RLIM_INFINITY else min(bound, most)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (value, value))


def main() -> None:
    """Serve frames until the end of input."""
    _give_up_rights()
    init_mini_racer(flags=("--single-threaded", "--disallow-code-generation-from-strings"))
    loop = asyncio.new_event_loop()
    room = _Room()

    async def one(payload: bytes) -> bytes:
        return (await room.handle(json.loads(payload))).encode()

    answer(lambda payload: loop.run_until_complete(one(payload)))
    os._exit(0)  # V8's own teardown has nothing left to save and may wait for its threads


if __name__ == "__main__":
    main()
