"""`robbieblocks status`: what should be live, what was built, what is served."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer
from psycopg import Connection

from robbieblocks import changes, record, release, snapshot
from robbieblocks.cli import output, session
from robbieblocks.cli.operating.status_findings import (
    cache_troubles,
    left_behind,
    misaddressed,
    missing_cards,
    mistaken_windows,
    without_nodes,
)
from robbieblocks.cli.operating.status_text import UNKNOWN, AppStatus, as_text, workers_text
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import RobbieBlocksError, SiteUnavailable, UsageError
from robbieblocks.model import NodeRow
from robbieblocks.release import Freeze, Hold, Pin, SiteRoot
from robbieblocks.settings import Settings

if TYPE_CHECKING:
    from robbieblocks.pipeline import RunReport

# What a run was asked for by where no worker made it.
_BY_PEOPLE: Final = ("cli", "rollback", "during-freeze")


def run(
    *, nodes: Sequence[str], quick: bool, check: bool, format_: str, database_url: str | None
) -> None:
    """Print the state of nodes; with `check`, only what is not as it should be, and exit with 1."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    with session.opened(settings) as connection:
        known = snapshot.nodes(connection)
        chosen = _choose(known, nodes)
        ids = [node.id for node in chosen]
        desired, failed = ({}, "") if quick else _desired(settings, site_root, connection, ids)
        statuses = _statuses(settings, site_root, connection, chosen, desired)
        seen = record.workers(connection, ids)
    statuses = [_looked_at(each, settings, site_root, quick=quick) for each in statuses]
    facts = [_facts(node, seen[node], statuses, desired, failed) for node in ids]
    found = [finding for each in facts for finding in record.judge(each)]
    # A node that left the table is served on, and nothing else says so.
    found += () if known else (without_nodes(),)
    left = [] if nodes else sorted(set(release.nodes(site_root)) - {node.id for node in known})
    found += (left_behind(node) for node in left)
    found += misaddressed(settings.addresses, [node.id for node in known])
    if settings.bucket is not None:
        from robbieblocks.cli.operating.bucket import findings

        found += findings(settings.bucket, site_root, ids)
    if settings.shared_cache is not None:
        found += cache_troubles(settings.cache, settings.shared_cache.url, ids)
    found += mistaken_windows(settings.freeze_windows, known)
    found += (finding for each in statuses for finding in missing_cards(each))
    if format_ == "json":
        print_result(output.as_json(as_json(statuses, seen, found)))
    elif check:
        print_result("\n".join(map(str, found)) or "everything is as it should be")
    else:
        # In a pipe lines may have any length: an app is one line, however many nodes there are.
        terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if terminal else sys.maxsize
        text = as_text(statuses, datetime.now(UTC), width=width, color=terminal)
        below = [*(f"{node}  {workers_text(seen[node])}" for node in ids), *map(str, found)]
        print_result("\n".join([text, "", *below]), colored=terminal)
    if check and found:
        raise typer.Exit(1)


def as_json(
    statuses: Collection[AppStatus],
    workers: Mapping[str, Sequence[record.WorkerSeen]],
    findings: Collection[record.Finding],
) -> dict[str, object]:
    """The stable form of `--format json`."""
    return {
        "version": 1,
        "apps": [status.as_json() for status in statuses],
        "workers": [asdict(each) | {"node": node} for node in workers for each in workers[node]],
        "findings": [asdict(finding) for finding in findings],
    }


def _facts(
    node: str,
    workers: Sequence[record.WorkerSeen],
    statuses: Collection[AppStatus],
    desired: Mapping[tuple[str, str], RunReport],
    failed: str,
) -> record.NodeFacts:
    """What is known of a node; `failed` is why it is not known what should be live."""
    apps = [status for status in statuses if status.node == node]
    errors = {"": f"what should be live is not known: {failed}"} if failed else {}
    held_back: dict[str, str] = {}
    for status in apps:
        run, last = desired.get((node, status.app)), status.last_run
        if status.unreadable:
            errors[status.app] = status.unreadable
        elif run and run.error:
            (held_back if run.held_back and not run.is_held else errors)[status.app] = run.explained
        elif status.state == "failed" and last and status.desired != status.served:
            errors[status.app] = last.error or "its last run failed"
    return record.NodeFacts(
        node=node,
        workers=workers,
        had_worker=any(s.last_run and s.last_run.triggered_by not in _BY_PEOPLE for s in apps),
        errors=errors,
        held_back=held_back,
        pinned={status.app for status in apps if status.pin},
        edited={status.app: status.edited for status in apps if status.edited},
        behind={status.app: status.differing for status in apps if status.is_behind},
        not_served={
            status.app: (status.not_served[0].what, status.not_served[0].remedy)
            for status in apps
            if status.not_served
        },
        # What waits for the end of a pin or freeze is nobody's delay.
        waiting=max((s.waiting for s in apps if not (s.pin or s.freeze)), default=0),
        oldest_s=max(
            (s.oldest_seconds or 0.0 for s in apps if not (s.pin or s.freeze)), default=0.0
        ),
    )


def _choose(known: Sequence[NodeRow], wanted: Sequence[str]) -> list[NodeRow]:
    """The nodes named in `wanted`, or all of them. Raises UsageError for one that is not known."""
    if unknown := sorted(set(wanted) - {node.id for node in known}):
        raise UsageError(
            f"there is no node {unknown[0]!r} (known: {', '.join(node.id for node in known)})"
        )
    return [node for node in known if not wanted or node.id in wanted]


def _desired(
    settings: Settings, site_root: SiteRoot, connection: Connection, nodes: Sequence[str]
) -> tuple[dict[tuple[str, str], RunReport], str]:
    """What a build would make live, by node and app, found by a dry run; or why that fails."""
    # All that a build needs takes long to import, and with --quick none is made.
    from robbieblocks.pipeline import BreakGlass, BuildContext, Request, Site, build

    try:
        with BuildContext.open(settings, print_progress) as context:
            report = build(
                Request(
                    nodes=tuple(nodes),
                    dry_run=True,
                    repair=False,
                    # What is frozen is told as it will be afterwards.
                    during_freeze=BreakGlass(who="status", why="to tell what follows"),
                ),
                context=context,
                connection=connection,
                site=Site(root=site_root, freeze_windows=settings.freeze_windows),
                clock=lambda: datetime.now(UTC),
                progress=lambda _: None,
            )
    except RobbieBlocksError as error:
        print_progress(f"what should be live is not known: {error}")
        return {}, str(error)
    return {(run.node, run.app): run for run in report.runs}, ""


def _statuses(
    settings: Settings,
    site_root: SiteRoot,
    connection: Connection,
    nodes: Sequence[NodeRow],
    desired: Mapping[tuple[str, str], RunReport],
) -> list[AppStatus]:
    """The state of each app of each node; `desired` are the runs of a dry run, where one was made.

    Without the node's folder, another machine serves the node.
    """
    last_runs = record.latest(connection)
    statuses: list[AppStatus] = []
    for node in nodes:
        waiting = changes.waiting(connection, node.id)
        served_here = release.has_folder(site_root, node.id)
        for app in node.apps:
            run, last_run = desired.get((node.id, app)), last_runs.get((node.id, app))
            live = release.live(site_root, node.id, app) if served_here else None
            # A row may wait for another of the apps that it affects.
            at_rest = bool(run and live and run.is_at_rest(live.build_hash))
            pin, freeze, held, unreadable = _kept(settings, site_root, node.id, app)
            groups = [group for group in waiting.groups if app in group.apps and not at_rest]
            oldest = min((group.oldest for group in groups), default=None)
            status = AppStatus(
                node=node.id,
                app=app,
                desired=run.build_hash if run else UNKNOWN,
                built=last_run.built if last_run else None,
                served=live.build_hash if live else (None if served_here else UNKNOWN),
                pin=pin,
                freeze=freeze,
                would_change=(
                    {page.key: page.change for page in run.changed} if run and freeze else None
                ),
                held=held,
                unreadable=unreadable,
                held_back=tuple(page.key for page in run.held_back) if run else (),
                differing=tuple(page.key for page in run.changed) if run else (),
                without_card=live.without_card if live else {},
                waiting=sum(group.count for group in groups),
                oldest_seconds=(datetime.now(UTC) - oldest).total_seconds() if oldest else None,
                last_run=last_run,
            )
            statuses.append(status)
    return statuses


def _looked_at(
    status: AppStatus, settings: Settings, site_root: SiteRoot, *, quick: bool
) -> AppStatus:
    """The status with what differs on the disk and, unless `quick`, what the address answers.

    What was edited is not asked for, too: that would say the same again.
    """
    if status.served == UNKNOWN:
        return status
    edited = release.edited_on_disk(site_root, status.node, status.app, quick=quick)
    last = status.last_run
    is_swapped = status.served and status.built and status.served != status.built
    if not edited and is_swapped and last and last.status == "success" and not status.pin:
        where = f"`current` leads to {(status.served or '')[:12]}"
        edited = (f"{where}, and the last run made {(status.built or '')[:12]} live",)
    address = settings.addresses.of(status.node)
    if edited or quick or address is None or not status.served:
        return replace(status, edited=edited)
    return replace(
        status, not_served=release.not_served(site_root, status.node, status.app, address)
    )


def _kept(
    settings: Settings, site_root: SiteRoot, node: str, app: str
) -> tuple[Pin | None, Freeze | None, Mapping[str, Hold], str]:
    """What people hold of an app, and why that can't be read: the other apps are told of still."""
    pin: Pin | None = None
    freeze: Freeze | None = None
    try:
        pin = release.pinned(site_root, node, app)
        freeze = release.frozen(site_root, settings.freeze_windows, node, app, datetime.now(UTC))
        return pin, freeze, release.holds(site_root, node, app), ""
    except SiteUnavailable as error:
        return pin, freeze, {}, str(error)
