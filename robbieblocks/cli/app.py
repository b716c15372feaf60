"""The commands and their options. Rooms are imported where a command needs them, to start fast."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="robbieblocks",
    help="React pages kept in Postgres, published by themselves.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
db = typer.Typer(help="The database: its schema and its seed content.", no_args_is_help=True)
app.add_typer(db, name="db")

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url",
        help="libpq URL or conninfo. Default: ROBBIEBLOCKS_DATABASE_URL, then the PG* variables, "
        "then an embedded Postgres in .robbieblocks/.",
        show_default=False,
    ),
]


class Format(StrEnum):
    """How the result is printed."""

    text = "text"
    json = "json"
    markdown = "markdown"


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"robbieblocks {version('robbieblocks')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """React pages kept in Postgres, published by themselves."""


@app.command()
def build(
    page: Annotated[
        list[str] | None, typer.Option(help="Publish this page alone (by page_key); repeatable.")
    ] = None,
    app_: Annotated[
        list[str] | None, typer.Option("--app", help="Only this app namespace; repeatable.")
    ] = None,
    node: Annotated[
        list[str] | None,
        typer.Option(help="Only this node; repeatable. Default: every node that enables the app."),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Show what would change; write neither rows nor site."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="With --dry-run: write a browsable copy into this folder."),
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="A page with an error stops its whole app.")
    ] = False,
    format_: Annotated[Format, typer.Option("--format", help="Form of the result.")] = Format.text,
    database_url: DatabaseUrl = None,
) -> None:
    """Build pages and publish them to their nodes."""
    from robbieblocks.cli import build as command

    command.run(
        pages=page or [],
        apps=app_ or [],
        nodes=node or [],
        dry_run=dry_run,
        out=out,
        strict=strict,
        format_=format_.value,
        database_url=database_url,
    )


@app.command()
def serve(
    node: Annotated[
        list[str] | None,
        typer.Option(help="Serve this node; repeatable. Default: every node with a live release."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of the first node; the others take the next ones.")
    ] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the live releases of one node, or of each node on a port of its own."""
    from robbieblocks.cli import serve as command

    command.run(nodes=node or [], host=host, port=port)


@db.command("init")
def db_init(database_url: DatabaseUrl = None) -> None:
    """Create the schema, or bring an earlier one up to date; changes no content."""
    from robbieblocks.cli import database as command

    command.init(database_url)


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


@db.command("seed")
def db_seed(
    folder: Annotated[
        Path | None, typer.Option(help="Content folder. Default: the one that comes along.")
    ] = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Write the seed content into the tables; rows that are equal stay untouched."""
    from robbieblocks.cli import database as command

    command.seed(database_url, folder)
