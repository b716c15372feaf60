"""Lists of pages of other apps: what is to be seen of these on which node.

A list shows what visitors find on the node: what is live there of the other app, or goes live with
the same build. So nodes may show it differently.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from robbieblocks import release
from robbieblocks.assemble import Elsewhere, may_be_listed, release_path
from robbieblocks.errors import SiteUnavailable
from robbieblocks.model import Manifest, NodeRow, PageEntry, PageRow, Snapshot
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import MakingSession

S = TypeVar("S", bound=MakingSession)


def elsewhere(session: MakingSession, nodes: Sequence[NodeRow], now: datetime) -> Elsewhere:
    """What lists show of other apps on the nodes of a session, each of which shows the same."""
    ids = {target.node for target in session.targets}
    first = next((node for node in nodes if node.id in ids), None)

    def hidden(app: str, rows: Sequence[PageRow]) -> frozenset[str] | None:
        return None if first is None else _hidden_before(session, first, now, app, rows)

    return hidden


def _hidden_before(
    session: MakingSession, node: NodeRow, now: datetime, app: str, rows: Sequence[PageRow]
) -> frozenset[str] | None:
    """As `_hidden`, once the build will have ended, as far as that is known."""
    if _goes_out(session, Target(node.id, app), now):
        return frozenset() if app in node.apps else None
    return _hidden(session.live_manifest(node.id, app), node, now, app, rows)


def hidden_now(
    session: MakingSession, node: NodeRow, now: datetime, app: str, rows: Sequence[PageRow]
) -> frozenset[str] | None:
    """The keys of an app's pages that visitors of the node don't find at this moment; None where it
    has none.
    """
    return _hidden(release.live(session.site.root, node.id, app), node, now, app, rows)


def _hidden(
    live: Manifest | None, node: NodeRow, now: datetime, app: str, rows: Sequence[PageRow]
) -> frozenset[str] | None:
    """The keys of an app's pages that visitors of the node don't find; None where it has none.

    Where nothing of an app is live, all of it is on its way.
    """
    if app not in node.apps:
        return None
    if live is None:
        return frozenset()
    entries = live.by_key
    return frozenset(
        [
            row.key
            for row in rows
            if not is_at_its_route(entries.get(row.key), row) and may_be_listed(row, now)
        ]
    )


def is_at_its_route(entry: PageEntry | None, row: PageRow | None) -> bool:
    """Whether a page is live where its row says; one without a row, wherever it is."""
    if entry is None or row is None:
        return entry is not None
    return entry.route == row.route or entry.path == release_path(row.route)


def _goes_out(session: MakingSession, target: Target, now: datetime) -> bool:
    """Whether the build brings all of a target up to date, as far as is known before."""
    request, site = session.request, session.site
    if target not in session.targets or request.pages:
        return False
    try:
        if release.pinned(site.root, target.node, target.app):
            return False
        frozen = release.frozen(site.root, site.freeze_windows, target.node, target.app, now)
    except SiteUnavailable:
        return False
    return frozen is None or request.during_freeze is not None


def in_parts(content: Snapshot, session: S, *, now: datetime) -> Sequence[S]:
    """The session, or one for each group of its nodes that show lists of other apps alike."""
    wanted = {target.node for target in session.targets}
    nodes = [node for node in content.nodes if node.id in wanted]
    memory = session.context.memory
    if len(nodes) < 2:
        return (session,)
    memory.relations.applied(content, now, memory.all_unlisted())
    listed = sorted({app for apps in memory.relations.reads.values() for app in apps})
    if not listed:
        return (session,)
    rows = {app: memory.relations.rows(app) for app in listed}
    groups: dict[tuple[frozenset[str] | None, ...], set[str]] = defaultdict(set)
    for node in nodes:
        shows = tuple([_hidden_before(session, node, now, app, rows[app]) for app in listed])
        groups[shows].add(node.id)
    if len(groups) < 2:
        return (session,)
    return [
        replace(
            session,
            context=session.context.part((*listed, *sorted(ids))),
            targets=tuple([target for target in session.targets if target.node in ids]),
        )
        for ids in sorted(groups.values(), key=min)
    ]
