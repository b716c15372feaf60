"""Opening a build (its targets, their locks and leases, what is live) and reading its rows."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from psycopg import Connection

from robbieblocks import database, record, release, snapshot
from robbieblocks.errors import DatabaseUnavailable, SiteUnavailable
from robbieblocks.model import Manifest, Snapshot, template_of
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.request import Request, Target, choose_targets
from robbieblocks.pipeline.site import Site, apps_with_pages, check_out
from robbieblocks.pipeline.stopwatch import Stopwatch
from robbieblocks.release import Hold

_LEASE_WAIT_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MakingSession:
    """What is needed to make and plan pages, and not to publish them.

    `live` has each target's manifest of what is live, or stands for it, and `live_file` gives the
    bytes of a release path of it; it raises SiteUnavailable. `holds` has the pages that a person
    holds at what is live. `progress` is told what takes long.
    """

    request: Request
    context: BuildContext
    site: Site
    stopwatch: Stopwatch
    targets: tuple[Target, ...]
    live: Mapping[Target, Manifest | None]
    live_file: Callable[[Target, str], bytes]
    holds: Mapping[Target, Mapping[str, Hold]] = field(
        default_factory=dict[Target, Mapping[str, Hold]]
    )
    progress: Callable[[str], None] = lambda _: None

    def live_manifest(self, node: str, app: str) -> Manifest | None:
        """What is live of any app: of the site root where it is no target."""
        target = Target(node, app)
        if target in self.live:
            return self.live[target]
        return release.live(self.site.root, node, app)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildSession(MakingSession):
    """What one build holds from its beginning to its end.

    `places` are the targets that can have a folder. `leases` has each target's database lease: none
    in a dry run, and none through a pooler, where a session's locks would be another session's.
    """

    connection: Connection
    places: tuple[Target, ...]
    leases: Mapping[Target, record.Lease]

    def live_hash(self, target: Target) -> str:
        """The build hash that is live, or `none`."""
        live = self.live[target]
        return live.build_hash if live else record.NOTHING_LIVE

    def check_lease(self, target: Target) -> None:
        """Raise DatabaseUnavailable where the right to publish was lost meanwhile: the fence."""
        if target in self.leases:
            self.leases[target].check()


@contextmanager
def open_build(
    request: Request,
    *,
    context: BuildContext,
    connection: Connection,
    site: Site,
    progress: Callable[[str], None],
    live: Callable[[Target], Manifest | None] | None = None,
) -> Generator[BuildSession]:
    """Choose the targets and lock each of them until the end of the block.

    `live` takes the place of the site root's manifests. A dry run locks nothing. Runs that a killed
    process left unfinished are closed. After the block old releases are removed in the background.
    Raises UsageError for unknown names, a copy that would lie in the site root, and a site root of
    another database; SiteUnavailable and DatabaseUnavailable.
    """
    watch = Stopwatch()
    with watch.step("open"):
        targets = _targets(request, connection, site)
        # Of the others, the branding says what is wrong with the node's row.
        places = tuple(each for each in targets if release.has_place(each.node, each.app))
        if request.out is not None:
            check_out(request.out, site.root)
        if not request.dry_run:
            database_id = context.memory.database_id(connection)
            noted = release.claim(site.root, database_id, create=site.create, adopt=site.adopt)
            if noted:
                progress(noted)
    with context.at_work(collect=request.unasked), ExitStack() as held:
        with watch.step("open"):
            leases = (
                {} if request.dry_run else _lock(places, connection, site, held, context.leases)
            )
            session = BuildSession(
                request=request,
                context=context,
                connection=connection,
                site=site,
                progress=progress,
                stopwatch=watch,
                targets=targets,
                places=places,
                live={
                    t: live(t) if live else release.live(site.root, t.node, t.app) for t in targets
                },
                live_file=lambda t, path: release.read_live(site.root, t.node, t.app, path),
                leases=leases,
                holds={} if live else {t: _holds(site, t) for t in targets},
            )
            if not request.dry_run:
                _close_dead_runs(session)
        yield session
    if not request.dry_run:
        context.maintenance.request(site.root, places, standby=context.standby)


def read(session: BuildSession) -> Snapshot:
    """All content as one transaction saw it, with the queue rows that it covers.

    What takes long and needs no rows is started beside it: standby trees, and the isolates of a
    first build. Raises DatabaseUnavailable, SchemaOutdated, ProcessFailed.
    """
    request, context = session.request, session.context
    # Here nobody waits for one edit to go live.
    at_leisure = request.unasked or context.memory.content is None
    if at_leisure and context.standby and not request.dry_run:
        context.maintenance.request(session.site.root, session.places, standby=True, at_once=True)
    with session.stopwatch.step("read"):
        nodes = {target.node for target in session.targets} | set(request.nodes)
        content = context.memory.read(
            session.connection,
            sorted(nodes),
            all_rows=request.unasked,
            drafts=request.drafts,
            sources=context.settings.collections,
        )
    with session.stopwatch.step("media"):
        given, content = content, context.resolve(content)
        if context.standby and not request.dry_run:
            context.media.ahead(given.media, given.media_content)
    if request.at is not None:
        content = replace(content, taken_at=request.at)
    context.start_isolates(_blocks_of_new_apps(content, session))
    return content


def _targets(request: Request, connection: Connection, site: Site) -> tuple[Target, ...]:
    nodes = snapshot.nodes(connection)
    live = {node.id: apps_with_pages(site.root, node.id) for node in nodes}
    page_apps = snapshot.page_apps(connection, one_each=not request.pages, drafts=request.drafts)
    for key in request.pages:
        if (template := template_of(key)) in page_apps:
            page_apps[key] = page_apps[template]
    frames = snapshot.shared_frames(connection, request.pages) if request.pages else ()
    return choose_targets(request, nodes, page_apps, live, frames)


def _lock(
    targets: tuple[Target, ...],
    connection: Connection,
    site: Site,
    held: ExitStack,
    process_leases: record.Leases,
) -> dict[Target, record.Lease]:
    """Take each target's file lock, and its lease where the connection can hold one."""
    pooled = database.is_pooled(connection)
    leases: dict[Target, record.Lease] = {}
    for target in targets:
        folder = held.enter_context(release.lock(site.root, target.node, target.app))
        if pooled:
            continue
        lease = held.enter_context(
            process_leases.hold(
                connection, target.node, target.app, folder=folder, wait_s=_LEASE_WAIT_S
            )
        )
        if not lease:
            raise DatabaseUnavailable(
                f"another machine has been building {target.app} for {target.node} from this "
                f"database for {_LEASE_WAIT_S:g} s: try again when it is done"
            )
        leases[target] = lease
    return leases


def _holds(site: Site, target: Target) -> Mapping[str, Hold]:
    """The holds of a target; none where they can't be read, which its run reports."""
    try:
        return release.holds(site.root, target.node, target.app)
    except SiteUnavailable:
        return {}


def _close_dead_runs(session: BuildSession) -> None:
    """Close unfinished rows of the targets as failed.

    While a build holds a target's file lock and lease, nobody else publishes it: an unfinished row
    of that target belongs to a process that died.
    """
    for target in session.targets:
        # Without a lease the file lock still excludes other builds on this machine.
        dead = record.close_dead(session.connection, target.node, target.app)
        if dead:
            session.progress(f"closed {dead} unfinished run of {target}")


def _blocks_of_new_apps(content: Snapshot, session: BuildSession) -> int:
    """How many blocks must be rendered at least: those of apps of which nothing is live."""
    new = {target.app for target, manifest in session.live.items() if manifest is None}
    if not new:
        return 0
    made = {each.source.template_page: len(each.rows) for each in content.collections}
    return sum(
        len(page.blocks) * made.get(page.key, 1) for page in content.pages if page.app in new
    )
