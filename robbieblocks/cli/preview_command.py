"""The command `preview`, and its options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids, page_keys
from robbieblocks.cli.options import DatabaseUrl


def preview(
    against: Annotated[
        str,
        typer.Option(
            metavar="REF|live|FOLDER",
            help="What to compare with: a git revision of this project, the rows of the database "
            "(live), or another project's or export's folder.",
        ),
    ] = "HEAD",
    page: Annotated[
        list[str] | None,
        typer.Option(autocompletion=page_keys, help="Only this page (by page_key); repeatable."),
    ] = None,
    app_: Annotated[
        list[str] | None, typer.Option("--app", help="Only this app namespace; repeatable.")
    ] = None,
    node: Annotated[
        list[str] | None,
        typer.Option(autocompletion=node_ids, help="Only this node; repeatable. Default: all."),
    ] = None,
    drafts: Annotated[
        bool, typer.Option("--drafts", help="Draft pages and unpublished components too.")
    ] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="With --against live: without imported rows whose files are gone."
        ),
    ] = False,
    format_: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="Form of the result.")
    ] = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show what the project's files change for visitors, on which node, and why.

    Both sites are really built, in memory. Changes nothing: neither rows nor sites nor the git
    repository. Only --against live uses a database, and only reads it.

    Example: robbieblocks preview --against main --format markdown
    """
    from robbieblocks.cli import ahead
    from robbieblocks.settings import Settings

    settings = Settings.from_environment(database_url=database_url)
    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli import preview as command
        from robbieblocks.review import Asked

        asked = Asked(
            against=against,
            pages=tuple(page or ()),
            apps=tuple(app_ or ()),
            nodes=tuple(node or ()),
            drafts=drafts,
            prune=prune,
        )
        command.run(asked, format_, settings, prerenderer)
