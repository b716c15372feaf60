"""Stages: pages of one block each, made in memory on every node."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from robbieblocks.content import Content
from robbieblocks.dev.site import NodeSite
from robbieblocks.dev.workshop.catalogue import Catalogue
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import SHARED_APP, BlockRow, JsonObject, PageRow, Snapshot, same, sha256
from robbieblocks.pipeline import BuildContext, PreviewedRun, Target, stage
from robbieblocks.prerender import PageRenderer

# The layout of stages comes last: a project may have one of its own.
_TEMPLATES: Final = Path(__file__).resolve().parent / "templates"
_LAYOUT: Final = "workshop"
_CLIENT: Final = "workshop/stage.js"
# Each open workshop has one.
_STAGES_MAX: Final = 100


class Stage(NamedTuple):
    """What is made of a component's props: a hash over all nodes, and what is wrong.

    `version` is empty where nothing could be made yet.
    """

    component: str
    version: str = ""
    problems: tuple[Problem, ...] = ()


@dataclass(slots=True)
class Workshop:
    """The stages, and what the catalogue is made from.

    `saw` and `build` are for the builder's thread, the rest for the server's.
    """

    catalogue: Catalogue = field(default_factory=Catalogue)
    _rows: dict[str, PageRow] = field(default_factory=dict[str, PageRow])
    _made: dict[str, Stage] = field(default_factory=dict[str, Stage])
    _sites: Mapping[str, NodeSite] = field(default_factory=dict[str, NodeSite])
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _contexts: tuple[PageRenderer, BuildContext] | None = None

    def ask(self, stage_id: str, component: str, props: JsonObject) -> None:
        """Have a stage show a component with props, from the next build on."""
        row = PageRow(
            id=UUID(int=0),
            key=f"workshop-{stage_id}",
            app=SHARED_APP,
            name="Workshop",
            route=f"/workshop/{stage_id}/",
            layout=_LAYOUT,
            blocks=(BlockRow(1, "main", component, props, {}),),
        )
        with self._lock:
            known = self._rows.get(stage_id)
            if known is None and len(self._rows) >= _STAGES_MAX:
                self._drop(next(iter(self._rows)))
            if known is not None and known.blocks[0].component != component:
                self._drop(stage_id)
            self._rows[stage_id] = row

    def drop(self, stage_id: str) -> None:
        """Forget a stage: nobody looks at it any more."""
        with self._lock:
            self._drop(stage_id)

    def _drop(self, stage_id: str) -> None:
        self._rows.pop(stage_id, None)
        self._made.pop(stage_id, None)

    def stage(self, stage_id: str) -> Stage | None:
        """A stage as it was made last; None where it was not made yet."""
        with self._lock:
            return self._made.get(stage_id)

    def html(self, stage_id: str, node: str) -> bytes | None:
        """A stage's page on a node."""
        site = self._sites.get(node)
        for release in site.read() if site else ():
            if (file := release.routes.get(f"/workshop/{stage_id}/")) is not None:
                return release.content(file)
        return None

    def asset(self, name: str) -> bytes:
        """An asset of a stage on any node. Raises FileNotFoundError."""
        for site in self._sites.values():
            try:
                return site.asset(name)
            except FileNotFoundError:
                continue
        raise FileNotFoundError(name)

    def saw(self, content: Snapshot | None, files: Content, problems: Iterable[Problem]) -> None:
        """Show these rows, of the files of a project, and what is wrong with components."""
        if content is not None:
            self.catalogue.saw(content, files, problems)

    def build(self, nodes: Iterable[str], context: BuildContext) -> None:
        """Make what differs from the last time on these nodes. Raises ProcessFailed."""
        content = self.catalogue.content
        with self._lock:
            rows = dict(self._rows)
        if content is None or not (rows or self._sites):
            return
        shown = set(nodes)
        staged = replace(
            content,
            pages=tuple(rows.values()),
            nodes=tuple(node for node in content.nodes if node.id in shown),
        )
        sites = {
            node.id: self._sites.get(node.id) or NodeSite(node.id, _CLIENT) for node in staged.nodes
        }
        before = {
            Target(node, app): manifest
            for node, site in sites.items()
            for app, manifest in site.manifests.items()
        }
        try:
            made = stage(
                staged,
                before=before,
                context=self._context(context),
                now=datetime.now(UTC),
            )
        except ContentError as error:
            for stage_id, row in rows.items():
                known = self.stage(stage_id)
                self._keep(stage_id, row, known.version if known else "", error.problems)
            return
        for node, site in sites.items():
            site.update([run for run in made if run.target.node == node])
        self._sites = sites if rows else {}
        self._note(rows, made, sites)

    def _note(
        self,
        rows: Mapping[str, PageRow],
        made: Iterable[PreviewedRun],
        sites: Mapping[str, NodeSite],
    ) -> None:
        problems = dict.fromkeys(problem for run in made for problem in run.problems)
        for stage_id, row in rows.items():
            hashes: list[str] = []
            for node, site in sites.items():
                for manifest in site.manifests.values():
                    entry = manifest.by_key.get(row.key)
                    hashes += [f"{node} {manifest.files[entry.path]}"] if entry else []
            found = tuple(each for each in problems if _concerns(each, row))
            version = sha256("\n".join(hashes)) if hashes else ""
            self._keep(stage_id, row, version, found)

    def _keep(self, stage_id: str, row: PageRow, version: str, problems: Iterable[Problem]) -> None:
        component = row.blocks[0].component
        told = tuple(_of_component(each, row.key, component) for each in problems)
        with self._lock:
            # One that was asked for again, or dropped, meanwhile is not this one.
            if same(self._rows.get(stage_id), row):
                self._made[stage_id] = Stage(component, version, told)

    def _context(self, context: BuildContext) -> BuildContext:
        """The builder's context with a layout of the workshop's own, for as long as it is so."""
        known = self._contexts
        if known is None or not same(known[0], context.page_renderer):
            own = context.aside(PageRenderer(*context.settings.templates, _TEMPLATES))
            known = self._contexts = context.page_renderer, own
        return known[1]


def _concerns(problem: Problem, row: PageRow) -> bool:
    """Whether a problem is a stage's: other stages' pages and components are no matter of it."""
    if problem.page or problem.entity == "page":
        return row.key in (problem.page, problem.key)
    return True


def _of_component(problem: Problem, page: str, component: str) -> Problem:
    """A problem of a stage as its component's: nobody knows the stage's page."""
    if problem.entity == "page" and problem.key == page:
        return replace(problem, entity="component", key=component, page="", block=None)
    return replace(problem, page="", block=None) if problem.page == page else problem
