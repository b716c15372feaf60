"""The commands that run until they are told to stop, and their options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import Adopt, CreateRoot, DatabaseUrl, Embedded


def dev(
    node: Annotated[
        list[str] | None,
        typer.Option(autocompletion=node_ids, help="Show this node; repeatable. Default: all."),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of the first node; the others take the next ones.")
    ] = 8000,
    database_url: DatabaseUrl = None,
) -> None:
    """Show what is saved in the browser, at once: drafts too, and every node on a port of its own.

    Changes rows in the database, as `content import` does, when a file is saved; publishes nothing.

    Example: robbieblocks dev --node vengeance-local
    """
    from robbieblocks.cli.running import dev as command

    command.run(nodes=node or [], port=port, database_url=database_url)


def serve(
    node: Annotated[
        list[str] | None,
        typer.Option(
            autocompletion=node_ids,
            help="Serve this node; repeatable. Default: every node with a live release.",
        ),
    ] = None,
    port: Annotated[
        int, typer.Option(help="Port of the first node; the others take the next ones.")
    ] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Serve the live releases of one node, or of each node on a port of its own. Changes nothing.

    Example: robbieblocks serve --node vengeance-local --port 8080
    """
    from robbieblocks.cli.running import serve as command

    command.run(nodes=node or [], host=host, port=port)


def worker(
    node: Annotated[
        str, typer.Option(autocompletion=node_ids, help="The node to keep up to date.")
    ],
    health: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT|off",
            help="Where to answer /healthz, /readyz and /metrics. Default: ROBBIEBLOCKS_HEALTH, "
            "then 127.0.0.1:9464, or any free port where that is taken.",
            show_default=False,
        ),
    ] = None,
    poll: Annotated[
        float, typer.Option(help="Look at the queue at least every so many seconds.")
    ] = 5.0,
    reconcile: Annotated[
        float, typer.Option(help="Examine every app, and what is live, every so many seconds.")
    ] = 300.0,
    grace: Annotated[
        float, typer.Option(help="Seconds that a running build may take to finish on SIGTERM.")
    ] = 20.0,
    log: Annotated[
        Literal["auto", "text", "json"],
        typer.Option(help="Log lines for people or for machines; auto asks the terminal."),
    ] = "auto",
    with_sync: Annotated[
        bool,
        typer.Option(
            "--with-sync", help="Keep the database in step too, as `sync run` does by itself."
        ),
    ] = False,
    embedded: Embedded = False,
    create_root: CreateRoot = False,
    adopt: Adopt = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Keep one node up to date until told to stop: every committed change goes out by itself.

    Changes the node's site in the site root, and in the database the history of runs and the change
    queue.

    Example: robbieblocks worker --node vengeance-local --embedded
    """
    from robbieblocks.cli.running import worker as command

    command.run(
        node=node,
        health=health,
        poll=poll,
        reconcile=reconcile,
        grace=grace,
        log_form=log,
        with_sync=with_sync,
        embedded=embedded,
        create_root=create_root,
        adopt=adopt,
        database_url=database_url,
    )
