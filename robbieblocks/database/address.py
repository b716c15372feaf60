"""The database's address: read as libpq reads it, and written for other programs."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import quote, urlencode

import psycopg
from psycopg import conninfo, pq

from robbieblocks.database.connect_errors import port_error, unreadable_error
from robbieblocks.settings import Settings

_URL_SCHEMES: Final = ("postgresql://", "postgres://")


def read_address(address: str) -> dict[str, str]:
    """What an address says, by libpq's names. Raises UsageError, which holds no password."""
    try:
        given = conninfo.conninfo_to_dict(address)
    except psycopg.ProgrammingError as error:
        # `from None`: the driver's own message may repeat the password.
        raise unreadable_error(error, address) from None
    if not all(port.isdecimal() for port in str(given.get("port") or 0).split(",") if port):
        # libpq would notice while connecting, and repeat the text in its message: where a character
        # of the address is missing, that may be the password.
        raise port_error(address)
    return {name: str(value) for name, value in given.items()}


def secrets() -> dict[str, str]:
    """libpq's names of what no other user may see, and the variable for each, or an empty text."""
    return {
        option.keyword.decode(): (option.envvar or b"").decode()
        for option in pq.Conninfo.get_defaults()
        if option.dispchar == b"*"
    }


def url(settings: Settings) -> str:
    """The database as a libpq URL; one that the settings have is given as it is.

    What libpq's variables say is in it, but for PGPASSWORD. Raises UsageError.
    """
    address = settings.database_url or ""
    parts = read_address(address)
    if address.startswith(_URL_SCHEMES):
        return address
    parts = {**_variables(), **parts}
    user, password = parts.pop("user", ""), parts.pop("password", "")
    name = quote(parts.pop("dbname", ""), safe="")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    place = _host(parts)
    query = f"?{urlencode(parts, quote_via=quote)}" if parts else ""
    return f"postgresql://{login}{'@' if login else ''}{place}/{name}{query}"


def _host(parts: dict[str, str]) -> str:
    """Take a host by name and its port out of the parts; a socket or several hosts stay there."""
    host = parts.get("host", "")
    if not host or host.startswith(("/", "@")) or "," in host:
        return ""
    del parts["host"]
    port = parts.pop("port", "")
    bracketed = f"[{host}]" if ":" in host else quote(host, safe="")
    return bracketed + (f":{port}" if port else "")


def _variables() -> dict[str, str]:
    """What libpq's variables say that are set, by libpq's names; no password."""
    return {
        option.keyword.decode(): os.environ[option.envvar.decode()]
        for option in pq.Conninfo.get_defaults()
        if option.envvar and os.environ.get(option.envvar.decode()) and option.dispchar != b"*"
    }
