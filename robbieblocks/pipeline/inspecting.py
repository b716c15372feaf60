"""What a build would make of the rows, as values: nothing is compared with what is live."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from psycopg import Connection

from robbieblocks import snapshot
from robbieblocks.errors import ContentError, Problem
from robbieblocks.model import (
    ASSET_PREFIX,
    AssembledPage,
    BrandedNode,
    Manifest,
    PageRow,
    RenderJob,
    Snapshot,
)
from robbieblocks.pipeline.compiling import CompiledApp
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.parts import PlannedPart, planned
from robbieblocks.pipeline.planning import RunPlan
from robbieblocks.pipeline.publishing import ComposedRun, compose, problems_of
from robbieblocks.pipeline.rendering import AppRendering, render
from robbieblocks.pipeline.request import Request, Target
from robbieblocks.pipeline.session import MakingSession, open_build, read
from robbieblocks.pipeline.site import Site
from robbieblocks.prerender import PageDocument
from robbieblocks.release import SiteRoot, routes_of

# Below the cache, where nothing makes it: all pages are new there.
_NOWHERE: Final = "no site"


@dataclass(frozen=True, slots=True, kw_only=True)
class InspectedPage:
    """A page as one node shows it.

    `document` is one object for all nodes that show the page alike. `varying` are the blocks that
    have read the clock, randomness or the locale, by their order: what was rendered, and the HTML.
    """

    node: str
    page: AssembledPage
    document: PageDocument
    varying: Mapping[int, tuple[RenderJob, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """The rows, what is made of them, and every problem that a build of all of them reports.

    `apps` are by name, `brands` by node id. A page with an error is not in `pages`. `base_styles`
    are the stylesheets of all pages, by the template's name. `files` are the paths at which each
    node answers with a file that is no page, of the apps that were asked for. `page_apps` has the
    app of every page, also of those that no node shows, and `node_apps` the apps of every node.
    """

    content: Snapshot
    apps: Mapping[str, CompiledApp]
    brands: Mapping[str, BrandedNode]
    pages: tuple[InspectedPage, ...]
    problems: tuple[Problem, ...]
    base_styles: Mapping[str, str]
    page_apps: Mapping[str, str]
    node_apps: Mapping[str, tuple[str, ...]]
    files: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def shown_for(self, keys: Collection[str]) -> frozenset[str]:
        """The pages that show something of these rows: also parts of a list, and what a frame is
        around.
        """
        return frozenset(
            page.key for page in self.content.pages if not keys_shown(page).isdisjoint(keys)
        )


def keys_shown(page: PageRow) -> frozenset[str]:
    """The keys of the rows that a page is from: its own, that of its list or template, those of
    frames.
    """
    own = page.part_of or page.key, page.key, page.row_key
    return frozenset((*own, *(b.frame for b in page.blocks))) - {""}


def no_site(context: BuildContext) -> Site:
    """A site on which nothing is live."""
    return Site(root=SiteRoot(context.settings.cache / _NOWHERE))


def inspect(
    request: Request,
    *,
    context: BuildContext,
    connection: Connection,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> Inspection:
    """Render every page that is asked for, and publish none. Raises as a dry run of `build`."""
    with open_build(
        replace(request, dry_run=True),
        context=context,
        connection=connection,
        site=no_site(context),
        progress=progress,
    ) as session:
        found = inspect_rows(read(session), session, now=request.at or clock())
    return replace(
        found,
        page_apps=snapshot.page_apps(connection, drafts=request.drafts),
        node_apps={node.id: node.apps for node in snapshot.nodes(connection)},
    )


def inspect_rows(
    content: Snapshot,
    session: MakingSession,
    *,
    now: datetime,
    keep: Callable[[Target, ComposedRun], None] = lambda _, __: None,
) -> Inspection:
    """Render the pages of a session in which nothing is live; `keep` gets what each run makes."""
    return inspect_parts(planned(session.context.resolve(content), session, now=now), keep)


def inspect_parts(
    parts: Sequence[PlannedPart[MakingSession]],
    keep: Callable[[Target, ComposedRun], None] = lambda _, __: None,
) -> Inspection:
    """As `inspect_rows`, once all is planned."""
    pages: list[InspectedPage] = []
    problems: dict[Problem, None] = {}
    files: dict[str, frozenset[str]] = {}
    apps: dict[str, CompiledApp] = {}
    brands: dict[str, BrandedNode] = {}
    for part in parts:
        rendering = render(part.plan, part.compiled.apps, part.session)
        for run in part.plan.runs:
            made = rendering.apps[run.target.app]
            try:
                composed = compose(run, made, part.session)
            except ContentError as error:
                problems.update(dict.fromkeys(error.problems))
            else:
                problems.update(dict.fromkeys(problems_of(run, composed)))
                keep(run.target, composed)
                made_of_it = _files(composed.manifest)
                files[run.target.node] = files.get(run.target.node, frozenset()) | made_of_it
            pages += _pages(run, made)
        for app in part.compiled.apps.values():
            problems.update(dict.fromkeys((*app.assembly.problems, *app.bundle.problems)))
        apps = {**part.compiled.apps, **apps}
        brands |= part.compiled.brands
    content, session = parts[0].content, parts[0].session
    return Inspection(
        content=content,
        apps=apps,
        brands=brands,
        pages=tuple(pages),
        problems=tuple(problems),
        base_styles=session.context.page_renderer.base_styles(),
        page_apps={page.key: page.app for page in content.pages},
        node_apps={node.id: node.apps for node in content.nodes},
        files=files,
    )


def _files(manifest: Manifest) -> frozenset[str]:
    """The paths that files of a release answer, but for those of pages."""
    routes, _ = routes_of(manifest)
    own = {page.path for page in manifest.pages}
    assets = {ASSET_PREFIX + name for name in manifest.assets}
    return frozenset({path for path, file in routes.items() if file not in own} | assets)


def _pages(run: RunPlan, rendering: AppRendering) -> list[InspectedPage]:
    found: list[InspectedPage] = []
    for made_from in run.to_make:
        document = rendering.document(made_from)
        if isinstance(document, PageDocument):
            page = made_from.page
            varying = {
                block.order: (job, made.html)
                for block, job in zip(page.blocks, rendering.jobs(page), strict=True)
                if (made := rendering.blocks[job]).rerender
            }
            found.append(
                InspectedPage(node=run.target.node, page=page, document=document, varying=varying)
            )
    return found
