"""The commands that go back to a release, and hold one live, and their options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import DatabaseUrl

_Nodes = Annotated[
    list[str] | None, typer.Option("--node", autocompletion=node_ids, help="This node; repeatable.")
]
_Apps = Annotated[list[str] | None, typer.Option("--app", help="This app namespace; repeatable.")]
_All = Annotated[bool, typer.Option("--all", help="Every app of every node of the site root.")]
_Reason = Annotated[
    str, typer.Option(help="Why, for whoever reads `status`, the history and the pin.")
]
_Until = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="When it ends by itself, such as 2026-12-24T18:00+01:00. Default: `unpin` ends it.",
        show_default=False,
    ),
]


def rollback(
    reason: _Reason,
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="RELEASE",
            help="The release's build hash, or how it begins. Default: the one live before.",
            show_default=False,
        ),
    ] = None,
    until: _Until = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Go back to a release that was live before, and pin it: nothing newer goes out until `unpin`.

    Changes what is served, at once and without the database; the rows stay as they are, and later
    changes wait. The rollback is recorded in the history of runs where the database answers.

    Example: robbieblocks rollback --app play --reason "broken on phones"
    """
    from robbieblocks.cli import pins as command

    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    command.rollback(chosen, to=to, reason=reason, until=until, database_url=database_url)


def pin(
    reason: _Reason,
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    until: _Until = None,
) -> None:
    """Hold what is live: nothing newer goes out until `unpin`, and changes wait.

    Changes the site root: it writes the file `pinned` beside `current`.

    Example: robbieblocks pin --node vengeance-local --reason "tournament"
    """
    from robbieblocks.cli import pins as command

    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    command.pin(chosen, reason=reason, until=until)


def unpin(
    node: _Nodes = None,
    app_: _Apps = None,
    all_: _All = False,
    database_url: DatabaseUrl = None,
) -> None:
    """End pins, and bring everything up to date at once, as `build` does.

    Changes the site root, and the history of runs in the database.

    Example: robbieblocks unpin --node vengeance-local --app play
    """
    from robbieblocks.cli import pins as command

    chosen = command.Chosen(nodes=node or [], apps=app_ or [], every=all_)
    command.unpin(chosen, database_url=database_url)
