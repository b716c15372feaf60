"""One V8 isolate: what renders slices of jobs, and stops what takes too long."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import threading
from collections.abc import Awaitable, Callable, Generator, Sequence
from typing import Any, Final, NamedTuple, Self

from py_mini_racer import JSEvalException, MiniRacer

from robbieblocks.errors import Problem
from robbieblocks.prerender.isolate import harness
from robbieblocks.prerender.isolate.controls import nested_controls_in
from robbieblocks.prerender.isolate.html_check import html_problem, parsed, whole_page
from robbieblocks.prerender.isolate.nesting import (
    escaped_text,
    in_template,
    misnested_in,
    split_control,
)
from robbieblocks.prerender.isolate.protocol import (
    INTERACTIVE,
    PROVEN,
    RERENDER,
    Definition,
    Failure,
    Result,
)
from robbieblocks.row_faults import blame

_POLL_S: Final = 0.05
_STOP_TIMEOUT_S: Final = 1.0


class Results(NamedTuple):
    """So many results, as the JSON that the isolate wrote: most need not be parsed here."""

    number: int
    text: str

    @classmethod
    def of(cls, results: list[Result]) -> Self:
        """Results that were parsed, as JSON again."""
        return cls(len(results), json.dumps(results, ensure_ascii=False, separators=(",", ":")))


class StoppedError(Exception):
    """A block was stopped; the text is the bound that it passed."""


class V8Isolate:
    """One V8 isolate that has run React and the harness; `is_fresh` until it renders a block."""

    def __init__(
        self, racer: MiniRacer, react_script: str, heap_bytes: int, *, elsewhere: bool
    ) -> None:
        racer.set_hard_memory_limit(heap_bytes)
        racer.eval(react_script)
        self._racer = racer
        self.is_fresh = True
        functions: Any = racer.eval(harness.script(elsewhere=elsewhere))
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

    async def render(self, jobs: str, stop_reason: Callable[[], str]) -> Results:
        """Render one time slice of the jobs, given as JSON.

        `stop_reason` is called again and again; a text that is not empty stops the rendering.
        Raises StoppedError with that text, JSOOMException and JSEvalException.
        """
        self.is_fresh = False
        reply = str(await self._bounded(self._render(jobs), stop_reason))
        count, proven, text = reply.split(" ", 2)
        if proven == "1":
            return Results(int(count), text)
        return Results.of([checked(result) for result in json.loads(text)])

    async def settle(self, stop_reason: Callable[[], str]) -> None:
        """Run the promise reactions that are left, which may be endless. Raises as `render`."""
        for _ in range(2):
            await self._bounded(self._settle(), stop_reason)
        # V8 ends promise reactions that take all memory, and the next call does not raise.
        if self.out_of_memory:
            raise StoppedError("memory")

    @property
    def out_of_memory(self) -> bool:
        """Whether V8 ended a script because memory ran out."""
        return self._racer.was_hard_memory_limit_reached()

    async def partial(self) -> list[Result] | None:
        """The results that a render had finished when it was stopped; None where V8 lost them."""
        try:
            with _exit_if_stuck():
                text = await self._partial()
        except JSEvalException:
            return None
        return [checked(result) for result in json.loads(str(text))]

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
                raise StoppedError(reason)


@contextlib.contextmanager
def _exit_if_stuck() -> Generator[None]:
    """End this process if V8 does not stop soon: some built-in functions never check for it."""
    timer = threading.Timer(_STOP_TIMEOUT_S, os._exit, (os.EX_SOFTWARE,))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def checked(result: Result) -> Result:
    """The result, checked by an HTML parser where the harness could not prove the HTML."""
    if result[0] is None:
        return result
    html, flags, classes, later, hints, nesting, _ = result
    if flags & PROVEN:
        return result
    faults: list[Problem] = []
    wrong: tuple[str, str] | None = None
    misnested = controls = ""
    with blame(faults.append, "component", ""):
        document = parsed(html)
        wrong = whole_page(nesting) or html_problem(document)
        if wrong is None:
            controls = nested_controls_in(document)
            if nesting:
                misnested = misnested_in(document, nesting)
            lives = flags & (INTERACTIVE | RERENDER)
            if lives and not misnested:
                misnested = in_template(nesting) or escaped_text(nesting)
            if not misnested and nesting != html and not lives:
                # No tree of React's is needed, and raw HTML may have what a parser takes apart.
                misnested = split_control(document, html)
    if faults:
        wrong = faults[0].what, "write its HTML in another way"
    if wrong is None:
        return html, flags, classes, later, hints, misnested, controls
    return None, Failure(message=wrong[0], fix=wrong[1])
