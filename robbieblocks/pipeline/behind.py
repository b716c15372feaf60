"""Apps that do not show what is there now of the node's other apps: which, and what waits for them.

A queue row names the apps whose own pages a change alters. What others take of these follows from
their rows and from what is live, so each build compares that with what it was in the last run of
each app, and names those that are behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, Literal

from robbieblocks import release
from robbieblocks.model import SHARED_APP, NodeRow, Snapshot, TriggerRow
from robbieblocks.pipeline.context import BuildContext
from robbieblocks.pipeline.elsewhere import hidden_now
from robbieblocks.pipeline.planning import holding_back
from robbieblocks.pipeline.request import Target
from robbieblocks.pipeline.session import BuildSession
from robbieblocks.pipeline.taken import Taken
from robbieblocks.release import SiteRoot

RunEnd = Literal["done", "waits", "failed"]


@dataclass(frozen=True, slots=True)
class Behind:
    """The apps of one node that do not show what is there now of others.

    `reads` has the apps from which each of them takes what differs.
    """

    reads: Mapping[str, frozenset[str]]

    def of(self, row: TriggerRow) -> frozenset[str]:
        """Those that are behind because of a change, as far as is known."""
        return frozenset(
            app
            for app, listed in self.reads.items()
            if row.affected_apps is None or not listed.isdisjoint(row.affected_apps)
        )


NOTHING_BEHIND: Final = Behind({})


def what_is_behind(
    content: Snapshot,
    shown: Snapshot,
    part: BuildSession,
    runs: Mapping[Target, RunEnd],
    *,
    now: datetime,
) -> Iterator[tuple[str, Behind]]:
    """Each node of a part of a build with what is behind there, once its runs have ended.

    `content` are the rows as they were read, `shown` has its pages as they are shown. An app with
    lists of other apps that this process has not built yet counts as behind; of others without a
    run nobody can say.
    """
    if part.request.dry_run:
        return
    memory = part.context.memory
    ids = {target.node for target in part.targets}
    for node in [node for node in content.nodes if node.id in ids]:
        if memory.relations.reads:
            live = partial(hidden_now, part, node, now)
            memory.relations.applied(content, now, memory.all_unlisted(), live)
        taken = _taken(node, shown, part)
        for place in [place for place in memory.takes if place[0] == node.id]:
            del memory.takes[place]
        behind: dict[str, frozenset[str]] = {}
        for app, takes in taken.items():
            place = node.id, app
            lists = frozenset(memory.relations.reads.get(app, ()))
            if runs.get(Target(*place)) == "done" and not part.request.pages:
                made = memory.assemblies[app].rows if lists else ()
                memory.finished[place] = replace(takes, lists=made)
            others = frozenset(taken) - {app}
            if reads := _differing(memory.finished.get(place), takes, lists, others):
                behind[app] = reads
            memory.takes[place] = lists | takes.sources(others)
        found = Behind(behind)
        # Those whose changes wait are built again once they may go out, and those that a row waits
        # for with that row.
        asking = frozenset(app for app in behind if runs.get(Target(node.id, app)) != "waits")
        rows = [row for row in content.triggers if row.auto_deploy and row.concerns(node.id)]
        memory.asking[node.id] = asking - frozenset[str]().union(*map(found.of, rows))
        for app in frozenset[str]().union(*(memory.takes[node.id, app] for app in taken)):
            memory.looked_at[node.id, app] = _live_name(part.site.root, node.id, app)
        yield node.id, found


def readers_of_changed(context: BuildContext, site_root: SiteRoot) -> frozenset[str]:
    """The apps that are behind, as far as no row waits for them; and those that take something from
    another one of which something else is live than was: it was rolled back, say, or another
    process built it.
    """
    memory = context.memory
    changed = {
        place for place, name in memory.looked_at.items() if _live_name(site_root, *place) != name
    }
    found = {
        app
        for (node, app), takes in memory.takes.items()
        if any((node, other) in changed for other in takes)
    }
    return frozenset(found).union(*memory.asking.values())


def _taken(node: NodeRow, shown: Snapshot, part: BuildSession) -> dict[str, Taken]:
    """What each app of a node takes from the others now."""
    memory = part.context.memory
    live = partial(release.live, part.site.root, node.id)
    conflicts = memory.routes.conflicts(shown, node, live)
    redirects = memory.routes.redirects(shown, node)
    found: dict[str, Taken] = {}
    for app in node.apps:
        assembly = memory.assemblies.get(app)
        links: dict[str, str | None] = {}
        if assembly is not None and assembly.linked_abroad and app != SHARED_APP:
            routes = {row.key: row.route for row in memory.relations.rows(SHARED_APP)}
            named = frozenset[str]().union(*assembly.linked_abroad.values())
            links = {key: routes.get(key) for key in named}
        found[app] = Taken(
            lists=memory.relations.shown(app) if app in memory.relations.reads else (),
            links=links,
            index=memory.indexes.of(shown, node) if app == SHARED_APP else None,
            problems=holding_back(app, conflicts, redirects.problems, shown),
            redirects=redirects.by_app.get(app, ()),
        )
    return found


def _differing(
    known: Taken | None, takes: Taken, lists: frozenset[str], others: frozenset[str]
) -> frozenset[str]:
    """The apps from which one takes something else than in its last run."""
    if known is None:
        return lists
    found = frozenset[str]()
    if lists and not known.has_same_lists(takes):
        found |= lists
    if not known.has_same_links(takes):
        found |= {SHARED_APP}
    if not known.has_same_places(takes):
        found |= others
    return found


def _live_name(site_root: SiteRoot, node: str, app: str) -> str | None:
    """The name of what is live of an app; None where nothing is."""
    if not release.has_place(node, app):
        return None
    return release.AppFolder.of(site_root, node, app).live_name
