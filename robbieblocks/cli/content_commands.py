"""`robbieblocks content` and `robbieblocks branding`: their commands and options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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

ProjectFolder = Annotated[
    Path | None,
    typer.Argument(
        help="The folder that holds content/ and node_branding/. Default: the project's folders.",
        show_default=False,
    ),
]
BrandingFolder = Annotated[
    Path | None,
    typer.Argument(
        help="The folder of branding files. Default: the project's node_branding.",
        show_default=False,
    ),
]


@content.callback()
def _collected() -> None:
    # Each TOML document that is written is a cycle: of 10,000 pages, a gigabyte.
    collector.enable_for_service()


@content.command("export")
def content_export(
    folder: ProjectFolder = None,
    prune: PruneFiles = False,
    theirs: KeptFiles = None,
    ours: ReplacedFiles = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write every row of content as files: content/ and node_branding/ below a folder.

    Changes files: one that says what its row says stays as it is, comments and all. A file that
    was edited since it was last imported is kept and named, until a side is chosen.

    Example: robbieblocks content export
    """
    from robbieblocks.cli import content as command

    command.export(
        folder, prune=prune, theirs=theirs or (), ours=ours or (), database_url=database_url
    )


@content.command("import")
def content_import(
    folder: ProjectFolder = None,
    dry_run: DryRun = False,
    prune: PruneRows = False,
    theirs: Theirs = None,
    ours: Ours = None,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Write files into the rows, where only the file has changed since the last import.

    Changes rows of content, which workers publish. A row that only the database has changed is
    kept. Where both have, nothing at all is written until a side is chosen.

    Example: robbieblocks content import --dry-run
    """
    from robbieblocks.cli import content as command

    command.import_(
        folder,
        dry_run=dry_run,
        prune=prune,
        theirs=theirs or (),
        ours=ours or (),
        format_=format_,
        database_url=database_url,
    )


@content.command("diff")
def content_diff(
    folder: ProjectFolder = None,
    check: CheckDifferences = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show how the files differ from the rows, line by line. Changes nothing.

    Example: robbieblocks content diff --check
    """
    from robbieblocks.cli import content as command

    command.diff(folder, check=check, format_=format_, database_url=database_url)


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
    from robbieblocks.cli import adopt as command

    command.run(source, dry_run=dry_run, theirs=theirs or (), ours=ours or (), format_=format_)


@branding.command("diff")
def branding_diff(
    folder: BrandingFolder = None,
    check: CheckDifferences = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show for each node how its file differs from its row, line by line. Changes nothing.

    Example: robbieblocks branding diff --check
    """
    from robbieblocks.cli import content as command

    command.diff(
        folder, check=check, format_=format_, database_url=database_url, branding_alone=True
    )


@branding.command("apply")
def branding_apply(
    folder: BrandingFolder = None,
    dry_run: DryRun = False,
    prune: PruneRows = False,
    theirs: Theirs = None,
    ours: Ours = None,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Write branding files into the rows of nodes, as `content import` does; other rows stay.

    Changes rows of nodes. A row that only the database has changed is kept. Where both have,
    nothing at all is written until a side is chosen. Workers publish what was written.

    Example: robbieblocks branding apply --dry-run
    """
    from robbieblocks.cli import content as command

    command.import_(
        folder,
        dry_run=dry_run,
        prune=prune,
        theirs=theirs or (),
        ours=ours or (),
        format_=format_,
        database_url=database_url,
        branding_alone=True,
    )


@branding.command("export")
def branding_export(
    folder: BrandingFolder = None,
    prune: PruneFiles = False,
    theirs: KeptFiles = None,
    ours: ReplacedFiles = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the rows of all nodes as branding files.

    Changes files: one that says what its row says stays as it is, comments and all. A file that
    was edited since it was last imported is kept and named, until a side is chosen.

    Example: robbieblocks branding export
    """
    from robbieblocks.cli import content as command

    command.export(
        folder,
        prune=prune,
        theirs=theirs or (),
        ours=ours or (),
        database_url=database_url,
        branding_alone=True,
    )
