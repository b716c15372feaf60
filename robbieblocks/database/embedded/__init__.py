"""The default database: a Postgres of its own under `.robbieblocks/`, shared by all commands."""

from robbieblocks.database.embedded.server import install_extension, program, server

__all__ = ["install_extension", "program", "server"]
