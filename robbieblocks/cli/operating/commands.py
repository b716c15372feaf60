"""The commands for whoever runs nodes, and their options."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import CreateRoot, DatabaseUrl, Embedded, Nodes, ResultFormat


def status(
    node: Nodes = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Don't work out what should be live (a dry run).")
    ] = False,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="Print what is not as it should be; exit with 1 where there is any."
        ),
    ] = False,
    format_: ResultFormat = "text",
    database_url: DatabaseUrl = None,
) -> None:
    """Show for each node and app what should be live, what was built and what is served.

    Changes nothing.

    Example: robbieblocks status --check
    """
    from robbieblocks.cli.operating import status as command

    command.run(
        nodes=node or [], quick=quick, check=check, format_=format_, database_url=database_url
    )


def doctor(format_: ResultFormat = "text", database_url: DatabaseUrl = None) -> None:
    """Look whether what commands rely on is there: what a person runs when something is odd.

    It looks at the project, every setting and its source; at the database, its schema, triggers,
    rights and clock; at the site root, its disk and mounts; at the web server's rights,
    configuration and answers; at the worker's health and its systemd unit; at toolchain, cache and
    templates. What is not as usual has a remedy; exits with 1 where something is broken.

    Changes nothing, and fetches nothing; a file that it writes into the site root is removed again.

    Example: robbieblocks doctor
    """
    from robbieblocks.cli.operating import doctor as command

    command.run(format_=format_, database_url=database_url)


def toolchain() -> None:
    """Fetch what builds need and no Python package brings: esbuild, React and the fonts.

    Prints their folder. The first build does so by itself: this is for a machine that can't reach
    the npm registry later, and for an image. Changes the toolchain's folder alone.

    Example: robbieblocks toolchain
    """
    from robbieblocks.cli.operating import fetching as command

    command.run()


def prune(
    node: Annotated[
        list[str],
        typer.Option(
            autocompletion=node_ids, help="A node that is not in the database any more; repeatable."
        ),
    ],
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
    embedded: Embedded = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Remove a node that left robbieblocks_node_branding, with its pages, from the site root.

    Changes the site root, for good: it removes the node's pages, releases and assets.

    Example: robbieblocks prune --node fluenti-local
    """
    from robbieblocks.cli.operating import prune as command

    command.run(nodes=node, yes=yes, embedded=embedded, database_url=database_url)


def gc(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what takes the disk, and what would go.")
    ] = False,
    node: Nodes = None,
    format_: ResultFormat = "text",
) -> None:
    """Say what takes the disk, and remove the releases and assets that need not stay.

    Changes the site root, by what robbieblocks.toml says ([site] keep_releases, keep_days,
    keep_assets_days), the cache beyond its limit, and what is over 30 days old in a shared cache.
    A worker does the same after builds, but for that; nothing need be stopped for it.

    Example: robbieblocks gc --dry-run --node vengeance-local
    """
    from robbieblocks.cli.operating import gc as command

    command.run(nodes=node or [], dry_run=dry_run, format_=format_)


def systemd(
    node: Annotated[
        str, typer.Option(autocompletion=node_ids, help="The node whose worker the unit runs.")
    ],
    user: Annotated[
        str | None, typer.Option(help="Account to run as. Default: yours.", show_default=False)
    ] = None,
    sync: Annotated[
        bool, typer.Option("--sync", help="For `sync run` of the node, and not for its worker.")
    ] = False,
    forms: Annotated[
        bool, typer.Option("--forms", help="For `forms receive` of the node.")
    ] = False,
    embedded: Embedded = False,
    create_root: CreateRoot = False,
) -> None:
    """Print a hardened systemd unit for a node's worker, sync or receiver of forms.

    It has this shell's settings.

    Changes nothing.

    Example: robbieblocks systemd --node vengeance-local --user web
    """
    from robbieblocks.cli.operating import systemd as command

    options = {"--embedded": embedded, "--create-root": create_root}
    given = [name for name, is_given in options.items() if is_given]
    command.run(node=node, user=user, options=given, sync=sync, forms=forms)


def webserver(
    server: Annotated[
        Literal["nginx", "caddy"], typer.Argument(help="The web server that is configured.")
    ],
    node: Annotated[
        str, typer.Option(autocompletion=node_ids, help="The node whose live releases it serves.")
    ],
    name: Annotated[
        str,
        typer.Option(
            metavar="HOST",
            help="Host name of the node's address, such as play.example.org. Default: any.",
            show_default=False,
        ),
    ] = "",
    listen: Annotated[
        str,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Where to listen, for plain HTTP. Default: port 80; Caddy with a --name: HTTPS.",
            show_default=False,
        ),
    ] = "",
    brotli: Annotated[
        bool,
        typer.Option("--brotli", help="nginx has the module libnginx-mod-http-brotli-static."),
    ] = False,
) -> None:
    """Print a configuration of nginx or Caddy that serves a node's live releases as `serve` does.

    Changes nothing.

    Example: robbieblocks webserver nginx --node vengeance-local --listen 8080
    """
    from robbieblocks.cli.operating import webserver as command

    command.run(server=server, node=node, name=name, listen=listen, brotli=brotli)
