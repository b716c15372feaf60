"""The commands about media, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from robbieblocks.cli.options import DatabaseUrl, ResultFormat

media = typer.Typer(
    name="media", help="Pictures, fonts and other files, and where they lie.", no_args_is_help=True
)


@media.command("list")
def list_(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """List the files with their sizes, and where their bytes lie.

    Changes nothing.

    Example: robbieblocks media list
    """
    from robbieblocks.cli.media import media as command

    command.list_(format_=format_, database_url=database_url)


@media.command()
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="The files.")],
    key: Annotated[
        str | None, typer.Option(help="The key of the one file. Default: its name, no suffix.")
    ] = None,
    alt: Annotated[str | None, typer.Option(help="What the one picture shows.")] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Put files into the media, in place of those with the same keys.

    Changes the database, and the bucket where media.bucket names one.

    Example: robbieblocks media add harbour.jpg --alt "The harbour at dawn"
    """
    from robbieblocks.cli.media import media as command

    command.add(files, key=key, alt=alt, database_url=database_url)


@media.command()
def move(
    to: Annotated[Literal["bucket", "database"], typer.Option(help="Where the bytes are to lie.")],
    keys: Annotated[
        list[str] | None, typer.Argument(metavar="KEY...", help="Only these. Default: all.")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Move the bytes of files to the bucket of media.bucket, or back into the database.

    Changes the database and the bucket, in which objects stay. No page is made anew.

    Example: robbieblocks media move --to bucket
    """
    from robbieblocks.cli.media import media as command

    command.move(keys or (), to=to, database_url=database_url)


@media.command()
def prune(
    apply: Annotated[
        bool, typer.Option("--apply", help="Remove them. Default: list them alone.")
    ] = False,
    older_than: Annotated[
        int,
        typer.Option(min=1, metavar="HOURS", help="How many hours ago they were written at least."),
    ] = 24,
    limit: Annotated[int, typer.Option(min=1, help="How many to remove at most.")] = 10_000,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """List objects in the bucket of media.bucket that nothing needs any more, or remove them.

    Changes nothing without --apply; with it, the bucket. What a row names stays, and what a change
    that can still be taken back names, and what others put there.

    Example: robbieblocks media prune --apply
    """
    from robbieblocks.cli.media import prune as command

    command.run(
        apply=apply,
        older_than_hours=older_than,
        limit=limit,
        format_=format_,
        database_url=database_url,
    )
