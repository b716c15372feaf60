"""Connections to Postgres, and the translation of the errors that the driver raises.

`database.schema` applies and verifies the schema, `database.maintenance` keeps the database fast,
`database.embedded` runs the default server, and `database.sessions` is about advisory locks.
Queries stand in the packages that need them.
"""

from robbieblocks.database.address import read_address, secrets, url
from robbieblocks.database.completeness import check_whole
from robbieblocks.database.connect_errors import described
from robbieblocks.database.connection import (
    bytes_moved,
    clock_ahead_s,
    connect,
    connect_beside,
    is_pooled,
    is_read_only,
    shut_down,
)
from robbieblocks.database.errors import translated
from robbieblocks.database.identity import identity
from robbieblocks.database.loading import JSON_TOO_DEEP, JSON_TOO_LONG, decoded_json
from robbieblocks.database.rights import ALL_ROWS, missing_roles

__all__ = [
    "ALL_ROWS",
    "JSON_TOO_DEEP",
    "JSON_TOO_LONG",
    "bytes_moved",
    "check_whole",
    "clock_ahead_s",
    "connect",
    "connect_beside",
    "decoded_json",
    "described",
    "identity",
    "is_pooled",
    "is_read_only",
    "missing_roles",
    "read_address",
    "secrets",
    "shut_down",
    "translated",
    "url",
]
