"""`robbieblocks changes`, `deploys`, `audit`, `why` and `bisect`: their commands and options."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids, page_keys
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


class _Kind(StrEnum):
    """What an entry of the audit log may be: typer takes no list of literals."""

    PINNED = "pinned"
    UNPINNED = "unpinned"
    HELD = "held"
    RELEASED = "released"
    ROLLED_BACK = "rolled_back"
    FREEZE_STARTED = "freeze.started"
    FREEZE_ENDED = "freeze.ended"


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
    media: Annotated[str | None, typer.Option(help="Of this file of media (by media_key).")] = None,
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
    from robbieblocks.cli.history import changes as command

    row = command.chosen_row(
        {
            "page": page,
            "component": component,
            "style_token": token,
            "node_branding": node,
            "media": media,
        }
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
    from robbieblocks.cli.history import changes as command

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
    with its id, and its blocks or bytes.

    Example: robbieblocks changes undo 1a2b3c4d --dry-run
    """
    from robbieblocks.cli.history import changes as command

    command.undo(id_, dry_run=dry_run, format_=format_, database_url=database_url)


deploys = typer.Typer(
    name="deploys",
    help="The history of runs: what each published, why, and whose changes it took along.",
    no_args_is_help=True,
)

_RunId = Annotated[
    str, typer.Argument(metavar="ID", help="The run's id, or how it begins.", show_default=False)
]
_SecondId = Annotated[
    str, typer.Argument(metavar="ID2", help="Another run of the same app and node.")
]


@deploys.command("list")
def deploys_list(
    node: Annotated[str | None, typer.Option(autocompletion=node_ids, help="On this node.")] = None,
    app_: Annotated[str | None, typer.Option("--app", help="Of this app namespace.")] = None,
    status: Annotated[
        Literal["pending", "building", "deploying", "success", "failed"] | None,
        typer.Option(help="In this state."),
    ] = None,
    since: _Since = None,
    limit: _Limit = 50,
    runs_only: Annotated[
        bool, typer.Option("--runs", help="Runs alone, without what people did in between.")
    ] = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """List runs, the newest first: node and app, how each ended, its release and its cause.

    Between them stands what people pinned, held, froze and ended, as `audit` tells it.

    Changes nothing.

    Example: robbieblocks deploys list --node vengeance-local --status failed
    """
    from robbieblocks.cli.history import deploys as command

    command.list_(
        node=node,
        app=app_,
        status=status,
        since=since,
        limit=limit,
        runs_only=runs_only,
        format_=format_,
        database_url=database_url,
    )


@deploys.command("show")
def deploys_show(
    id_: _RunId, format_: ResultFormat = "text", database_url: DatabaseUrl = None
) -> None:
    """Show one run: the pages that it changed and why, whose changes these were, phases and log.

    Changes nothing.

    Example: robbieblocks deploys show 1a2b3c4d
    """
    from robbieblocks.cli.history import deploys as command

    command.show(id_, format_=format_, database_url=database_url)


@deploys.command("diff")
def deploys_diff(
    first: _RunId,
    second: _SecondId,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show what went out between two runs of an app on a node: pages, and changes of rows.

    Changes nothing.

    Example: robbieblocks deploys diff 1a2b3c4d 5e6f7a8b
    """
    from robbieblocks.cli.history import deploys as command

    command.diff(first, second, format_=format_, database_url=database_url)


def audit(
    node: Annotated[str | None, typer.Option(autocompletion=node_ids, help="On this node.")] = None,
    app_: Annotated[str | None, typer.Option("--app", help="Of this app namespace.")] = None,
    kind: Annotated[
        list[_Kind] | None,
        typer.Option(help="What was done; repeatable. Default: all.", show_default=False),
    ] = None,
    since: _Since = None,
    limit: _Limit = 50,
    format_: ResultFormat = "text",
) -> None:
    """List who pinned, held, froze and rolled back what and why, and what ended, newest first.

    It needs no database: the site root keeps it.

    Changes nothing.

    Example: robbieblocks audit --node vengeance-local --kind rolled_back
    """
    from robbieblocks.cli.history import audit as command

    command.run(node=node, app=app_, kinds=kind or (), since=since, limit=limit, format_=format_)


def why(
    address: Annotated[
        str,
        typer.Argument(
            metavar="URL[#SELECTOR]",
            help="A page's URL or path, and a CSS selector of an element of it.",
            show_default=False,
        ),
    ],
    node: Annotated[
        str | None,
        typer.Option(autocompletion=node_ids, help="On this node, where several show the page."),
    ] = None,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Say where what a live page shows comes from: block, components, tokens, person and run.

    Changes nothing.

    Example: robbieblocks why "/play/#h1" --node vengeance-local
    """
    from robbieblocks.cli.history import why as command

    command.run(address, node=node, format_=format_, database_url=database_url)


def bisect(
    page: Annotated[
        str, typer.Option(autocompletion=page_keys, help="The page that is wrong (by page_key).")
    ],
    run: Annotated[
        str,
        typer.Option(
            metavar="COMMAND",
            help="Judges a version: exits with 0 for good, 1 to 127 for bad, 125 to skip it. It "
            "finds the page's file as ROBBIEBLOCKS_BISECT_PAGE. No shell reads it.",
        ),
    ],
    node: Annotated[
        list[str] | None,
        typer.Option(autocompletion=node_ids, help="As on this node; repeatable. Default: all."),
    ] = None,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Find the change that broke a page: builds it as it was, and halves what is in between.

    The page is built into a temporary folder from today's rows with the journal taken back.

    Changes nothing else.

    Example: robbieblocks bisect --page robbie-play-home --run "sh check-page.sh"
    """
    from robbieblocks.cli.history import bisect as command

    command.run(page, run, nodes=tuple(node or ()), format_=format_, database_url=database_url)
