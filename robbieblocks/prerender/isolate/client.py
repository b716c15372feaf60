"""The parent's side of one isolate: a warm child process, replaced when a component ruins it."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Final

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
from robbieblocks.prerender.isolate.error_mapping import component_problem
from robbieblocks.prerender.isolate.keys import source_name
from robbieblocks.prerender.isolate.protocol import (
    INTERACTIVE,
    LEFT_OUT,
    RERENDER,
    Definition,
    Failure,
    OpenRequest,
    RenderReply,
    RenderRequest,
    Result,
)
from robbieblocks.process import ROWS_MEMORY_BYTES, Child, Killed

_PROGRAM: Final = str(Path(__file__).resolve().with_name("process.py"))
_IMPORT_ROOT: Final = str(Path(__file__).resolve().parents[3])
# A child that has grown past this is replaced before the next batch.
_MAX_CHILD_BYTES: Final = 220 << 20
_MAX_STOPS: Final = 3
# No component's key has this character: how often others killed the child that rendered it.
_KILLED: Final = "\0"
_COMPONENTS: Final = component_specifier("")
# Modules that the harness defines itself.
PROVIDED: Final = frozenset({"react", "react-dom", "react/jsx-runtime", "react/jsx-dev-runtime"})
# As far from UTC as js/elsewhere.js is from js/here.js.
_ELSEWHERE: Final = "Asia/Kathmandu"
_STOPPED: Final = frozenset({"cpu", "memory", "crash", "killed", "reactions"})


class IsolateClient:
    """Renders in one child process, one batch at a time. The child is started when it is needed.

    `cpu_s` is seconds of CPU time for each block, `heap_bytes` the isolate's memory. `elsewhere` is
    as in `Prerenderer`. Threads may render and open at the same time: each waits for the others.
    Any may call `stop`; everything else belongs to one thread at a time.
    """

    def __init__(self, *, cpu_s: float, heap_bytes: int, elsewhere: bool = False) -> None:
        self._cpu_s = cpu_s
        self._heap_bytes = heap_bytes
        self._elsewhere = elsewhere
        self._child: Child | None = None
        self._react_script = ""
        self._defined: dict[str, Sha256] = {}
        self._refused: dict[str, str] = {}
        self._child_bytes = 0
        self._stopped = False
        self._one_at_a_time = Lock()

    def start(self) -> None:
        """Start a child if there is none, without waiting for it. Raises ProcessFailed."""
        if self._stopped:
            raise ProcessFailed("prerendering was stopped")
        if self._child is None:
            self._child = start_child(_ELSEWHERE if self._elsewhere else "UTC")

    def open(self, react_script: str) -> None:
        """Have a child that has run this script, and wait until it is ready. Raises ProcessFailed.

        A child is replaced where it ran another script, has grown too large or has ended.
        """
        with self._one_at_a_time:
            self._opened(react_script)

    def _opened(self, react_script: str) -> None:
        if self._child is not None and (
            self._react_script not in ("", react_script)
            or self._child_bytes > _MAX_CHILD_BYTES
            or not self._child.alive
        ):
            self._drop_child()
        self.start()
        if not self._react_script:
            self._react_script = react_script
            self._call(
                {
                    "open": react_script,
                    "cpu": self._cpu_s,
                    "heap": self._heap_bytes,
                    "elsewhere": self._elsewhere,
                }
            )

    def render(
        self, jobs: Sequence[RenderJob], bundle: Bundle, stops: Counter[str]
    ) -> list[RenderedBlock]:
        """Each job's block, in order, with its HTML or its problem.

        `stops` counts how often each component was stopped by force. One that was stopped too often
        is not rendered again. Raises ProcessFailed where a child can't be started, or dies for
        another reason than a component.
        """
        with self._one_at_a_time:
            results = self._results(jobs, bundle, stops)
        return [self._block(job, result, bundle) for job, result in zip(jobs, results, strict=True)]

    def stop(self) -> None:
        """End the child now: a render that is under way fails, and so do others until `close`."""
        self._stopped = True
        if self._child is not None:
            self._child.interrupt()

    def close(self) -> None:
        """End the child; the next render starts another."""
        if self._child is not None:
            self._child.close()
        self._drop_child()
        self._stopped = False

    def _drop_child(self) -> None:
        if self._child is not None:
            self._child.kill()
        self._child = None
        self._react_script = ""
        self._defined = {}
        self._refused = {}
        self._child_bytes = 0

    def _block(self, job: RenderJob, result: Result, bundle: Bundle) -> RenderedBlock:
        if result[0] is None:
            problem = component_problem(job.component, result[1], bundle, self._cpu_s)
            return RenderedBlock(html="", interactive=False, problem=problem)
        html, flags, classes, later, hints, misnested, controls = result
        return RenderedBlock(
            html=html,
            interactive=bool(flags & INTERACTIVE),
            rerender=bool(flags & RERENDER),
            classes=classes,
            later_classes=later,
            left_out=bool(flags & LEFT_OUT),
            hints=hints,
            misnested=misnested,
            nested_controls=controls,
        )

    def _results(
        self, jobs: Sequence[RenderJob], bundle: Bundle, stops: Counter[str]
    ) -> list[Result]:
        done: list[Result] = []
        # How many of the next jobs are sent one by one, to find the one that kills the child.
        one_by_one = 0
        killed_alone = False
        while len(done) < len(jobs):
            job = jobs[len(done)]
            if stops[job.component] >= _MAX_STOPS:
                was_killed = stops[_KILLED + job.component] > 0
                done.append((None, Failure(bound="killed" if was_killed else "again")))
                one_by_one = max(0, one_by_one - 1)
                continue
            sent = jobs[len(done) : len(done) + 1] if one_by_one else jobs[len(done) :]
            sent = _before_stopped(sent, stops)
            try:
                results = self._request(sent, bundle)
            except ProcessFailed as error:
                was_used = self._child_bytes > 0
                self._drop_child()
                if self._stopped:
                    raise
                if len(sent) > 1:
                    one_by_one = len(sent)
                    continue
                if was_used:
                    continue  # what it had rendered may have taken the memory: a new one decides
                is_killed = isinstance(error, Killed)
                if is_killed and not killed_alone:
                    killed_alone = True
                    continue
                results = [(None, Failure(bound="killed" if is_killed else "crash"))]
            killed_alone = False
            one_by_one = max(0, one_by_one - len(results))
            for job, result in zip(sent, results, strict=False):
                bound = result[1].get("bound") if result[0] is None else None
                if bound in _STOPPED:
                    stops[job.component] += 1
                    stops[_KILLED + job.component] += bound == "killed"
            done += results
        return done

    def _request(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[Result]:
        """The results of the first of the jobs, at least one."""
        self._opened(bundle.isolate)
        modules = self._undefined(jobs, bundle)
        first = component_specifier(jobs[0].component)
        if first in self._refused and all(module.specifier != first for module in modules):
            return [(None, Failure(message=self._refused[first]))]
        # Both in one frame: on a busy machine each frame waits milliseconds for a processor.
        reply = self._call(
            {
                "define": [definition(module) for module in modules],
                "render": [
                    (component_specifier(job.component), job.props_json, job.prefix) for job in jobs
                ],
            }
        )
        for module in modules:
            self._refused.pop(module.specifier, None)
            self._defined[module.specifier] = module.script_hash
        if reply["refused"]:
            self._refused |= reply["refused"]
            return self._request(jobs, bundle)
        self._child_bytes = reply["rss"]
        return reply["done"]

    def _undefined(self, jobs: Sequence[RenderJob], bundle: Bundle) -> list[Module]:
        """The modules that the jobs need and the child lacks, or has in another version."""
        wanted = reachable({component_specifier(job.component) for job in jobs}, bundle.modules)
        return [
            module
            for specifier in sorted(wanted - PROVIDED)
            if self._defined.get(specifier) != (module := bundle.modules[specifier]).script_hash
        ]

    def _call(self, request: OpenRequest | RenderRequest) -> RenderReply:
        """Send one request. The reply to an OpenRequest is empty, and not to be read."""
        if self._child is None:
            raise AssertionError("open() starts a child before anything is sent to it")
        payload = json.dumps(request, ensure_ascii=False, separators=(",", ":"))
        # The child stops components that take too long. This limit is for when it can't.
        timeout_s = self._cpu_s * 4 + 10
        reply: RenderReply = orjson.loads(
            self._child.call(payload.encode("utf-8", "surrogatepass"), timeout_s)
        )
        return reply


def definition(module: Module) -> Definition:
    """A module as a RenderRequest has it."""
    specifier = module.specifier
    return specifier, source_name(specifier), module.script, not specifier.startswith(_COMPONENTS)


def _before_stopped(jobs: Sequence[RenderJob], stops: Counter[str]) -> Sequence[RenderJob]:
    """The jobs before the first whose component was stopped too often."""
    if not stops:
        return jobs
    for index, job in enumerate(jobs):
        if stops[job.component] >= _MAX_STOPS:
            return jobs[:index]
    return jobs


def start_child(time_zone: str = "UTC") -> Child:
    """A child that inherits nothing of the environment: no password, no time zone, no locale."""
    return Child(
        (sys.executable, "-X", "utf8", "-P", _PROGRAM),
        env={
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join((_IMPORT_ROOT, *filter(None, sys.path))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LC_ALL": "C.UTF-8",
            "TZ": time_zone,
        },
        memory_bytes=ROWS_MEMORY_BYTES,
    )
