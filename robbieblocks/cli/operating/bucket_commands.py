"""The commands about the bucket, and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from robbieblocks.cli.completion import node_ids
from robbieblocks.cli.options import Nodes, ResultFormat

bucket = typer.Typer(
    name="bucket", help="The bucket to which what is live is published, too.", no_args_is_help=True
)


@bucket.command()
def status(node: Nodes = None, format_: ResultFormat = "text") -> None:
    """Show for each node what is live here, and what the bucket says is published in it.

    Exits with 1 where they differ. Changes nothing.

    Example: robbieblocks bucket status
    """
    from robbieblocks.cli.operating import bucket as command

    command.status(nodes=node or (), format_=format_)


@bucket.command()
def push(
    node: Nodes = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Look for every object, and write what is missing.")
    ] = False,
    prune: Annotated[
        bool, typer.Option("--prune", help="Then remove what no kept release needs.")
    ] = False,
    adopt: Annotated[
        bool,
        typer.Option(
            "--adopt", help="Take over from another site root, and write over others' files."
        ),
    ] = False,
) -> None:
    """Publish what is live to the bucket, as a worker does by itself.

    Changes the bucket: it writes what differs, and what was removed goes.

    Example: robbieblocks bucket push --node vengeance-local
    """
    from robbieblocks.cli.operating import bucket as command

    command.push(nodes=node or (), verify=verify, prune=prune, adopt=adopt)


@bucket.command()
def router(
    kind: Annotated[Literal["cloudflare", "nginx"], typer.Argument(help="What it runs in.")],
    node: Annotated[
        str, typer.Option(autocompletion=node_ids, help="The node whose releases it answers from.")
    ],
) -> None:
    """Print a router: a small program that stands before a bucket of the layout `router`.

    Changes nothing.

    Example: robbieblocks bucket router cloudflare --node vengeance-local
    """
    from robbieblocks.cli.operating import bucket as command

    command.router(kind=kind, node=node)


@bucket.command()
def export(
    host: Annotated[
        Literal["netlify", "cloudflare"], typer.Argument(help="Who is to serve the folder.")
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where to write it: a new folder, or an empty one.")
    ],
    node: Annotated[
        str, typer.Option(autocompletion=node_ids, help="The node whose live releases it holds.")
    ],
) -> None:
    """Write what is live as a folder for Netlify or Cloudflare Pages, with _headers and _redirects.

    Changes nothing but that folder. It needs no bucket.

    Example: robbieblocks bucket export netlify --node vengeance-local --out pages
    """
    from robbieblocks.cli.operating import bucket as command

    command.export(host=host, out=out, node=node)
