"""The commands `check` and `types`, and their options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.options import Apps, DatabaseUrl, Drafts, Nodes, Pages


def check(
    page: Pages = None,
    app_: Apps = None,
    node: Nodes = None,
    drafts: Drafts = False,
    format_: Annotated[
        Literal["text", "json", "github"],
        typer.Option(
            "--format", help="Form of the result; github: annotations of a workflow's files."
        ),
    ] = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Check the published pages and all that they are made of; exit with 1 where there is an error.

    Changes nothing. [checks] in robbieblocks.toml sets the level of each rule.

    Example: robbieblocks check --format github
    """
    from robbieblocks.cli import ahead
    from robbieblocks.settings import Settings

    settings = Settings.from_environment(database_url=database_url)
    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli import check as command
        from robbieblocks.pipeline import Request

        request = Request(
            pages=tuple(page or ()), apps=tuple(app_ or ()), nodes=tuple(node or ()), drafts=drafts
        )
        command.run(request, format_, settings, prerenderer)


def types() -> None:
    """Write what an editor needs to complete and check the project's files, from the files alone.

    Changes the folder .robbieblocks/types, and makes tsconfig.json, .taplo.toml and
    .vscode/settings.json where they are missing. Uses no database. The first time it fetches
    TypeScript and the packages that components may import.

    Example: robbieblocks types
    """
    from robbieblocks.cli import types as command
    from robbieblocks.settings import Settings

    command.run(Settings.from_environment())
