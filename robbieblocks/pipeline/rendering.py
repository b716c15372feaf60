"""Rendering: the blocks of the planned pages, and the HTML of each page without branding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial

from robbieblocks.errors import ContentError, Problem, RobbieBlocksError
from robbieblocks.messages import json_pointer
from robbieblocks.model import (
    AssembledBlock,
    AssembledPage,
    IdentityMap,
    Json,
    JsonObject,
    RenderedBlock,
    RenderJob,
    Sha256,
    class_words,
)
from robbieblocks.pipeline.block_warnings import block_warnings
from robbieblocks.pipeline.compiling import CompiledApp
from robbieblocks.pipeline.planning import PageInputs, Plan
from robbieblocks.pipeline.session import MakingSession
from robbieblocks.pipeline.sitemaps import Sitemaps
from robbieblocks.prerender import JobKeys, PageDocument, PageRenderer, html_problem
from robbieblocks.row_faults import blame

BlockStream = Iterator[Mapping[RenderJob, RenderedBlock]]
"""Blocks in batches: taking the next batch waits for it."""


@dataclass(slots=True, kw_only=True)
class RenderedBlocks:
    """An app's blocks by job. Looking one up that is being rendered waits for it, inside `waiting`.

    Meanwhile the others are rendered, so that pages are composed while blocks are rendered.
    `there` are the blocks that can be had at once, `stream` brings those that come later. `learn`
    is told which words of theirs may be classes: of many at once, not for each page.
    """

    waiting: Callable[[], AbstractContextManager[None]]
    learn: Callable[[frozenset[str]], object] = field(default=lambda _: None)
    there: dict[RenderJob, RenderedBlock] = field(default_factory=dict)
    stream: BlockStream = field(default_factory=lambda: iter(()))
    _failure: RobbieBlocksError | None = None

    def __getitem__(self, job: RenderJob) -> RenderedBlock:
        """Raises KeyError for a job that is in neither, and ProcessFailed as rendering does."""
        while (known := self.there.get(job)) is None:
            self._take_batch()
        return known

    def add(self, batch: Mapping[RenderJob, RenderedBlock]) -> None:
        """Blocks that can be had from now on. Raises ProcessFailed as `learn` does."""
        self.there.update(batch)
        self.learn(class_words(batch.values()))

    def _take_batch(self) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            with self.waiting():
                self.add(next(self.stream))
        except StopIteration:
            raise KeyError("no block is being rendered") from None
        except RobbieBlocksError as error:
            self._failure = error
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendering:
    """The rendering of each app by name, and how many blocks are rendered now."""

    apps: Mapping[str, AppRendering]
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AppRendering:
    """What an app's planned pages show, made once for all nodes that show it alike."""

    app: CompiledApp
    renderer: PageRenderer
    sitemaps: Sitemaps
    blocks: RenderedBlocks
    _documents: dict[Sha256, PageDocument] = field(default_factory=dict)
    _jobs: IdentityMap[AssembledPage, tuple[RenderJob, ...]] = field(default_factory=IdentityMap)

    def jobs(self, page: AssembledPage) -> tuple[RenderJob, ...]:
        """What a page's blocks ask the isolate to render, in their order."""
        known = self._jobs.get(page)
        return known or self._jobs.put(page, tuple([_job(block) for block in page.blocks]))

    def document(self, made_from: PageInputs) -> PageDocument | tuple[Problem, ...]:
        """A page's HTML without branding, or the problems that its blocks have.

        Waits for the page's blocks. Raises ProcessFailed.
        """
        known = self._documents.get(made_from.document)
        if known is not None:
            return known
        page = made_from.page
        blocks = self._blocks_of(page)
        problems = self._problems(page, blocks)
        if problems:
            return problems
        try:
            made = self.renderer.compose(page, blocks, self.app.bundle, self.app.styles)
        except ContentError as error:
            return error.problems
        warnings = block_warnings(page, blocks, self.app.components)
        if warnings:
            made = replace(made, problems=(*made.problems, *warnings))
        self._documents[made_from.document] = made
        return made

    def _blocks_of(self, page: AssembledPage) -> dict[int, RenderedBlock]:
        """The page's blocks by order."""
        jobs = zip(page.blocks, self.jobs(page), strict=True)
        return {block.order: self.blocks[job] for block, job in jobs}

    def _problems(
        self, page: AssembledPage, blocks: Mapping[int, RenderedBlock]
    ) -> tuple[Problem, ...]:
        return tuple(
            [
                replace(
                    _blaming_props(problem, block.props),
                    page=block.frame or page.key,
                    block=block.own_order,
                    source=self._source_line(problem),
                )
                for block in page.blocks
                if (problem := blocks[block.order].problem) is not None
            ]
        )

    def _source_line(self, problem: Problem) -> str:
        """The stored line that a problem of a component's code points at."""
        row = self.app.components.get(problem.key)
        if row is None or problem.line is None or problem.field != "react_code":
            return problem.source
        lines = row.code.splitlines()
        return lines[problem.line - 1] if problem.line <= len(lines) else ""


def _is_cause(html: str, problem: Problem) -> bool:
    """Whether a text alone has this problem as the HTML of a block."""
    with blame(lambda _: None, "component", problem.key):
        wrong = html_problem(html)
        return wrong is not None and wrong[0] == problem.what
    return False


def _blaming_props(problem: Problem, props: JsonObject) -> Problem:
    """The problem with a block's HTML, with the prop that brings it where one alone does."""
    waiting: list[tuple[tuple[str | int, ...], Json]] = [((), props)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [((*path, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            waiting += [((*path, index), part) for index, part in enumerate(value)]
        elif isinstance(value, str) and "<" in value and _is_cause(value, problem):
            return replace(
                problem,
                field="props",
                pointer=json_pointer(*path),
                what=f"the HTML in this prop can't be shown: {problem.what}",
                remedy="close in it every element that it opens, and no other"
                if "leaves the block" in problem.what
                else problem.remedy,
                line=None,
                column=None,
            )
    return problem


def render(plan: Plan, compiled: Mapping[str, CompiledApp], session: MakingSession) -> Rendering:
    """Begin to render every block that a planned page shows and the cache does not have.

    Returns at once: a page's blocks are waited for when its document is asked for. Raises
    ProcessFailed.
    """
    count = 0
    apps: dict[str, AppRendering] = {}
    with session.stopwatch.step("render"):
        for name, app in compiled.items():
            rendering = AppRendering(
                app=app,
                renderer=session.context.page_renderer,
                sitemaps=session.context.memory.sitemaps,
                blocks=RenderedBlocks(
                    waiting=partial(session.stopwatch.phase, "render"), learn=app.bundle.learn
                ),
            )
            runs = [run for run in plan.runs if run.target.app == name]
            pages = [made_from.page for run in runs for made_from in run.to_make]
            count += _start(rendering, pages, session)
            apps[name] = rendering
    return Rendering(apps=apps, count=count)


def _start(rendering: AppRendering, pages: list[AssembledPage], session: MakingSession) -> int:
    """Look up the pages' blocks in the cache, begin to render the others, and count those."""
    jobs = dict.fromkeys(job for page in pages for job in rendering.jobs(page))
    if not jobs:
        return 0
    context, bundle = session.context, rendering.app.bundle
    job_keys = JobKeys(bundle)
    keys = {job: job_keys.key(job) for job in jobs}
    cached = context.blocks.get_many(keys.values())
    rendering.blocks.add({job: cached[key] for job, key in keys.items() if key in cached})
    missing = {job: key for job, key in keys.items() if key not in cached}
    if missing:
        stream = context.prerenderer.stream(list(missing), bundle)
        rendering.blocks.stream = context.blocks.remember(missing, stream)
    return len(missing)


def _job(block: AssembledBlock) -> RenderJob:
    return RenderJob(component=block.component, props_json=block.props_json, prefix=f"{block.id}-")
