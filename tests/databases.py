"""Databases of the test server: copied from a template in milliseconds, dropped after use."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.sql import SQL, Identifier

from tests import memory

# WAL_LOG (Postgres' default) writes a copy twice. FILE_COPY waits for two checkpoints: on a disk
# that takes longer, in memory it is nothing.
_ON_DISK = SQL("CREATE DATABASE {} TEMPLATE {} OWNER robbieblocks STRATEGY WAL_LOG")
_IN_MEMORY = SQL("CREATE DATABASE {} TEMPLATE {} OWNER robbieblocks STRATEGY FILE_COPY")
_DROP = SQL("DROP DATABASE {} WITH (FORCE)")
# These databases are thrown away: what a power cut would leave of them is no matter.
_FAST = (b"ALTER SYSTEM SET fsync = off", b"SELECT pg_reload_conf()")


class Databases:
    """Makes and drops databases of one server, over a superuser's connection of its own."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._numbers = itertools.count(1)
        self._connection = psycopg.connect(
            make_conninfo(conninfo, user="postgres"), autocommit=True
        )
        for statement in _FAST:
            self._connection.execute(statement)
        (data,) = self._connection.execute("SHOW data_directory").fetchone() or ("",)
        self._create = _IN_MEMORY if Path(data).is_relative_to(memory.PLACE) else _ON_DISK

    @contextmanager
    def copy(self, template: str = "robbieblocks") -> Iterator[str]:
        """Lend a copy of a database to which nobody is connected; yields its conninfo."""
        name = f"test_{next(self._numbers)}"
        self._connection.execute(self._create.format(Identifier(name), Identifier(template)))
        try:
            yield make_conninfo(self._conninfo, dbname=name)
        finally:
            self._connection.execute(_DROP.format(Identifier(name)))

    @contextmanager
    def template(self, base: str, prepare: Callable[[psycopg.Connection], object]) -> Iterator[str]:
        """Lend the name of a copy that `prepare` has filled."""
        with self.copy(base) as conninfo:
            with psycopg.connect(conninfo) as connection:
                prepare(connection)
            yield str(conninfo_to_dict(conninfo)["dbname"])

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
