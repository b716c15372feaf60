"""Composing one run's release: its new files, its manifest, and what became of each page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter

from robbieblocks.errors import Problem
from robbieblocks.model import (
    ASSET_PREFIX,
    Asset,
    CardText,
    Manifest,
    PageEntry,
    Sha256,
)
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.page_cards import PageCards
from robbieblocks.pipeline.planning import (
    PageInputs,
    PlannedPage,
    RunPlan,
    causes_of_problems,
    hold_warnings,
)
from robbieblocks.pipeline.publishing.following import FollowingPages
from robbieblocks.pipeline.publishing.node_files import media_without_place, node_files
from robbieblocks.pipeline.publishing.run_assets import all_assets, new_media
from robbieblocks.pipeline.rendering import AppRendering
from robbieblocks.pipeline.report import PageReport
from robbieblocks.pipeline.session import MakingSession
from robbieblocks.pipeline.site import Site
from robbieblocks.prerender import NodeSlots, PageDocument, card_text, is_listed
from robbieblocks.release import live_size
from robbieblocks.row_faults import blame, is_passing


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedRun:
    """A release that can be published.

    `contents` maps release paths to bytes that are not live yet, `assets` holds what the pages
    refer to by name. `failed` are pages whose blocks did not render, with their problems, by key:
    they keep their live version. `displaced` are live pages that were to stay, in whose place a new
    one is. `warnings` are what composing warns of, by the new page's key, `notes` what it warns of
    besides.
    """

    manifest: Manifest
    contents: Mapping[str, bytes]
    assets: Mapping[str, Asset]
    failed: Mapping[str, tuple[Problem, ...]]
    displaced: Sequence[PageEntry] = ()
    warnings: Mapping[str, tuple[Problem, ...]] = field(
        default_factory=dict[str, tuple[Problem, ...]]
    )
    notes: tuple[Problem, ...] = ()


def compose(run: RunPlan, rendering: AppRendering, session: MakingSession) -> ComposedRun:
    """Make the bytes of the run's new pages and node-wide files, and the release's manifest.

    Raises ContentError where a template fails, ProcessFailed where rendering does.
    """
    entries: list[PageEntry] = []
    contents: dict[str, bytes] = {}
    assets: dict[str, Asset] = {}
    failed: dict[str, tuple[Problem, ...]] = {}
    warnings: dict[str, tuple[Problem, ...]] = {}
    slots = NodeSlots.of(
        run.brand,
        run.app.styles,
        base=run.app.bundle.base_stylesheet,
        favicon=rendering.renderer.favicon,
        sheet=run.sheet.sheet if run.sheet else None,
    )
    drawn = _cards(run, session)
    for made_from in run.to_make:
        key = made_from.page.key
        faults: list[Problem] = []
        with blame(faults.append, "page", key):
            document = rendering.document(made_from)
            if not isinstance(document, PageDocument):
                failed[key] = document
                continue
            card = drawn.cards.get(key)
            shown = (*document.assets, *([card] if card else []))
            no_card = drawn.missing.get(key, "")
            named = card.name if card else _last_card(run, made_from) if no_card else ""
            entry = replace(_entry(made_from, shown, slots, run, named), no_card=no_card)
            contents[entry.path] = document.fill(slots, named)
            entries.append(entry)
            assets |= {asset.name: asset for asset in shown}
            own = drawn.problem(key)
            warnings[key] = (*document.problems, own) if own else document.problems
        if faults:
            failed[key] = tuple(faults)

    following = FollowingPages.of(entries, run, failed)
    pages = following.entries.pages
    session.context.cards.keep_only(run.target, following.entries.by_key.keys)
    extra_files, extra_assets, wrong = node_files(
        run, rendering.renderer, rendering.sitemaps, pages, failed.keys()
    )
    for problem in wrong:
        warnings[problem.key] = (*warnings.get(problem.key, ()), problem)
    files = following.files(run, contents, extra_files)
    live_files: Mapping[str, Sha256] = run.live.files if run.live else {}
    contents |= {
        path: body
        for path, body in extra_files.items()
        if body is not None and (live_files.get(path) != files.hashes[path] or path in run.damaged)
    }

    names = {*assets, *(asset.name for asset in extra_assets), *following.entries.asset_uses}
    has_sheet = run.sheet is not None and run.sheet.sheet.path in files.hashes
    if has_sheet:
        names.update(font.name for font in run.brand.fonts)
        names.update(run.app.media.library.in_styles)
    assets |= {asset.name: asset for asset in new_media(run, names)}
    assets |= {
        asset.name: asset
        for asset in (*extra_assets, *slots.assets, *all_assets(run))
        if asset.name in names
    }
    manifest = Manifest.of(
        files,
        following.entries,
        node=run.target.node,
        app=run.target.app,
        assets=tuple(sorted(names)),
        toolchain=session.context.toolchain.id,
        sheet_digests=run.sheet.digests if run.sheet and has_sheet else (),
    )
    return ComposedRun(
        manifest=manifest,
        contents=contents,
        assets=assets,
        failed=failed,
        displaced=following.displaced,
        warnings=warnings,
    )


def problems_of(run: RunPlan, composed: ComposedRun) -> tuple[Problem, ...]:
    """Each problem of a run once: of pages held (back), drafts, new pages, what
    they place, and the branding.
    """
    held = (problem for page in run.held_back for problem in page.problems)
    failed = (problem for problems in composed.failed.values() for problem in problems)
    rows = (problem for made_from in run.to_make for problem in made_from.warnings)
    pages = (problem for problems in composed.warnings.values() for problem in problems)
    components = run.app.warnings_of(
        key for made_from in run.to_make for key in run.app.fingerprints.components(made_from.page)
    )
    kept = hold_warnings(run)
    return tuple(
        dict.fromkeys(
            (
                *(*held, *failed, *run.notes, *kept),
                *(*rows, *components, *pages, *run.brand.problems),
                *media_without_place(run, composed.manifest.pages),
                *composed.notes,
            )
        )
    )


def remember_failures(run: RunPlan, composed: ComposedRun, context: BuildContext) -> None:
    """Keep which pages did not render: the next build does not try them again."""
    for made_from in run.to_make:
        failed = composed.failed.get(made_from.page.key)
        if failed is not None and not is_passing(failed):
            context.memory.failures[made_from.inputs] = failed


def page_reports(
    run: RunPlan, composed: ComposedRun, site: Site
) -> tuple[tuple[PageReport, ...], tuple[PageEntry, ...]]:
    """The reports of planned pages, by key, and the entries of those that stay as they are."""
    unchanged, displaced = run.unchanged, list[PlannedPage]()
    if composed.displaced:
        # A page that was not asked for makes way where a new page takes its path.
        made_way = {entry.key for entry in composed.displaced}
        displaced = [
            PlannedPage(key=entry.key, route=entry.route, change="removed", live=entry)
            for entry in unchanged
            if entry.key in made_way
        ]
        unchanged = tuple(entry for entry in unchanged if entry.key not in made_way)
    pages = sorted((*run.pages, *displaced), key=attrgetter("key"))
    return tuple(_page_report(page, run, composed, site) for page in pages), unchanged


def _cards(run: RunPlan, session: MakingSession) -> PageCards:
    """The social cards of the pages that are made."""
    pages: dict[str, CardText | None] = {}
    for each in run.to_make if run.brand.card else ():
        # A page of which a library can't say what its card says has none.
        pages[each.page.key] = None
        with blame(lambda _: None, "page", each.page.key):
            pages[each.page.key] = card_text(each.page)
    return session.context.cards.of_pages(run.target, run.brand, pages, session.progress)


def _last_card(run: RunPlan, made_from: PageInputs) -> str:
    """The card that is live, which stays where the page still says the same; else nothing."""
    entry = run.live.by_key.get(made_from.page.key) if run.live else None
    if entry is None or ASSET_PREFIX + entry.card in run.damaged:
        return ""
    before, now = (each.row_digests.partition(" ")[0] for each in (entry, made_from))
    return entry.card if before == now else ""


def _entry(
    made_from: PageInputs, shown: Iterable[Asset], slots: NodeSlots, run: RunPlan, card: str
) -> PageEntry:
    """What the manifest keeps of a new page."""
    page = made_from.page
    assets = {asset.name for asset in (*shown, *slots.assets)} | ({card} if card else set[str]())
    assets.update(name for media in page.media for name in media.names)
    if run.app.styles != "fixed":
        assets.update(run.app.media.library.in_styles)
    return PageEntry(
        key=page.key,
        route=page.route,
        path=page.path,
        inputs=made_from.inputs,
        assets=tuple(sorted(assets)),
        components=run.app.fingerprints.components(page),
        listed=is_listed(page),
        row_digests=made_from.row_digests,
        input_digests=made_from.input_digests,
        card=card,
    )


def _page_report(page: PlannedPage, run: RunPlan, composed: ComposedRun, site: Site) -> PageReport:
    failed = composed.failed.get(page.key)
    if failed is not None or page.change == "held back":
        return PageReport(
            key=page.key,
            route=page.live.route if page.live else "",
            change="held back",
            causes=page.causes if failed is None else causes_of_problems(failed),
        )
    if _has_same_bytes(page, run, composed):
        return PageReport(key=page.key, route=page.route, change="unchanged", causes=page.causes)
    node, app = run.target.node, run.target.app
    return PageReport(
        key=page.key,
        route=page.route,
        change=page.change,
        causes=page.causes,
        size=len(composed.contents[page.made_from.page.path]) if page.made_from else None,
        size_before=live_size(site.root, node, app, page.live.path) if page.live else None,
    )


def _has_same_bytes(page: PlannedPage, run: RunPlan, composed: ComposedRun) -> bool:
    """Whether a page that was made again is what is live, byte for byte."""
    if page.made_from is None or page.live is None or run.live is None:
        return False
    path = page.made_from.page.path
    return path == page.live.path and run.live.files.get(path) == composed.manifest.files[path]
