"""Opens the database that a command uses: the one that is named, or else the embedded one."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from psycopg import Connection

from robbieblocks import database
from robbieblocks.cli.output import print_progress
from robbieblocks.database import embedded
from robbieblocks.errors import UsageError
from robbieblocks.settings import Settings, resource_dir

LIBPQ_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE")


def is_named(settings: Settings) -> bool:
    """Whether a database is named: by settings, or by the variables of libpq."""
    return settings.database_url is not None or any(map(os.environ.get, LIBPQ_VARIABLES))


@contextmanager
def opened(settings: Settings) -> Generator[Connection]:
    """A connection to the database of `settings`, made ready as by `located`."""
    with (
        located(settings) as found,
        database.connect(found, application_name="robbieblocks") as connection,
    ):
        yield connection


@contextmanager
def located(settings: Settings, *, may_embed: bool = True) -> Generator[Settings]:
    """Settings with the address of the database, for callers that open several connections.

    Where none is named, the embedded server is started; a new one gets the schema, and outside of
    a project the seed content. Raises UsageError there unless `may_embed`.
    """
    if is_named(settings):
        yield settings
        return
    if not may_embed:
        raise UsageError(
            "no database is named, and this command uses the embedded one only with --embedded\n"
            "  -> set ROBBIEBLOCKS_DATABASE_URL (of a service: in /etc/robbieblocks/<node>.env), "
            "the PG* variables or --database-url"
        )
    with embedded.server(settings.home, progress=print_progress) as conninfo:
        own = replace(settings, database_url=conninfo)
        note = settings.home / "postgres" / "seeded"
        if not note.exists():
            with database.connect(own, application_name="robbieblocks") as connection:
                _prepare(connection, settings, note)
        yield own


def _prepare(connection: Connection, settings: Settings, note: Path) -> None:
    """Put the schema, and outside of a project the seed content, into a new embedded database.

    Where several commands start at once, one does it and the others wait. The file `note` is made
    last: a command that was killed midway is repeated, and tables that an editor emptied later stay
    empty.
    """
    # This import takes long, and is needed once in a database's life.
    from robbieblocks import content
    from robbieblocks.database import schema

    with schema.exclusive(connection):
        if note.exists():
            return
        if settings.project is None:
            print_progress("creating the schema and the seed content")
            schema.apply(connection, settings.schema)
            demo = content.load(settings.schema / "content", resource_dir("node_branding"))
            content.seed(connection, demo)
        else:
            print_progress("creating an empty database, which `robbieblocks content import` fills")
            # The schema file seeds new tables for those who apply it with psql alone.
            connection.execute("SET robbieblocks.demo = 'off'")
            schema.apply(connection, settings.schema)
        note.touch()
