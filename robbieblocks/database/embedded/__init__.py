"""The default database: a Postgres of its own under `.robbieblocks/`, shared by all commands."""

from robbieblocks.database.embedded.server import program, server

__all__ = ["program", "server"]
