"""Where a process that runs on answers health requests: what --health and settings say."""

from __future__ import annotations

from typing import Final

from robbieblocks.errors import UsageError

_NO_HEALTH_SERVER: Final = "off"
_LAST_PORT: Final = 65535


def health_address(health: str | None) -> str | None:
    """What --health or the settings say, "" for no server, None for the usual one."""
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
