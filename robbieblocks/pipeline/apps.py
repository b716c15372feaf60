"""One app, made once for all the nodes that carry it: assembled, bundled, rendered, composed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Self

from robbieblocks.assemble import Assembly, assemble, is_due, page_on_node
from robbieblocks.bundle import bundle
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import (
    AssembledBlock,
    AssembledPage,
    Bundle,
    ComponentRow,
    NodeRow,
    RenderedBlock,
    RenderJob,
    Sha256,
    Snapshot,
)
from robbieblocks.pipeline.blocks import Blocks
from robbieblocks.pipeline.plan import Fingerprints
from robbieblocks.pipeline.report import Stopwatch
from robbieblocks.pipeline.workshop import Workshop
from robbieblocks.prerender import JobKeys, PageDocument, PageRenderer


@dataclass(slots=True, kw_only=True)
class App:
    """What all nodes that carry an app share. `documents` are pages without branding."""

    name: str
    assembly: Assembly
    bundle: Bundle
    keys: JobKeys
    fingerprints: Fingerprints
    broken: Mapping[str, tuple[Problem, ...]]
    placed: frozenset[str]
    components: Mapping[str, ComponentRow]
    blocks: Blocks
    documents: dict[Sha256, PageDocument] = field(default_factory=dict)
    _jobs: dict[int, tuple[AssembledPage, tuple[RenderJob, ...]]] = field(default_factory=dict)

    @classmethod
    def of(cls, name: str, snapshot: Snapshot, workshop: Workshop, watch: Stopwatch) -> Self:
        """Assemble an app's pages and compile the components that they place."""
        with watch.phase("assemble"):
            assembly = assemble(
                snapshot,
                name,
                layouts=workshop.shell.layouts(),
                previous=workshop.assemblies.get(name),
            )
            workshop.assemblies[name] = assembly
            blocks = chain.from_iterable(plan.page.blocks for plan in assembly.pages)
            placed = frozenset(map(attrgetter("component"), blocks))
        with watch.phase("bundle"):
            made = bundle(
                snapshot.components,
                placed,
                toolchain=workshop.toolchain,
                cache=workshop.cache,
                tokens=snapshot.tokens,
                base_css=workshop.base_css,
            )
        with watch.phase("compare"):
            fingerprints = Fingerprints(
                made,
                shell=workshop.shell.id,
                toolchain=workshop.toolchain.id,
                tokens=snapshot.tokens,
                previous=workshop.fingerprints.get(name),
            )
            workshop.fingerprints[name] = fingerprints
        return cls(
            name=name,
            assembly=assembly,
            bundle=made,
            keys=JobKeys(made),
            fingerprints=fingerprints,
            broken=_blame(made),
            placed=placed,
            components=snapshot.components,
            blocks=Blocks(waiting=partial(watch.part, "prerender")),
        )

    def pages(self, node: NodeRow, now: datetime) -> Iterable[AssembledPage]:
        """The app's pages as a node shows them at an instant."""
        return [
            page_on_node(page, node, now=now) for page in self.assembly.pages if is_due(page, now)
        ]

    def render(self, pages: Iterable[AssembledPage], workshop: Workshop) -> int:
        """Begin to render what pages show and was not rendered yet; says how many blocks."""
        wanted = dict.fromkeys(job for page in pages for job in self._jobs_of(page))
        jobs = [job for job in wanted if job not in self.blocks]
        return workshop.render(jobs, self.keys, self.blocks) if jobs else 0

    def composed(
        self, page: AssembledPage, fingerprint: Sha256, shell: PageRenderer
    ) -> PageDocument | tuple[Problem, ...]:
        """The page without branding, made once for all nodes that show it alike, or its faults."""
        known = self.documents.get(fingerprint)
        if known is not None:
            return known
        rendered = self._rendered(page)
        faults = self._faults(page, rendered)
        if faults:
            return faults
        try:
            made = self.documents[fingerprint] = shell.compose(page, rendered, self.bundle)
        except ContentError as error:
            return error.problems
        return made

    def _rendered(self, page: AssembledPage) -> dict[int, RenderedBlock]:
        """The page's blocks, by order; what is on its way is waited for."""
        jobs = self._jobs_of(page)
        return {block.order: self.blocks[job] for block, job in zip(page.blocks, jobs, strict=True)}

    def _faults(
        self, page: AssembledPage, rendered: Mapping[int, RenderedBlock]
    ) -> tuple[Problem, ...]:
        """What went wrong when the page's blocks were rendered."""
        return tuple(
            [
                replace(problem, page=page.key, block=order, source=self._quoted(problem))
                for order, block in rendered.items()
                if (problem := block.problem) is not None
            ]
        )

    def _jobs_of(self, page: AssembledPage) -> tuple[RenderJob, ...]:
        known = self._jobs.get(id(page))
        if known is None:
            # The page is kept beside its jobs, so that no other object can come by its id.
            known = self._jobs[id(page)] = (page, tuple(_job(block) for block in page.blocks))
        return known[1]

    def _quoted(self, problem: Problem) -> str:
        """The stored line that a problem of a component's code points at."""
        row = self.components.get(problem.key)
        if row is None or problem.line is None or problem.field != "react_code":
            return problem.source
        lines = row.code.splitlines()
        return lines[problem.line - 1] if problem.line <= len(lines) else ""


def _job(block: AssembledBlock) -> RenderJob:
    return RenderJob(component=block.component, props_json=block.props_json, prefix=f"{block.id}-")


def _blame(made: Bundle) -> dict[str, tuple[Problem, ...]]:
    """Each broken component with its problems and those of what it imports: never none."""

    def faults(key: str) -> tuple[Problem, ...]:
        unknown = Problem(entity="component", key=key, what="it can't be built")
        return made.blame.get(key) or (unknown,)

    return {key: faults(key) for key in made.broken}
