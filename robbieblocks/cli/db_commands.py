"""`robbieblocks db`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.options import DatabaseUrl

db = typer.Typer(
    name="db", help="The database: its schema, and the demo's content.", no_args_is_help=True
)


@db.command("init")
def db_init(
    demo: Annotated[
        bool, typer.Option("--demo", help="Add the demo's components, pages, tokens and nodes.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Create the schema, or bring an earlier one up to date; adds no content but with --demo."""
    from robbieblocks.cli import database as command

    command.upgrade(database_url, demo=demo)


@db.command("verify")
def db_verify(database_url: DatabaseUrl = None) -> None:
    """Compare the database's schema with the one this version needs."""
    from robbieblocks.cli import database as command

    command.verify(database_url)


@db.command("upgrade")
def db_upgrade(database_url: DatabaseUrl = None) -> None:
    """Bring an earlier schema up to date and say what changed."""
    from robbieblocks.cli import database as command

    command.upgrade(database_url)
