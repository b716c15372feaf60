"""Rendering blocks: a warm child process, fed in batches, replaced when a component ruins it."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from robbieblocks.errors import ProcessFailed
from robbieblocks.model import (
    Bundle,
    Module,
    RenderedBlock,
    RenderJob,
    Sha256,
    component_specifier,
    sha256,
)
from robbieblocks.prerender.blame import problem
from robbieblocks.process import Child

_HERE: Final = Path(__file__).resolve().parent
_MIB: Final = 1 << 20
_BATCH: Final = 2000
_BATCH_BYTES: Final = 16 * _MIB
# A child whose memory has grown past this is replaced before the next batch.
_LARGEST_CHILD: Final = 220 * _MIB
_STOPS_PER_COMPONENT: Final = 3
_PROVIDED: Final = frozenset({"react", "react-dom", "react/jsx-runtime", "react/jsx-dev-runtime"})
_FATAL_BOUNDS: Final = frozenset({"cpu", "memory", "crash", "reactions"})

_Result = list[Any]


def job_key(job: RenderJob, bundle: Bundle) -> str:
    """A hash of all that decides the job's HTML: job, React, harness, every script it loads."""
    scripts = _scripts_key(job.component, bundle)
    return sha256("\0".join((scripts, job.component, job.prefix, job.props_json)))


def _scripts_key(component: str, bundle: Bundle) -> str:
    """Kept per bundle: thousands of jobs share a few hundred components."""
    memo = _memo(bundle)
    known = memo.get(component)
    if known is None:
        parts: list[str] = [_harness_hash(), sha256(bundle.isolate)]
        for specifier in sorted(_closure([component_specifier(component)], bundle.modules)):
            parts += [specifier, bundle.modules[specifier].script_hash]
        known = memo[component] = sha256("\0".join(parts))
    return known


_memos: list[tuple[Bundle, dict[str, str]]] = []


def _memo(bundle: Bundle) -> dict[str, str]:
    """The memo of this very bundle; only the latest is kept."""
    if not _memos or _memos[0][0] is not bundle:
        _memos[:] = [(bundle, {})]
    return _memos[0][1]


@functools.cache
def _harness_hash() -> Sha256:
    """Changes whenever the code that decides what a render gives does."""
    names = ("prelude.js", "isolate.js", "guard.py", "child.py")
    return sha256(b"\0".join((_HERE / name).read_bytes() for name in names))


def _closure(specifiers: Iterable[str], modules: Mapping[str, Module]) -> set[str]:
    """The given modules and all that they import, as far as there are any."""
    found: set[str] = set()
    pending = list(specifiers)
    while pending:
        specifier = pending.pop()
        if specifier in found or specifier not in modules:
            continue
        found.add(specifier)
        pending += modules[specifier].imports
    return found


class Prerenderer:
    """Renders blocks in an isolate of a child process; keep one, it stays warm between builds.

    `cpu` is in seconds of CPU time for each block, `heap` in bytes for the isolate. Neither a
    component that loops, nor one that takes all memory or crashes the process, keeps the others
    from being rendered.
    """

    def __init__(self, *, cpu: float = 2.0, heap: int = 256 * _MIB) -> None:
        self._cpu = cpu
        self._heap = heap
        self._child: Child | None = None
        self._isolate = ""
        self._defined: dict[str, Sha256] = {}
        self._refused: dict[str, str] = {}
        self._resident = 0

    def render(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[RenderedBlock]:
        """Each job's HTML, in order; what can't be rendered has a `problem` that names the line.

        Equal jobs give equal HTML whatever else is rendered before or beside them. Raises
        ProcessFailed when the child can't be started or dies of itself.
        """
        results: list[RenderedBlock] = []
        stops: Counter[str] = Counter()
        for batch in _batches(jobs):
            for job, result in zip(batch, self._batch(batch, bundle, stops), strict=True):
                results.append(self._rendered(job, result, bundle))
        return results

    def close(self) -> None:
        """End the child; the next render starts another."""
        if self._child is not None:
            self._child.close()
        self._forget()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _forget(self) -> None:
        self._child = None
        self._defined = {}
        self._refused = {}
        self._resident = 0

    def _rendered(self, job: RenderJob, result: _Result, bundle: Bundle) -> RenderedBlock:
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
                self._forget()
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
        self._prepare(bundle)
        fresh = self._unknown(jobs, bundle)
        first = component_specifier(jobs[0].component)
        if first in self._refused and all(module.specifier != first for module in fresh):
            return [[None, {"name": "", "message": self._refused[first], "stack": ""}]]
        listed = [(component_specifier(job.component), job.props_json, job.prefix) for job in jobs]
        # Both in one frame: on a busy machine each costs milliseconds of waiting for a processor.
        answer = self._call(
            {
                "define": [
                    (module.specifier, module.script, not _is_component(module.specifier))
                    for module in fresh
                ],
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

    def _prepare(self, bundle: Bundle) -> None:
        """Have a child with this React."""
        if self._child is not None and (
            self._isolate != bundle.isolate
            or self._resident > _LARGEST_CHILD
            or not self._child.alive
        ):
            self._child.kill()
            self._forget()
        if self._child is None:
            self._child = _start()
            self._isolate = bundle.isolate
            self._call({"open": bundle.isolate, "cpu": self._cpu, "heap": self._heap})

    def _unknown(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[Module]:
        """The modules of the jobs that the child lacks: what it knows is not sent again."""
        wanted = _closure({component_specifier(job.component) for job in jobs}, bundle.modules)
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
        reply: dict[str, Any] = json.loads(answer)
        return reply


def _is_component(specifier: str) -> bool:
    return specifier.startswith("@robbieblocks/")


def _until_stopped(jobs: Sequence[RenderJob], stops: Counter[str]) -> Sequence[RenderJob]:
    """The jobs before the first whose component has been stopped too often."""
    if not stops:
        return jobs
    for index, job in enumerate(jobs):
        if stops[job.component] >= _STOPS_PER_COMPONENT:
            return jobs[:index]
    return jobs


def _batches(jobs: Sequence[RenderJob]) -> Iterable[Sequence[RenderJob]]:
    """The jobs in order, cut where a batch grows too long or too large for one frame."""
    start = size = 0
    for index, job in enumerate(jobs):
        length = len(job.props_json)
        if index - start >= _BATCH or (size + length > _BATCH_BYTES and index > start):
            yield jobs[start:index]
            start, size = index, 0
        size += length
    if start < len(jobs):
        yield jobs[start:]


def _start() -> Child:
    """A child that inherits nothing of the environment: no password, no time zone, no locale."""
    package = str(_HERE.parent.parent)
    return Child(
        (sys.executable, "-X", "utf8", "-m", "robbieblocks.prerender.child"),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((package, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
        },
    )
