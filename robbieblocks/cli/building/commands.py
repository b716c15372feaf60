"""The commands `build`, `check` and `types`, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids, page_keys
from robbieblocks.cli.options import Adopt, Apps, DatabaseUrl, Drafts, Nodes, Pages


def build(
    page: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=page_keys, help="Publish this page alone (by page_key); repeatable."
        ),
    ] = None,
    app_: Apps = None,
    node: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=node_ids,
            help="Only this node; repeatable. Default: every node that enables the app.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change; write neither rows nor site.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="With --dry-run: write a browsable copy into this folder.")
    ] = None,
    drafts: Annotated[
        bool,
        typer.Option(
            "--drafts", help="With --dry-run: draft pages and unpublished components too."
        ),
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="With --dry-run: as it will be then, such as 2026-12-24T18:00+01:00.",
            show_default=False,
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option("--verify", help="Read every live file: an edit may restore size and time."),
    ] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="A page with an error stops its whole app.")
    ] = False,
    approve: Annotated[
        list[str] | None,
        typer.Option(
            help="Publish only if the plan has this hash, which preview or a held run tells: "
            "the whole plan's, or a run's; repeatable."
        ),
    ] = None,
    during_freeze: Annotated[
        bool,
        typer.Option("--during-freeze", help="Publish although it is frozen; needs --reason."),
    ] = False,
    reason: Annotated[
        str | None,
        typer.Option(help="With --during-freeze: why, for the history.", show_default=False),
    ] = None,
    adopt: Adopt = False,
    format_: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="Form of the result.")
    ] = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Build pages and publish them to their nodes.

    Changes the site root, and the history of runs in the database; with --dry-run nothing.

    Example: robbieblocks build --page robbie-play-home --node vengeance-local
    """
    from robbieblocks.cli import ahead
    from robbieblocks.settings import Settings

    settings = Settings.from_environment(database_url=database_url)
    with ahead.prerenderer(settings) as prerenderer:
        from robbieblocks.cli.building import build as command
        from robbieblocks.pipeline import Request, read_instant

        broken = command.break_glass(during_freeze=during_freeze, reason=reason)
        request = Request(
            pages=tuple(page or ()),
            apps=tuple(app_ or ()),
            nodes=tuple(node or ()),
            during_freeze=broken,
            triggered_by="during-freeze" if broken else "cli",
            dry_run=dry_run,
            out=out,
            drafts=drafts,
            at=None if at is None else read_instant(at),
            strict=strict,
            thorough=verify,
            approved=tuple(approve or ()),
        )
        command.run(request, format_, settings, prerenderer, adopt=adopt)


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
        from robbieblocks.cli.building import check as command
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
    from robbieblocks.cli.building import types as command
    from robbieblocks.settings import Settings

    command.run(Settings.from_environment())
