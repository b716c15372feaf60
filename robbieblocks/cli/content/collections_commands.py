"""`robbieblocks collections`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.options import DatabaseUrl, ResultFormat

collections = typer.Typer(
    name="collections",
    help="Rows of your own tables as pages and data: the collections of the settings.",
    no_args_is_help=True,
)


@collections.command("list")
def collections_list(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """Show each collection: its view, its rows, and the tables that tell of changes.

    Changes nothing.

    Example: robbieblocks collections list
    """
    from robbieblocks.cli.content import collections as command

    command.list_(format_=format_, database_url=database_url)


@collections.command("check")
def collections_check(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """Say what is wrong with views, rows, templates and triggers; exit 1 where something is.

    What is wrong with the pages that are made of rows says `robbieblocks check`. Changes nothing.

    Example: robbieblocks collections check
    """
    from robbieblocks.cli.content import collections as command

    command.check(format_=format_, database_url=database_url)


@collections.command("install")
def collections_install(
    apply: Annotated[
        bool, typer.Option("--apply", help="Run the statements instead of printing them.")
    ] = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Print the triggers by which a worker learns of changed rows; with --apply, make them.

    Changes nothing without --apply; with it, triggers of the tables that the views are read from,
    as their owner. Without these a worker sees a changed row when it next looks at everything.

    Example: robbieblocks collections install --apply
    """
    from robbieblocks.cli.content import collections as command

    command.install(apply=apply, database_url=database_url)
