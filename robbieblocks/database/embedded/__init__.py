"""The default database: a Postgres of its own under `.robbieblocks/`, shared by all commands."""

from robbieblocks.database.embedded.server import (
    install_extension,
    is_installed,
    let_merge,
    program,
    server,
)

__all__ = ["install_extension", "is_installed", "let_merge", "program", "server"]
