"""Acknowledging queue rows: which changes a build has handled, node by node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from robbieblocks import changes, record, release
from robbieblocks.errors import Problem, RobbieBlocksError
from robbieblocks.model import NodeRow, Snapshot
from robbieblocks.pipeline.behind import NOTHING_BEHIND, Behind
from robbieblocks.pipeline.report import RunReport
from robbieblocks.pipeline.session import BuildSession


def acknowledge(
    content: Snapshot,
    runs: Sequence[RunReport],
    session: BuildSession,
    behind: Mapping[str, Behind],
) -> tuple[frozenset[UUID], tuple[Problem, ...]]:
    """Mark the queue rows that this build has handled.

    Returns those that no node still misses, and why others could not be marked.

    A node has handled a row when every app of the node that the row may affect was built. A run
    that failed for lack of infrastructure handles none, and neither does one whose changes a pin or
    a freeze keeps from going out: its rows wait. So do those that leave lists of other apps
    `behind`, by node. Raises DatabaseUnavailable.
    """
    if session.request.dry_run:
        return frozenset(), ()
    with session.stopwatch.step("record"):
        missed: set[UUID] = set()
        refused: dict[UUID, Problem] = {}
        for node in content.nodes:
            missed |= _acknowledge_on(
                node, content, runs, session, refused, behind.get(node.id, NOTHING_BEHIND)
            )
        if session.request.repair:
            _remove_old_rows(session)
        for problem in refused.values():
            session.progress(str(problem))
    return frozenset(row.id for row in content.triggers) - missed, tuple(refused.values())


def _acknowledge_on(
    node: NodeRow,
    content: Snapshot,
    runs: Sequence[RunReport],
    session: BuildSession,
    refused: dict[UUID, Problem],
    behind: Behind,
) -> set[UUID]:
    """Acknowledge what one node has handled; returns the rows that it still misses.

    Rows that the database refuses are among them, and are added to `refused`.
    """
    request = session.request
    rows = [row for row in content.triggers if row.concerns(node.id)]
    built = _built_apps(node, content, runs, session)
    # A build of single pages handles no row: others of the app may have changed, too.
    handled = [
        row.id
        for row in rows
        if built
        and not request.pages
        and row.affected_apps_on(node.id, node.apps)
        <= {*built, *request.built_before.get(row.id, ())}
        and not behind.of(row)
    ]
    if handled:
        done = changes.acknowledge(session.connection, node.id, handled)
        refused |= done.refused
        handled = [key for key in handled if key not in done.refused]
    return {row.id for row in rows} - set(handled)


def _built_apps(
    node: NodeRow, content: Snapshot, runs: Sequence[RunReport], session: BuildSession
) -> Collection[str]:
    """The node's apps that are as the content wants them."""
    on_node = {run.app: run.transient or run.waits for run in runs if run.node == node.id}
    # An app that was no target has nothing live; where it has no page either, that is right.
    empty = set(session.request.apps or node.apps) - on_node.keys()
    if empty:
        empty -= {page.app for page in content.pages}
    return {app for app, waits in on_node.items() if not waits} | empty


def _remove_old_rows(session: BuildSession) -> None:
    """Keep queue and history from growing for ever; a build does not fail because that fails."""
    site_root = session.site.root
    try:
        needed_since = record.kept_since(
            session.connection,
            release.kept_hashes(site_root),
            releases=site_root.retention.releases,
            days=site_root.retention.days,
        )
        changes.remove_processed(session.connection, needed_since)
        record.remove_old(session.connection, needed_since)
    except RobbieBlocksError as error:
        session.progress(str(error))
