"""`[applications]` in robbieblocks.toml: paths that belong to programs of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from robbieblocks.messages import printable

if TYPE_CHECKING:
    from robbieblocks.source_files import Table

NAME: Final = "applications"

_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+")
_ADDRESS: Final = re.compile(
    r"http://(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]):(\d{1,5})"
)
_LAST_PORT: Final = 65_535
# What the servers answer themselves.
_OWN: Final = re.compile(r"/(?:_rb|_rb-dev|_forms|healthz|404\.html|manifest\.json)(?:/.*)?")


def read_applications(table: Table) -> dict[str, str]:
    """The address of each application by its path, as the file says; mistakes are reported."""
    found = table.texts(NAME)
    for path, address in found.items():
        if problem := _problem(path, address):
            table.report(NAME, *problem, inside=path)
    return found


def applications_in(in_file: Mapping[str, str]) -> dict[str, str]:
    """Those among the values of a project's file, by table and key."""
    prefix = f"{NAME}."
    return {
        key.removeprefix(prefix): address
        for key, address in in_file.items()
        if key.startswith(prefix)
    }


def _problem(path: str, address: str) -> tuple[str, str] | None:
    said = printable(path)
    if not _PATH.fullmatch(path):
        return f'has the path "{said}"', 'write it as in "/api": parts of A-Z a-z 0-9 . _ ~ -'
    if _OWN.fullmatch(path):
        return f"has {said}, which the server answers itself", "choose another path"
    port = _ADDRESS.fullmatch(address)
    if port is None or not 0 < int(port[1]) <= _LAST_PORT:
        return (
            f'gives {said} the address "{printable(address)}"',
            'write it as in "http://127.0.0.1:8001": plain HTTP, a host and a port, and no path, '
            "because the application gets the path as the visitor asked for it",
        )
    return None
