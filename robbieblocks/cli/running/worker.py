"""`robbieblocks worker`."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Literal

from robbieblocks import collector, worker
from robbieblocks.cli import session
from robbieblocks.cli.health_address import health_address
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings
from robbieblocks.worker import Timing


def run(
    *,
    node: str,
    health: str | None,
    poll: float,
    reconcile: float,
    grace: float,
    log_form: Literal["auto", "json", "text"],
    with_sync: bool,
    embedded: bool,
    create_root: bool,
    adopt: bool,
    database_url: str | None,
) -> None:
    """Run a worker until SIGTERM or SIGINT. Times are in seconds."""
    settings = Settings.from_environment(database_url=database_url)
    options = worker.Options(
        node=node,
        health=health_address(health or settings.health),
        create_root=create_root,
        adopt=adopt,
        timing=Timing(
            poll_interval_s=_positive("--poll", poll),
            poll_without_listener_s=min(poll, Timing().poll_without_listener_s),
            reconcile_interval_s=_positive("--reconcile", reconcile),
            grace_s=grace,
        ),
    )
    collector.enable_for_service()
    log = worker.open_log(log_form)
    with ExitStack() as stack:
        found = stack.enter_context(session.located(settings, may_embed=embedded))
        if with_sync:
            # Its packages take time and memory, and most workers have no part in a sync.
            from robbieblocks import sync

            address = "" if options.health == "" else None
            stack.enter_context(sync.beside(found, node, log, health=address))
        worker.run(found, options, log)


def _positive(option: str, seconds: float) -> float:
    if not seconds > 0:
        raise UsageError(f"{option} is a time in seconds and must be more than 0")
    return seconds
