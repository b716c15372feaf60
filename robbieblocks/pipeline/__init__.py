"""change -> claim -> snapshot -> assemble -> brand -> bundle -> prerender -> release -> record.

`build` is that sentence. What is live is compared with what should be live, and only the
difference is made: a page whose fingerprint stands in the live manifest is neither rendered nor
written again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from psycopg import Connection

from robbieblocks import changes, release, snapshot
from robbieblocks.assemble import next_boundary
from robbieblocks.errors import RobbieBlocksError, SiteUnavailable
from robbieblocks.model import (
    AssembledPage,
    BrandedNode,
    Manifest,
    NodeRow,
    Snapshot,
    TriggerRow,
)
from robbieblocks.pipeline.apps import App
from robbieblocks.pipeline.ledger import Ledger
from robbieblocks.pipeline.preview import write_copy
from robbieblocks.pipeline.publish import Place, conclude, held_by_pin
from robbieblocks.pipeline.report import BuildReport, RunReport, Stopwatch
from robbieblocks.pipeline.runs import Run, compare
from robbieblocks.pipeline.targets import Request, Target, choose
from robbieblocks.pipeline.workshop import Workshop

__all__ = [
    "BuildReport",
    "Place",
    "Request",
    "RunReport",
    "Target",
    "Workshop",
    "build",
    "shown_apps",
]


def build(
    request: Request,
    *,
    workshop: Workshop,
    connection: Connection,
    place: Place,
    clock: Callable[[], datetime],
    progress: Callable[[str], None],
) -> BuildReport:
    """Build what is asked for and publish it, or only compare in a dry run.

    Every target leaves a finished row in robbieblocks_deploys, whatever happens. Raises UsageError
    for unknown names and Transient errors that concern all targets; what concerns one target alone
    is in its RunReport.
    """
    watch = Stopwatch()
    with watch.phase("open"):
        targets = _targets(request, connection, place)
    with (
        workshop.at_work(thorough=request.idle),
        Ledger.open(connection, place.site_root, targets, request, watch, progress) as ledger,
    ):
        # Reading everything takes long enough for it.
        if not request.dry_run and (request.idle or workshop.content is None):
            workshop.stock(place.site_root, targets)
        with watch.phase("snapshot"):
            wanted = {target.node for target in targets} | set(request.nodes)
            content = workshop.read(connection, sorted(wanted), whole=request.idle)
        workshop.expect(_blocks_to_come(content, ledger.live))
        now = clock()
        ledger.triggers = content.triggers
        for target in () if request.idle else targets:
            ledger.begin(target)
        apps = {
            name: App.of(name, content, workshop, watch)
            for name in sorted({target.app for target in targets})
        }
        with watch.phase("brand"):
            brands = _brands(targets, content, workshop)
        with watch.phase("compare"):
            clashes = {
                node.id: workshop.routes.clashes(content, node)
                for node in content.nodes
                if node.id in brands
            }
            runs = [
                compare(
                    target,
                    request,
                    content,
                    apps[target.app],
                    brands[target.node],
                    ledger.live[target],
                    workshop.failures,
                    now,
                    clashes[target.node],
                    _damaged(request, place, target),
                )
                for target in targets
            ]
        for run in runs:
            if run.damaged or (run.draft.fresh and not _left_to_a_person(run, request, place)):
                ledger.begin(run.target)
        with watch.phase("prerender"):
            rendered = sum(app.render(_fresh_pages(runs, app), workshop) for app in apps.values())
        reports = []
        for run in runs:
            progress(f"{run.target.node}: {run.target.app}")
            report, manifest = conclude(
                run,
                workshop=workshop,
                place=place,
                request=request,
                ledger=ledger,
                watch=watch,
            )
            reports.append(report)
            if request.out is not None and manifest is not None:
                write_copy(request.out, run, manifest, place.site_root)
        answered: frozenset[UUID] = frozenset()
        if not request.dry_run:
            with watch.phase("record"):
                answered = _acknowledge(connection, content, request, reports)
                if request.heal:
                    _forget(connection, progress)
        with watch.phase("report"):
            boundaries = {
                name: next_boundary(app.assembly.pages, now) for name, app in apps.items()
            }
    if not request.dry_run:
        workshop.tidy(place.site_root, [run.target for run in runs])
    return BuildReport(
        runs=tuple(reports),
        triggers=content.triggers,
        answered=answered,
        carried={node.id: frozenset(node.apps) for node in content.nodes},
        boundaries=boundaries,
        compiled=tuple(sorted({key for app in apps.values() for key in app.bundle.compiled})),
        blocks_rendered=rendered,
        dry_run=request.dry_run,
        out=str(request.out or ""),
        phases=watch.phases,
    )


def _targets(request: Request, connection: Connection, place: Place) -> tuple[Target, ...]:
    nodes = snapshot.nodes(connection)
    live = {node.id: shown_apps(place.site_root, node.id) for node in nodes}
    page_apps = snapshot.page_apps(connection, one_each=not request.pages)
    return choose(request, nodes, page_apps, live)


def shown_apps(site_root: release.SiteRoot, node: str) -> frozenset[str]:
    """The apps that show pages on a node."""
    manifests = {app: release.live(site_root, node, app) for app in release.apps(site_root, node)}
    return frozenset(app for app, manifest in manifests.items() if manifest and manifest.pages)


def _blocks_to_come(content: Snapshot, live: Mapping[Target, Manifest | None]) -> int:
    """How many blocks must be rendered at least, as far as can be told before the comparison."""
    new = {target.app for target, manifest in live.items() if manifest is None}
    return sum(len(page.blocks) for page in content.pages if page.app in new)


def _brands(
    targets: Sequence[Target], content: Snapshot, workshop: Workshop
) -> Mapping[str, BrandedNode]:
    wanted = {target.node for target in targets}
    return {
        node.id: workshop.brand(node, content.tokens) for node in content.nodes if node.id in wanted
    }


def _fresh_pages(runs: Sequence[Run], app: App) -> list[AssembledPage]:
    return [page for run in runs if run.app is app for page in run.draft.fresh_pages]


def _acknowledge(
    connection: Connection, content: Snapshot, request: Request, reports: Sequence[RunReport]
) -> frozenset[UUID]:
    """Mark the queue rows that this build has answered, node by node, and return those.

    A row that one of its nodes still misses is not among them. A row is answered on a node when
    every app of the node that it may affect was built whole. Rows of a run that failed for want of
    infrastructure wait for the next.
    """
    missed: set[UUID] = set()
    for node in content.nodes:
        runs = {r.app: r.transient for r in reports if r.node == node.id}
        # An app that was no target is as it should be, if the snapshot has no page of it either.
        absent = set(request.apps or node.apps) - runs.keys() - {page.app for page in content.pages}
        built = {app for app, transient in runs.items() if not transient} | absent
        concerned = [
            row
            for row in content.triggers
            if row.affected_nodes is None or node.id in row.affected_nodes
        ]
        answered = [
            row.id
            for row in concerned
            if built
            and not request.pages
            and answers(row, node, built | request.credit.get(row.id, set()))
        ]
        if answered:
            changes.acknowledge(connection, node.id, answered)
        missed |= {row.id for row in concerned} - set(answered)
    return frozenset(row.id for row in content.triggers) - missed


def _forget(connection: Connection, progress: Callable[[str], None]) -> None:
    """Keep the queue from growing for ever; where that fails, the build is no worse for it."""
    try:
        changes.remove_processed(connection)
    except RobbieBlocksError as error:
        progress(str(error))


def _damaged(request: Request, place: Place, target: Target) -> frozenset[str]:
    """What of the live release is not as it was published, by size and time."""
    if not request.heal:
        return frozenset()
    return frozenset(release.verify(place.site_root, target.node, target.app, quick=True))


def _left_to_a_person(run: Run, request: Request, place: Place) -> bool:
    """Whether nobody asked and a pin holds the app: that is no run, however often one looks."""
    try:
        return request.idle and bool(held_by_pin(run, place))
    except SiteUnavailable:
        return False  # the run itself says what is the matter


def answers(row: TriggerRow, node: NodeRow, built: Collection[str]) -> bool:
    """Whether building those apps of a node answers a queue row, as far as the node goes."""
    if row.affected_nodes is not None and node.id not in row.affected_nodes:
        return False
    concerned = set(node.apps)
    if row.affected_apps is not None:
        concerned &= set(row.affected_apps)
    return concerned <= set(built)
