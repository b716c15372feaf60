"""`robbieblocks tokens`: its commands and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from robbieblocks.cli.options import DatabaseUrl, DryRun, Ours, ResultFormat, Theirs

tokens = typer.Typer(
    name="tokens",
    help="Style tokens as a file that design tools share (DTCG, 2025.10).",
    no_args_is_help=True,
)


@tokens.command("export")
def tokens_export(
    file: Annotated[
        Path | None,
        typer.Argument(help="The file, such as site.tokens.json. Default: print it."),
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write all tokens as a file of the Design Tokens Format Module. Changes no row.

    Example: robbieblocks tokens export site.tokens.json
    """
    from robbieblocks.cli.content import tokens as command

    command.export(file, database_url=database_url)


@tokens.command("import")
def tokens_import(
    file: Annotated[Path, typer.Argument(help="A design token file.")],
    dry_run: DryRun = False,
    theirs: Theirs = None,
    ours: Ours = None,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Write the tokens of a design token file into their rows, as `content import` does.

    Changes tokens. Those that the file does not have stay. What no row can hold is named with its
    line and left out. A row that only the database has changed is kept; where both have, nothing is
    written until a side is chosen.

    Example: robbieblocks tokens import figma.tokens.json --dry-run
    """
    from robbieblocks.cli.content import tokens as command

    command.import_(
        file,
        dry_run=dry_run,
        theirs=theirs or (),
        ours=ours or (),
        format_=format_,
        database_url=database_url,
    )
