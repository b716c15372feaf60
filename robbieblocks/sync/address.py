"""The master's address, as the settings name it."""

from __future__ import annotations

import ipaddress
import os
from contextlib import suppress
from typing import Final

from psycopg import conninfo

from robbieblocks import database
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings

_ENCRYPTED: Final = ("require", "verify-ca", "verify-full")
_FIRST_DEFAULT: Final = "require"


def master_address(settings: Settings) -> str:
    """The address of the master, with TLS demanded where it is on another machine.

    Raises UsageError where none is named, libpq can't read it, or it allows no TLS.
    """
    address = settings.sync.master
    if not address:
        raise UsageError(
            "no master is named\n  -> set ROBBIEBLOCKS_SYNC_MASTER_URL, or `sync.master` in "
            "robbieblocks.toml, to the address that `robbieblocks sync admit` prints there"
        )
    given = database.read_address(address)
    if _is_here(given) or not settings.sync.is_tls_required:
        return address
    mode = given.get("sslmode")
    if mode is None and _service(given):
        raise UsageError(
            "the master is named by a service, and nothing here knows whether that demands TLS"
            "\n  -> write sslmode=verify-full (or require) into its address, too"
        )
    mode = mode or os.environ.get("PGSSLMODE") or _FIRST_DEFAULT
    if mode not in _ENCRYPTED:
        raise UsageError(
            f"the master is on another machine, and sslmode={mode} allows a connection without TLS"
            "\n  -> write sslmode=verify-full (or require) into its address, or set `sync.tls` to "
            '"optional" where the network itself is encrypted'
        )
    # In the address: the subscription is of the server, which has not our environment.
    return address if "sslmode" in given else conninfo.make_conninfo(address, sslmode=mode)


def _service(address: dict[str, str]) -> str:
    return address.get("service") or os.environ.get("PGSERVICE") or ""


def _is_here(address: dict[str, str]) -> bool:
    hosts = (
        address.get("hostaddr")
        or os.environ.get("PGHOSTADDR")
        or address.get("host")
        or os.environ.get("PGHOST")
        or ""
    )
    if not hosts and _service(address):
        return False
    return all(_is_local(host) for host in hosts.split(","))


def _is_local(host: str) -> bool:
    if not host or host == "localhost" or host.startswith(("/", "@")):
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False
