"""`robbieblocks prune`: removes nodes that left the database from the site root."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from robbieblocks import database, release, snapshot
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress, print_result
from robbieblocks.errors import UsageError
from robbieblocks.messages import did_you_mean
from robbieblocks.release import SiteRoot
from robbieblocks.settings import Settings


def run(*, nodes: Sequence[str], yes: bool, embedded: bool, database_url: str | None) -> None:
    """Remove nodes, each at one moment for its visitors; nothing where one of them may not go."""
    settings = Settings.from_environment(database_url=database_url)
    site_root = SiteRoot.of(settings)
    with (
        session.located(settings, may_embed=embedded) as found,
        database.connect(found, application_name="robbieblocks") as connection,
    ):
        # In another database's table no node of this site may be.
        if noted := release.claim(site_root, database.identity(connection)):
            print_progress(noted)
        known = {node.id for node in snapshot.nodes(connection)}
        gone = set(release.nodes(site_root)) - known
        for node in nodes:
            if node in known:
                raise UsageError(
                    f"the node {node} is in robbieblocks_node_branding: delete its row first"
                )
            if node not in gone:
                raise UsageError(
                    f"no node {node!r} is live under {site_root.path}: {did_you_mean(node, gone)}"
                )
        if not yes:
            _confirm(site_root, nodes)
        for node in nodes:
            release.remove_node(site_root, node)
            print_result(f"removed {node}")


def _confirm(site_root: SiteRoot, nodes: Sequence[str]) -> None:
    """Ask a person at a terminal. Raises UsageError where there is none, or the answer is no."""
    for node in nodes:
        apps = ", ".join(release.apps(site_root, node))
        print_progress(f"{site_root.path / node}: {apps}, with all releases and assets")
    if not (sys.stdin.isatty() and typer.confirm("Remove for good?", err=True)):
        raise UsageError("nothing was removed: --yes removes it")
