"""Applies the schema file, one session at a time."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import Connection

from robbieblocks.database.errors import translated
from robbieblocks.settings import resource_dir

_FILES = "unified-schema/*.sql"

# The first file that this program needs itself; those before it are the unified schema's.
_OWN = "21"

# The file that needs the extension vector.
_VECTORS = "03"

# The file that only databases need which are kept in step with others.
_SYNC = "23"

# Whether a database has it.
_SYNCS: LiteralString = "SELECT to_regclass('sync_self') IS NOT NULL"

# The file begins and ends its own transaction, for psql; here it runs in one of ours.
_OWN_TRANSACTION = re.compile(rb"^(BEGIN ISOLATION LEVEL READ COMMITTED|COMMIT);$", re.MULTILINE)

# The isolation level that the file asks for when psql runs it.
_READ_COMMITTED: LiteralString = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"

# Leave new tables empty: the file seeds them for those who apply it with psql alone.
_WITHOUT_DEMO: LiteralString = "SET robbieblocks.demo = 'off'"

# The lock that the schema file takes too, until the transaction ends.
_LOCK_FOR_TRANSACTION: LiteralString = "SELECT pg_advisory_xact_lock(7249104361285521)"

# The same lock, until it is released or the session ends.
_LOCK: LiteralString = "SELECT pg_advisory_lock(7249104361285521)"

# Release the session's lock.
_UNLOCK: LiteralString = "SELECT pg_advisory_unlock(7249104361285521)"


def apply(
    connection: Connection,
    folder: Path | None = None,
    *,
    unified: bool = False,
    vectors: bool = True,
    sync: bool = False,
) -> None:
    """Bring the database to this version's schema, in one transaction; rows are never changed.

    It may be repeated, and two sessions may do it at once: the second waits. `folder` is the schema
    folder, the installation's own by default. With `unified` the files before the program's own
    are applied, too, but without `vectors` the one that needs pgvector. The file of the sync is
    applied with `sync` or `unified`, and where it was before. Raises DatabaseUnavailable,
    RightsMissing, and Permanent where a file refuses.
    """
    with translated("apply the schema"), connection.transaction():
        connection.execute(_READ_COMMITTED)
        sync = sync or connection.execute(_SYNCS).fetchone() == (True,)
        for text in sources(folder, unified=unified, vectors=vectors, sync=sync):
            connection.execute(text)


def apply_for_sync(connection: Connection, folder: Path | None = None) -> None:
    """Bring the database to this version's schema with what a sync needs; raises as `apply`.

    An empty database stays empty: a node gets the master's rows, and a master has its own.
    """
    with translated("apply the schema"):
        connection.execute(_WITHOUT_DEMO)
    apply(connection, folder, sync=True)


@contextmanager
def exclusive(connection: Connection) -> Generator[None]:
    """Keep every other session from applying the schema, or from entering here, for the block."""
    with translated("wait for another command that applies the schema"):
        connection.execute(_LOCK)
    try:
        yield
    finally:
        # Where the connection is lost, the server has released the lock by itself.
        with suppress(psycopg.OperationalError):
            connection.execute(_UNLOCK)


def lock_for_transaction(connection: Connection) -> None:
    """Keep every other session from applying the schema until the transaction ends."""
    connection.execute(_LOCK_FOR_TRANSACTION)


def sources(
    folder: Path | None, *, unified: bool = False, vectors: bool = True, sync: bool = False
) -> list[bytes]:
    """The program's SQL files in order, or all files, to be run inside a transaction."""
    files = sorted((folder or resource_dir("schema")).glob(_FILES))
    return [
        _OWN_TRANSACTION.sub(b"", file.read_bytes())
        for file in files
        if (unified or file.name >= _OWN)
        and (vectors or not file.name.startswith(_VECTORS))
        and (unified or sync or not file.name.startswith(_SYNC))
    ]
