"""The default database: a Postgres of its own under `.robbieblocks/`, shared by all commands."""

from robbieblocks.database.embedded.server import server

__all__ = ["server"]
