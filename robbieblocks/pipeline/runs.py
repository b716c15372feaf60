"""One run: an app on a node, from the comparison with what is live to its manifest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter

from robbieblocks.errors import Problem
from robbieblocks.model import (
    ASSET_PREFIX,
    SHARED_APP,
    AssembledPage,
    Asset,
    BrandedNode,
    Manifest,
    NodeRow,
    PageEntry,
    Sha256,
    Snapshot,
    canonical_json,
    sha256,
)
from robbieblocks.pipeline.apps import App
from robbieblocks.pipeline.plan import Draft, brand_fingerprint, draft
from robbieblocks.pipeline.targets import Request, Target
from robbieblocks.prerender import NodeSlots, PageDocument, PageRenderer

TOKENS_FILE = "tokens.json"
_MOST_LINKS = 6


@dataclass(slots=True, kw_only=True)
class Run:
    """A release in the making.

    `contents` maps release paths to bytes that are not live yet, `assets` holds what the pages
    refer to by name.
    """

    target: Target
    app: App
    node: NodeRow
    brand: BrandedNode
    live: Manifest | None
    draft: Draft
    damaged: frozenset[str] = frozenset()
    contents: dict[str, bytes] = field(default_factory=dict)
    assets: dict[str, Asset] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that holds pages back, then the branding's errors and warnings."""
        held = (problem for found in self.draft.held_back.values() for problem in found)
        return tuple(dict.fromkeys((*held, *self.brand.problems)))

    @property
    def unbranded(self) -> bool:
        """Whether the node's branding has an error, so that nothing of it can go out."""
        return any(problem.severity == "error" for problem in self.brand.problems)


def compare(
    target: Target,
    request: Request,
    content: Snapshot,
    app: App,
    brand: BrandedNode,
    live: Manifest | None,
    failures: Mapping[Sha256, tuple[Problem, ...]],
    now: datetime,
    clashes: Mapping[str, tuple[Problem, ...]],
    damaged: frozenset[str] = frozenset(),
) -> Run:
    """Sort the app's pages into those to make, those that stay and those to hold back.

    `clashes` are the node's pages that want one route. Of an app that the node enables no more, no
    page stays. `damaged` are release paths and asset
    URLs whose live bytes are not those of the manifest.
    """
    node = next(node for node in content.nodes if node.id == target.node)
    carried = target.app in node.apps
    pages = app.pages(node, now) if carried else ()
    app.fingerprints.forget_all_but(app.assembly.pages)
    return Run(
        target=target,
        app=app,
        node=node,
        brand=brand,
        live=live,
        draft=draft(
            [page for page in pages if page.key not in clashes] if clashes else pages,
            held_back={**app.assembly.held_back, **_of_app(clashes, content, app.name)}
            if carried
            else {},
            only=frozenset(request.pages),
            live=live,
            broken=app.broken,
            failures=failures,
            fingerprints=app.fingerprints,
            brand=brand_fingerprint(brand),
            damaged=_damaged_pages(live, damaged),
        ),
        damaged=damaged,
    )


def _damaged_pages(live: Manifest | None, damaged: frozenset[str]) -> frozenset[str]:
    """The keys of live pages that are damaged themselves, or refer to an asset that is."""
    if live is None or not damaged:
        return frozenset()
    return frozenset(
        entry.key
        for entry in live.pages
        if entry.path in damaged or any(ASSET_PREFIX + name in damaged for name in entry.assets)
    )


def _of_app(
    problems: Mapping[str, tuple[Problem, ...]], content: Snapshot, app: str
) -> dict[str, tuple[Problem, ...]]:
    own = {page.key for page in content.pages if page.app == app} if problems else set()
    return {key: found for key, found in problems.items() if key in own}


def compose(
    run: Run, shell: PageRenderer, toolchain: str, failures: dict[Sha256, tuple[Problem, ...]]
) -> Manifest:
    """Make the bytes of the run's new pages and node-wide files, and the release's manifest.

    Pages whose blocks failed to render are held back here, and added to `failures`.
    """
    entries = []
    slots = NodeSlots.of(run.brand)
    for page, shared, inputs in run.draft.fresh:
        made = run.app.composed(page, shared, shell)
        if isinstance(made, PageDocument):
            entries.append(_branded(run, page, made, slots, inputs))
        else:
            failures[inputs] = made
            run.draft.hold_back(page.key, made, run.live)

    taken = {entry.path for entry in entries}
    kept = [entry for entry in run.draft.kept if entry.path not in taken]
    pages = tuple(sorted((*entries, *kept), key=attrgetter("key")))
    live_files = run.live.files if run.live else {}
    files = {path: sha256(body) for path, body in run.contents.items()}
    files |= {entry.path: live_files[entry.path] for entry in kept}
    for path, body in _extras(run, shell, pages).items():
        files[path] = sha256(body)
        if live_files.get(path) != files[path] or path in run.damaged:
            run.contents[path] = body

    names = set(run.assets).union(*(entry.assets for entry in pages))
    run.assets |= {asset.name: asset for asset in _made(run, shell) if asset.name in names}
    return Manifest(
        node=run.target.node,
        app=run.target.app,
        files=files,
        pages=pages,
        assets=tuple(sorted(names)),
        toolchain=toolchain,
    )


def _branded(
    run: Run, page: AssembledPage, document: PageDocument, slots: NodeSlots, inputs: Sha256
) -> PageEntry:
    """Take up the page's bytes on the node, and what they refer to."""
    run.contents[page.path] = document.fill(slots)
    run.assets |= {asset.name: asset for asset in document.assets}
    assets = [asset.name for asset in (*document.assets, *_brand_assets(run.brand))]
    return PageEntry(
        key=page.key,
        route=page.route,
        path=page.path,
        inputs=inputs,
        assets=tuple(sorted(assets)),
        components=run.app.fingerprints.placed(page),
    )


def _brand_assets(brand: BrandedNode) -> tuple[Asset, ...]:
    own = (brand.stylesheet, brand.custom_css, brand.custom_scripts)
    return (*(asset for asset in own if asset), *brand.fonts)


def _made(run: Run, shell: PageRenderer) -> Iterable[Asset]:
    """Every asset that this build has bytes of, so that one missing on disk is healed."""
    bundle = run.app.bundle
    yield from shell.assets
    yield from _brand_assets(run.brand)
    yield bundle.base_stylesheet
    for module in (bundle.runtime, *bundle.modules.values()):
        yield module.asset
        if module.stylesheet:
            yield module.stylesheet


def _still_here(run: Run, pages: Iterable[PageEntry]) -> list[dict[str, str]]:
    """What 404.html offers instead: pages of its own release, so that it is never stale."""
    titles = {plan.page.key: plan.page.title for plan in run.app.assembly.pages}
    there = sorted((entry.route, titles[entry.key]) for entry in pages if entry.key in titles)
    return [{"href": route, "title": title} for route, title in there[:_MOST_LINKS]]


def _extras(run: Run, shell: PageRenderer, pages: tuple[PageEntry, ...]) -> dict[str, bytes]:
    """The files of a release that are no pages."""
    files = {TOKENS_FILE: canonical_json(dict(run.brand.tokens)).encode() + b"\n"}
    sitemap = shell.sitemap([entry.route for entry in pages], run.brand)
    if sitemap:
        files[f"sitemap-{run.target.app}.xml"] = sitemap
    if run.target.app == SHARED_APP:
        made, assets = shell.node_files(
            run.brand, run.node.apps, run.app.bundle, _still_here(run, pages)
        )
        files |= made
        run.assets |= {asset.name: asset for asset in assets}
    return files
