"""`robbieblocks branding`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from robbieblocks.cli.options import (
    CheckDifferences,
    DatabaseUrl,
    DryRun,
    Ours,
    PruneFiles,
    PruneRows,
    ResultFormat,
    Theirs,
)

branding = typer.Typer(
    name="branding",
    help="The branding of nodes as files, reviewed before it goes into the database.",
    no_args_is_help=True,
)

BrandingFolder = Annotated[
    Path | None,
    typer.Argument(
        help="The folder of branding files. Default: the project's node_branding.",
        show_default=False,
    ),
]


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
    database_url: DatabaseUrl = None,
) -> None:
    """Write the rows of all nodes as branding files.

    A file that says what its row says stays as it is, comments and all. Changes no row.

    Example: robbieblocks branding export
    """
    from robbieblocks.cli import content as command

    command.export(folder, prune=prune, database_url=database_url, branding_alone=True)
