"""`robbieblocks sync run`."""

from __future__ import annotations

from typing import Literal

from robbieblocks import collector, sync, worker
from robbieblocks.cli import session
from robbieblocks.cli.health_address import health_address
from robbieblocks.settings import Settings


def run(
    node: str,
    *,
    health: str | None,
    log_form: Literal["auto", "json", "text"],
    embedded: bool,
    database_url: str | None,
) -> None:
    """Sync until SIGTERM or SIGINT."""
    settings = Settings.from_environment(database_url=database_url)
    options = sync.SyncOptions(node=node, health=health_address(health))
    collector.enable_for_service()
    with session.located(settings, may_embed=embedded) as found:
        sync.run(found, options, worker.open_log(log_form))
