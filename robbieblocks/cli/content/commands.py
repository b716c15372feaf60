"""`robbieblocks content` and `robbieblocks branding`: their commands and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from robbieblocks import collector
from robbieblocks.cli.options import (
    CheckDifferences,
    DatabaseUrl,
    DryRun,
    KeptFiles,
    Ours,
    PruneFiles,
    PruneRows,
    ReplacedFiles,
    ResultFormat,
    Theirs,
)

content = typer.Typer(
    name="content",
    help="Content as files: out of the database, and into it.",
    no_args_is_help=True,
)

branding = typer.Typer(
    name="branding",
    help="The branding of nodes as files, reviewed before it goes into the database.",
    no_args_is_help=True,
)


@content.callback()
def _collected() -> None:
    # Each TOML document that is written is a cycle: of 10,000 pages, a gigabyte.
    collector.enable_for_service()


_KEPT: Final = (
    "Changes files: one that says what its row says stays as it is, comments and all. A file that "
    "was edited since it was last imported is kept and named, until a side is chosen."
)


def _add_commands(
    group: typer.Typer, texts: Mapping[str, str], argument: Any, *, branding_alone: bool
) -> None:
    """Add the commands that content has, and branding alone; `argument` is their folder."""

    def export(
        folder: Path | None = argument,
        prune: PruneFiles = False,
        theirs: KeptFiles = None,
        ours: ReplacedFiles = None,
        database_url: DatabaseUrl = None,
    ) -> None:
        from robbieblocks.cli.content import content as command

        command.export(
            folder,
            prune=prune,
            theirs=theirs or (),
            ours=ours or (),
            database_url=database_url,
            branding_alone=branding_alone,
        )

    def import_(
        folder: Path | None = argument,
        dry_run: DryRun = False,
        prune: PruneRows = False,
        theirs: Theirs = None,
        ours: Ours = None,
        format_: ResultFormat = "text",
        database_url: DatabaseUrl = None,
    ) -> None:
        from robbieblocks.cli.content import content as command

        command.import_(
            folder,
            dry_run=dry_run,
            prune=prune,
            theirs=theirs or (),
            ours=ours or (),
            format_=format_,
            database_url=database_url,
            branding_alone=branding_alone,
        )

    def diff(
        folder: Path | None = argument,
        check: CheckDifferences = False,
        format_: ResultFormat = "text",
        database_url: DatabaseUrl = None,
    ) -> None:
        from robbieblocks.cli.content import content as command

        command.diff(
            folder,
            check=check,
            format_=format_,
            database_url=database_url,
            branding_alone=branding_alone,
        )

    functions: dict[str, Callable[..., None]] = {
        "export": export,
        "import": import_,
        "apply": import_,
        "diff": diff,
    }
    for name, text in texts.items():
        group.command(name, help=text)(functions[name])


_add_commands(
    content,
    {
        "export": f"""
    Write every row of content as files: content/ and node_branding/ below a folder.

    {_KEPT}

    Example: robbieblocks content export
    """,
        "import": """
    Write files into the rows, where only the file has changed since the last import.

    Changes rows of content, which workers publish. A row that only the database has changed is
    kept. Where both have, nothing at all is written until a side is chosen.

    Example: robbieblocks content import --dry-run
    """,
        "diff": """
    Show how the files differ from the rows, line by line. Changes nothing.

    Example: robbieblocks content diff --check
    """,
    },
    typer.Argument(
        None,
        help="The folder that holds content/ and node_branding/. Default: the project's folders.",
        show_default=False,
    ),
    branding_alone=False,
)
_add_commands(
    branding,
    {
        "diff": """
    Show for each node how its file differs from its row, line by line. Changes nothing.

    Example: robbieblocks branding diff --check
    """,
        "apply": """
    Write branding files into the rows of nodes, as `content import` does; other rows stay.

    Changes rows of nodes. A row that only the database has changed is kept. Where both have,
    nothing at all is written until a side is chosen. Workers publish what was written.

    Example: robbieblocks branding apply --dry-run
    """,
        "export": f"""
    Write the rows of all nodes as branding files.

    {_KEPT}

    Example: robbieblocks branding export
    """,
    },
    typer.Argument(
        None,
        help="The folder of branding files. Default: the project's node_branding.",
        show_default=False,
    ),
    branding_alone=True,
)


@content.command("adopt")
def content_adopt(
    source: Annotated[
        Path,
        typer.Argument(help="The folder of React code, such as ../app/src.", show_default=False),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Compile and render all of it; write nothing.")
    ] = False,
    theirs: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY",
            help="Let the source win this component's conflict; all for every one; repeatable.",
        ),
    ] = None,
    ours: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY", help="Keep the content folder's side of a conflict; repeatable."
        ),
    ] = None,
    format_: ResultFormat = "text",
) -> None:
    """Make components of a folder of existing React code, and say of each file whether it works.

    Changes files of the content folder alone: review them, then import them. Run again, it brings
    what has changed in the source; what you have changed meanwhile is kept.

    Example: robbieblocks content adopt ../app/src --dry-run
    """
    from robbieblocks.cli.content import adopt as command

    command.run(source, dry_run=dry_run, theirs=theirs or (), ours=ours or (), format_=format_)
