"""`robbieblocks changes`: its commands and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.completion import page_keys
from robbieblocks.cli.options import DatabaseUrl, ResultFormat

changes = typer.Typer(
    name="changes",
    help="Who changed which row, what it was and is, and in which run it went out.",
    no_args_is_help=True,
)

_Id = Annotated[
    str, typer.Argument(metavar="ID", help="The change's id, or how it begins.", show_default=False)
]
_Since = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="From this time on, such as 2026-12-24T18:00+01:00.",
        show_default=False,
    ),
]
_Limit = Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, the newest.")]


@changes.command("list")
def changes_list(
    page: Annotated[
        str | None,
        typer.Option(autocompletion=page_keys, help="Of this page and its blocks (by page_key)."),
    ] = None,
    component: Annotated[str | None, typer.Option(help="Of this component.")] = None,
    token: Annotated[str | None, typer.Option(help="Of this token.")] = None,
    node: Annotated[str | None, typer.Option(help="Of this node's branding.")] = None,
    since: _Since = None,
    by: Annotated[
        str | None, typer.Option(help="By whom: part of the user's or program's name.")
    ] = None,
    limit: _Limit = 50,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """List changes of rows, the newest first: who made each, and whether it went out.

    Changes nothing.

    Example: robbieblocks changes list --page robbie-play-home
    """
    from robbieblocks.cli import changes as command

    row = command.chosen_row(
        {"page": page, "component": component, "style_token": token, "node_branding": node}
    )
    command.list_(row, since=since, by=by, limit=limit, format_=format_, database_url=database_url)


@changes.command("show")
def changes_show(
    id_: _Id, format_: ResultFormat = "text", database_url: DatabaseUrl = None
) -> None:
    """Show what one change did to a row, field by field, and the runs that it went out in.

    Changes nothing.

    Example: robbieblocks changes show 1a2b3c4d
    """
    from robbieblocks.cli import changes as command

    command.show(id_, format_=format_, database_url=database_url)


@changes.command("undo")
def changes_undo(
    id_: _Id,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be written; write nothing.")
    ] = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Write a row back as it was before a change: the fields and blocks that the change altered.

    Changes that row, which workers publish like any other edit. Refused, with both versions, where
    the row is not as the change left it. What was added is removed; what was removed comes back
    with its id and its blocks.

    Example: robbieblocks changes undo 1a2b3c4d --dry-run
    """
    from robbieblocks.cli import changes as command

    command.undo(id_, dry_run=dry_run, format_=format_, database_url=database_url)
