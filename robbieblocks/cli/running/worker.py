"""`robbieblocks worker`."""

from __future__ import annotations

from typing import Final, Literal

from robbieblocks import collector, worker
from robbieblocks.cli import session
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings
from robbieblocks.worker import Timing

_NO_HEALTH_SERVER: Final = "off"
_LAST_PORT: Final = 65535


def run(
    *,
    node: str,
    health: str | None,
    poll: float,
    reconcile: float,
    grace: float,
    log_form: Literal["auto", "json", "text"],
    embedded: bool,
    create_root: bool,
    adopt: bool,
    database_url: str | None,
) -> None:
    """Run a worker until SIGTERM or SIGINT. Times are in seconds."""
    settings = Settings.from_environment(database_url=database_url)
    options = worker.Options(
        node=node,
        health=_health_address(health or settings.health),
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
    with session.located(settings, may_embed=embedded) as found:
        worker.run(found, options, worker.open_log(log_form))


def _positive(option: str, seconds: float) -> float:
    if not seconds > 0:
        raise UsageError(f"{option} is a time in seconds and must be more than 0")
    return seconds


def _health_address(health: str | None) -> str | None:
    """What --health or the settings say, as `worker.Options` wants it: "" for no server."""
    if health is None:
        return None
    if health == _NO_HEALTH_SERVER:
        return ""
    port = health.rpartition(":")[2]
    if not port.isdigit() or int(port) > _LAST_PORT:
        raise UsageError(
            f"the health server's address is HOST:PORT, a port, or `{_NO_HEALTH_SERVER}`: "
            f"{health!r} is none of them\n"
            "  -> correct --health, ROBBIEBLOCKS_HEALTH, or worker.health in robbieblocks.toml"
        )
    return health
