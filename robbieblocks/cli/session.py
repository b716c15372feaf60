"""Opening the database that a command is to use: the named one, or the embedded default."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import Connection

from robbieblocks import database
from robbieblocks.database import embedded
from robbieblocks.settings import Settings

LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")


def progress(message: str) -> None:
    """Say on stderr what is being done."""
    print(message, file=sys.stderr, flush=True)


def names_a_database(settings: Settings) -> bool:
    """Whether an option or the environment names a database, so that none is to be embedded."""
    return settings.database_url is not None or any(os.environ.get(v) for v in LIBPQ_VARIABLES)


@contextmanager
def opened(settings: Settings) -> Iterator[Connection]:
    """A connection to the database of `settings`.

    The embedded server is started where no database is named, and its schema and seed content are
    put in when it is new.
    """
    with (
        located(settings) as found,
        database.connect(found, application_name="robbieblocks") as connection,
    ):
        yield connection


@contextmanager
def located(settings: Settings) -> Iterator[Settings]:
    """Settings that lead to the database: the same, or those of the embedded server, made ready.

    For who opens more than one connection.
    """
    if names_a_database(settings):
        yield settings
        return
    with embedded.server(settings.home, progress=progress) as conninfo:
        own = replace(settings, database_url=conninfo)
        note = settings.home / "postgres" / "seeded"
        if not note.exists():
            with database.connect(own, application_name="robbieblocks") as connection:
                _prepare(connection, settings, note)
        yield own


def _prepare(connection: Connection, settings: Settings, note: Path) -> None:
    """Put schema and seed content into a new embedded database.

    Of commands that start at once one does it, and the others wait for it. The note beside the data
    is written last, so that a command killed midway is made up for, and an editor who empties the
    tables later finds them empty.
    """
    # Reading TOML takes long to import, and this happens once in a database's life.
    from robbieblocks import content
    from robbieblocks.database import schema

    with schema.exclusive(connection):
        if note.exists():
            return
        progress("creating the schema and the seed content")
        schema.apply(connection, settings.schema)
        content.seed(connection, content.load(settings.schema / "content", settings.node_branding))
        note.touch()
