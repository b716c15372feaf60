"""`robbieblocks dev`."""

from __future__ import annotations

from collections.abc import Sequence

from robbieblocks import collector
from robbieblocks.cli import session
from robbieblocks.cli.output import print_progress
from robbieblocks.cli.running.serve import print_addresses
from robbieblocks.dev import run_dev
from robbieblocks.settings import Settings


def run(*, nodes: Sequence[str], port: int, database_url: str | None) -> None:
    """Serve what is saved until interrupted."""
    settings = Settings.from_environment(database_url=database_url)
    collector.enable_for_service()
    with session.located(settings) as found:
        run_dev(found, nodes=nodes, port=port, say=print_progress, started=print_addresses)
