"""One isolate: a warm child process and what it knows, replaced when a component ruins it."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import orjson

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import (
    Bundle,
    Module,
    RenderedBlock,
    RenderJob,
    Sha256,
    component_specifier,
    reachable,
)
from robbieblocks.prerender.blame import problem
from robbieblocks.prerender.keys import source_name
from robbieblocks.process import Child

_CHILD: Final = str(Path(__file__).resolve().with_name("child.py"))
_PACKAGE: Final = str(Path(__file__).resolve().parent.parent.parent)
# A child whose memory has grown past this is replaced before the next batch.
_LARGEST_CHILD: Final = 220 << 20
_STOPS_PER_COMPONENT: Final = 3
_COMPONENTS: Final = component_specifier("")
_PROVIDED: Final = frozenset({"react", "react-dom", "react/jsx-runtime", "react/jsx-dev-runtime"})
_FATAL_BOUNDS: Final = frozenset({"cpu", "memory", "crash", "reactions"})

_Result = list[Any]


class Isolate:
    """Renders in one child process, one batch at a time; the child is started when needed.

    `cpu` is in seconds of CPU time for each block, `heap` in bytes. `stop` may be called by another
    thread than the one that renders; everything else belongs to one thread at a time.
    """

    def __init__(self, *, cpu: float, heap: int) -> None:
        self._cpu = cpu
        self._heap = heap
        self._child: Child | None = None
        self._opened = ""
        self._defined: dict[str, Sha256] = {}
        self._refused: dict[str, str] = {}
        self._resident = 0
        self._stopped = False

    def start(self) -> None:
        """Have a child on its way; it gets ready while other work is done. Raises ProcessFailed."""
        if self._stopped:
            raise ProcessFailed("prerendering was stopped")
        if self._child is None:
            self._child = _start()

    def open(self, react: str) -> None:
        """Have a child with this React: waits until it is there. Raises ProcessFailed."""
        if self._child is not None and (
            self._opened not in ("", react)
            or self._resident > _LARGEST_CHILD
            or not self._child.alive
        ):
            self._drop()
        self.start()
        if not self._opened:
            self._opened = react
            self._call({"open": react, "cpu": self._cpu, "heap": self._heap})

    def rendered(
        self, batch: Sequence[RenderJob], bundle: Bundle, stops: Counter[str]
    ) -> list[RenderedBlock]:
        """Each job's HTML, in order, or its problem. `stops` counts, by component, what was
        stopped by force; a component that was too often is not tried again.

        Raises ProcessFailed where a child can't be started or dies of itself.
        """
        results = self._batch(batch, bundle, stops)
        return [
            self._block(job, result, bundle) for job, result in zip(batch, results, strict=True)
        ]

    def stop(self) -> None:
        """End the child now; what it renders fails, and nothing more is until `close`."""
        self._stopped = True
        if self._child is not None:
            self._child.interrupt()

    def close(self) -> None:
        """End the child; the next batch starts another."""
        if self._child is not None:
            self._child.close()
        self._drop()
        self._stopped = False

    def _drop(self) -> None:
        """Be without a child, and know nothing of what one knew."""
        if self._child is not None:
            self._child.kill()
        self._child = None
        self._opened = ""
        self._defined = {}
        self._refused = {}
        self._resident = 0

    def _block(self, job: RenderJob, result: _Result, bundle: Bundle) -> RenderedBlock:
        html, rest = result
        if html is None:
            found = problem(job.component, rest, bundle, self._cpu)
            return RenderedBlock(html="", interactive=False, problem=found)
        return RenderedBlock(html=html, interactive=bool(rest & 1), volatile=bool(rest & 2))

    def _batch(
        self, batch: Sequence[RenderJob], bundle: Bundle, stops: Counter[str]
    ) -> list[_Result]:
        done: list[_Result] = []
        alone = 0  # how many of the next jobs are sent one by one, to find the one that kills
        while len(done) < len(batch):
            job = batch[len(done)]
            if stops[job.component] >= _STOPS_PER_COMPONENT:
                done.append([None, {"bound": "again"}])
                alone = max(0, alone - 1)
                continue
            some = batch[len(done) : len(done) + 1] if alone else batch[len(done) :]
            some = _until_stopped(some, stops)
            try:
                fresh = self._ask(some, bundle)
            except ProcessFailed:
                self._drop()
                if self._stopped:
                    raise
                if len(some) > 1:
                    alone = len(some)
                    continue
                fresh = [[None, {"bound": "crash"}]]
            alone = max(0, alone - len(fresh))
            for job, (html, rest) in zip(some, fresh, strict=False):
                if html is None and rest.get("bound") in _FATAL_BOUNDS:
                    stops[job.component] += 1
            done += fresh
        return done

    def _ask(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[_Result]:
        """Results for the first of the jobs, at least one."""
        self.open(bundle.isolate)
        fresh = self._unknown(jobs, bundle)
        first = component_specifier(jobs[0].component)
        if first in self._refused and all(module.specifier != first for module in fresh):
            return [[None, {"name": "", "message": self._refused[first], "stack": ""}]]
        listed = [(component_specifier(job.component), job.props_json, job.prefix) for job in jobs]
        # Both in one frame: on a busy machine each costs milliseconds of waiting for a processor.
        answer = self._call(
            {
                "define": [_definition(module) for module in fresh],
                "render": listed,
            }
        )
        for module in fresh:
            self._refused.pop(module.specifier, None)
            self._defined[module.specifier] = module.script_hash
        if answer["refused"]:
            self._refused |= answer["refused"]
            return self._ask(jobs, bundle)
        self._resident = answer["rss"]
        done: list[_Result] = answer["done"]
        return done

    def _unknown(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[Module]:
        """The modules of the jobs that the child lacks: what it knows is not sent again."""
        wanted = reachable({component_specifier(job.component) for job in jobs}, bundle.modules)
        return [
            module
            for specifier in sorted(wanted - _PROVIDED)
            if self._defined.get(specifier) != (module := bundle.modules[specifier]).script_hash
        ]

    def _call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        if self._child is None:
            raise AssertionError("there is a child while something is asked of it")
        payload = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
        # The child stops what runs too long by itself; this is for when it can't.
        answer = self._child.call(payload.encode("utf-8", "surrogatepass"), self._cpu * 4 + 10)
        reply: dict[str, Any] = orjson.loads(answer)
        return reply


def _definition(module: Module) -> tuple[str, str, str, bool]:
    """What the child must know of a module; the last says whether it is a package's."""
    specifier = module.specifier
    return specifier, source_name(specifier), module.script, not specifier.startswith(_COMPONENTS)


def _until_stopped(jobs: Sequence[RenderJob], stops: Counter[str]) -> Sequence[RenderJob]:
    """The jobs before the first whose component has been stopped too often."""
    if not stops:
        return jobs
    for index, job in enumerate(jobs):
        if stops[job.component] >= _STOPS_PER_COMPONENT:
            return jobs[:index]
    return jobs


def _start() -> Child:
    """A child that inherits nothing of the environment: no password, no time zone, no locale."""
    return Child(
        (sys.executable, "-X", "utf8", "-P", _CHILD),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_PACKAGE, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        },
    )
