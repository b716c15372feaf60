"""`robbieblocks events`: its commands and options."""

from __future__ import annotations

from typing import Annotated

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import ResultFormat

events = typer.Typer(
    name="events",
    help="Who is told of what happens to the sites: what waits, and what was given up.",
    no_args_is_help=True,
)

_Nodes = Annotated[
    list[str] | None,
    typer.Option("--node", autocompletion=node_ids, help="Of this node; repeatable. Default: all."),
]


@events.command("list")
def events_list(node: _Nodes = None, format_: ResultFormat = "text") -> None:
    """List what waits to be told to whom, what was given up, and webhooks that want no more.

    Changes nothing.

    Example: robbieblocks events list
    """
    from robbieblocks.cli.events import events as command

    command.list_(nodes=node or [], format_=format_)


@events.command("send")
def events_send(node: _Nodes = None, format_: ResultFormat = "text") -> None:
    """Send what waits, now: one attempt for each, whenever the next one was due.

    A worker does this by itself. Changes the outbox in the site root, and runs `on_publish`; exits
    with 3 where something still waits.

    Example: robbieblocks events send
    """
    from robbieblocks.cli.events import events as command

    command.send(nodes=node or [], format_=format_)


@events.command("test")
def events_test(
    name: Annotated[
        str, typer.Argument(metavar="WEBHOOK", help="Its name, as `events list` shows it.")
    ],
) -> None:
    """Send a webhook an event of the type `test`, and say what it answered.

    Changes nothing here, unless the webhook was disabled because it answered 410: where it takes
    this one, it is told of events again.

    Example: robbieblocks events test hooks.example
    """
    from robbieblocks.cli.events import events as command

    command.test(name)
